#!/bin/sh
# Each series' mailbox as its recipient has it: b4 am takes it, git am applies what
# b4 made of it, and the mailbox itself, to the base with the series that it needs,
# and the files are then those of the queue.
# usage: lint-mbox.sh [SERIES...]
. "$(dirname "$0")/common.sh"

need_queue
for tool in b4 git; do
	command -v "$tool" >/dev/null || die "$tool is missing: run scripts/deps.sh lint"
done
# shellcheck disable=SC2046 # a list
[ $# -gt 0 ] || set -- $(series_names)

trap 'rm -rf "${tmp:-}"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP
mkdir -p "$build"
tmp=$(mktemp -d "$build/tmp.XXXXXX")
# b4 keeps a cache and reads a configuration.
export HOME="$tmp" XDG_CACHE_HOME="$tmp" XDG_DATA_HOME="$tmp" XDG_CONFIG_HOME="$tmp"

# A repository of its own, with nothing but the files that the queue touches.
make_clone() {
	[ ! -e "$tmp/tree" ] || return 0
	plain_git clone -q --shared --no-checkout "$tree" "$tmp/tree"
	clone config user.name "Refusing Notifier Lab"
	clone config user.email lab@example.org
	tree_git diff --name-only --no-renames base series |
		clone sparse-checkout set --no-cone --stdin
	clone checkout -q --detach base
}
clone() { plain_git -C "$tmp/tree" "$@"; }

# takes FROM TO MAILBOX: git am has the same files at the end
takes() {
	clone reset -q --hard "$1"
	if ! clone am -q --empty=drop "$3" >"$tmp/log" 2>&1; then
		clone am --abort >/dev/null 2>&1 || :
		return 1
	fi
	clone diff --quiet HEAD "$2" || { echo "other files than the queue's" >"$tmp/log"; false; }
}

# b4_takes SERIES MAILBOX NR: its mailbox of NR patches is $tmp/b4/SERIES.mbx
b4_takes() {
	rm -rf "$tmp/b4"
	mkdir "$tmp/b4"
	(cd "$tmp/tree" && b4 --offline-mode am --no-cache --mbox-name "$1" \
		-o "$tmp/b4" -m "$2") >"$tmp/log" 2>&1 </dev/null || return 1
	[ -s "$tmp/b4/$1.mbx" ] && [ -s "$tmp/b4/$1.cover" ] &&
		grep -qx "Total patches: $3" "$tmp/log" && ! grep -q ERROR "$tmp/log"
}

# has_head SERIES MAILBOX FROM NR: the base, the patches needed, addresses
has_head() {
	tree_git rev-list --reverse "base..$3" | while read -r commit; do
		tree_git diff-tree -p --no-renames --no-indent-heuristic "$commit" | plain_git patch-id --stable
	done | sed 's/ .*//' >"$tmp/wanted"
	sed -n 's/^prerequisite-patch-id: //p' "$2" | cmp - "$tmp/wanted" >"$tmp/log" 2>&1 || return 1
	grep -q "^base-commit: $(tree_git rev-parse base)\$" "$2" &&
		[ "$(grep -c '^To: .*@' "$2")" = "$4" ] && ! grep -q 'lab@example.org>*,*$' "$tmp/to" &&
		! grep -q '\*\*\* [A-Z]* HERE' "$2"
}

verdict() {
	if [ "$1" = 0 ]; then
		ok "$2"
	else
		not_ok "$2"
		sed 's/^/  | /' "$tmp/log" | tail -20 >&2
		bad=y
	fi
}

has_head="base, needed patches and recipients"
b4_takes="b4 am"
am_of_b4="git am of what b4 am wrote"
am="git am"
for series; do
	sums=$(cat "$0" "$top/scripts/mbox.sh" "$top/scripts/lib/mbox.py" "$top/scripts/lib/import.sh" \
		"$tree/MAINTAINERS" "$queue/$series/cover-letter.md" | sha1sum)
	# shellcheck disable=SC2046 # lists
	set_of=$(cd "$queue" && sha1sum $(patches_of $(series_needs "$series") "$series") | sha1sum)
	if is_cached mbox "$series" "$sums" "$set_of" "$(tree_git rev-parse base)"; then
		for text in "$has_head" "$b4_takes" "$am_of_b4" "$am"; do
			ok "mailbox $series: $text"
		done
		continue
	fi
	remember_as=$cached
	make_clone
	bad=
	"$top/scripts/mbox.sh" "$series" >"$tmp/log" 2>&1 ||
		{ verdict 1 "mailbox $series: make mbox writes it"; continue; }
	mbox=$build/mbox/$BASE/$series.mbox
	nr=$(patches_of "$series" | wc -l)
	# shellcheck disable=SC2046 # a list
	to=$("$top/scripts/lib/import.sh" $(patches_of $(series_needs "$series") "$series")) || exit 1
	from=$(tree_git rev-parse "$to~$nr")
	: >"$tmp/log"
	sed -n '/^\(To\|Cc\): /,/^$/p' "$mbox" >"$tmp/to"

	code=0; has_head "$series" "$mbox" "$from" "$((nr + 1))" || code=1
	verdict $code "mailbox $series: $has_head"
	code=0; b4_takes "$series" "$mbox" "$nr" || code=1
	verdict $code "mailbox $series: $b4_takes"
	code=0; takes "$from" "$to" "$tmp/b4/$series.mbx" || code=1
	verdict $code "mailbox $series: $am_of_b4"
	code=0; takes "$from" "$to" "$mbox" || code=1
	verdict $code "mailbox $series: $am"
	[ -n "$bad" ] || { cached=$remember_as; remember; }
done
