#!/bin/sh
# Writes a mailbox for each series: numbered, with its cover letter, the base and
# the patches that it needs in b4's form, and To: and Cc: from the tree's
# get_maintainer.pl. Nothing is sent.
# usage: mbox.sh [SERIES...]
. "$(dirname "$0")/lib/common.sh"

need_queue
out=$build/mbox/$BASE
[ -e "$tree/.git" ] || die "$tree is missing: run make tree"
for series; do
	[ -n "$(patches_of "$series")" ] ||
		die "no such series: $series (there is: $(series_names | paste -sd' ' -))"
done
[ $# -gt 0 ] || {
	rm -rf "$out"
	# shellcheck disable=SC2046 # a list
	set -- $(series_names)
}
mkdir -p "$out"
trap 'rm -rf "${tmp:-}"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP
tmp=$(mktemp -d "$build/tmp.XXXXXX")

# Addresses for the patches of series $1, with their roles. The history of the tree
# knows nobody: it begins with the base.
who() {
	patches_of "$1" | sed "s,^,$queue/," >"$tmp/patches"
	(cd "$tree" && xargs scripts/get_maintainer.pl --no-git --no-git-fallback \
		--no-fixes --roles --no-rolestats <"$tmp/patches")
}

# The cover letter without its head; other series by their subjects, as a reader
# of the list does not know our names for them.
cover_text() {
	sed '1,/^$/d' "$queue/$1/cover-letter.md"
	echo
	echo "Based on Linux $(kernel_version "$tree")."
	needs=$(series_needs "$1")
	[ -n "$needs" ] || return 0
	echo "Needs these series, in this order:"
	for need in $needs; do echo "  $(series_field "$need" Subject)"; done
}

for series; do
	[ -f "$queue/$series/cover-letter.md" ] || die "$queue/$series/cover-letter.md is missing"
	# shellcheck disable=SC2046 # lists
	to=$("$top/scripts/lib/import.sh" $(patches_of $(series_needs "$series") "$series")) || exit 1
	from=$to~$(patches_of "$series" | wc -l)

	cover_text "$series" >"$tmp/text"
	{
		series_field "$series" List | tr ' ' '\n' | sed '/^$/d'
		who "$series" || die "get_maintainer.pl failed for $series"
	} >"$tmp/who"

	GIT_COMMITTER_NAME=$(tree_git show -s --format=%an "$to")
	GIT_COMMITTER_EMAIL=$(tree_git show -s --format=%ae "$to")
	export GIT_COMMITTER_NAME GIT_COMMITTER_EMAIL
	# git takes the ids of prerequisites without the heuristic: the patches that
	# they name have to be written without it, too.
	tree_git format-patch -q --stdout --cover-letter --numbered --thread=shallow \
		--no-signature --no-renames --no-indent-heuristic --base=base \
		"$from..$to" >"$tmp/raw"
	if ! "$top/scripts/lib/mbox.py" --name "$series" \
			--subject "$(series_field "$series" Subject)" --text "$tmp/text" \
			--who "$tmp/who" <"$tmp/raw" >"$tmp/mbox"; then
		failed="${failed:-} $series"
		continue
	fi
	mv "$tmp/mbox" "$out/$series.mbox"
	say "$series: $(patches_of "$series" | wc -l) patches in ${out#"$top/"}/$series.mbox"
done
[ -z "${failed:-}" ] || die "these have no mailbox, see above:$failed"
