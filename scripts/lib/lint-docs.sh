#!/bin/sh
# The documents that the series touches are built by sphinx, without a warning
# about any of them.
. "$(dirname "$0")/common.sh"

out=$logs/lint
log=$out/docs.log
mkdir -p "$out/docs"
# An index refers to what is not built here; a document that it lacks warns itself.
documents=$(tree_git diff --name-only --diff-filter=d base..series -- \
	'Documentation/*/*.rst' ':!*/index.rst')
dirs=$(echo "$documents" | sed -n 's,^Documentation/\([^/]*\)/.*,\1,p' | sort -u |
	paste -sd" " -)
[ -n "$dirs" ] || { ok "sphinx: there are no documents"; exit 0; }
command -v sphinx-build >/dev/null || die "sphinx-build is missing: run scripts/deps.sh lint"

# Some of what they say is taken from the comments of these.
sources=$(for dir in $dirs; do
	tree_git grep -hoE '^\.\. kernel-doc:: .*' series -- "Documentation/$dir"
done | sed 's/.*:: *//' | sort -u)
sums=$({
	for dir in $dirs; do tree_git rev-parse "series:Documentation/$dir"; done
	for source in $sources; do tree_git rev-parse "series:$source"; done
	cat "$0"
} | sha1sum)
if ! is_cached sphinx "$sums"; then
	say "building the documents in $dirs"
	make --no-print-directory -C "$tree" O="$out/docs" \
			SPHINXDIRS="$dirs" htmldocs >"$log" 2>&1 </dev/null || {
		not_ok "sphinx: the documents build (see $log)"
		exit 0
	}
	bad=
	for document in $documents; do
		[ -e "$(find "$out/docs" -name "$(basename "$document" .rst).html" | head -1)" ] ||
			bad="$bad, no $document"
		! grep -E "$document(:[0-9]+)?: (WARNING|ERROR)" "$log" >&2 || bad="$bad, $document"
	done
	if [ -n "$bad" ]; then
		not_ok "sphinx: the documents build without a warning (${bad#, }; see $log)"
		exit 0
	fi
	remember
fi
# shellcheck disable=SC2086 # words
ok "sphinx: $(echo $documents | wc -w) documents build without a warning"
