#!/bin/sh
# The queue of one base beside that of the default base: prints a table of what is
# not the same text and why (patches/BASE/notes), and keeps it in
# docs/compare-BASE.md. With both trees there, git range-diff of the two goes to
# build/log/BASE/range-diff.
# usage: compare.sh        BASE=... default: the first other one
# Exit code: 1 if a difference has no reason.
. "$(dirname "$0")/lib/common.sh"

if [ "$BASE" = "$default_base" ]; then
	for dir in "$top"/patches/*/; do
		BASE=$(basename "$dir")
		[ "$BASE" = "$default_base" ] || exec env BASE="$BASE" "$0"
	done
	die "there is no other base in patches/"
fi
need_queue
default_tree=$build/$default_base
mkdir -p "$logs"

"$top/lab/compare.py" "$top/patches/$default_base" "$queue" "$queue/notes" \
	>"$top/docs/compare-$BASE.md" && code=0 || code=1
cat "$top/docs/compare-$BASE.md"
say "wrote docs/compare-$BASE.md"

if [ -e "$tree/.git" ] && [ -e "$default_tree/.git" ]; then
	# Each tree has its own objects: let git look into both.
	objects=$(cd "$default_tree" && cd "$(plain_git rev-parse --git-common-dir)/objects" && pwd)
	old=$(plain_git -C "$default_tree" rev-parse base)..$(plain_git -C "$default_tree" rev-parse series)
	GIT_ALTERNATE_OBJECT_DIRECTORIES=$objects tree_git range-diff --no-color \
		"$old" base..series >"$logs/range-diff" || die "git range-diff failed"
	say "range-diff of what is in the two trees: $logs/range-diff"
else
	say "no range-diff: make tree BASE=$default_base and make tree BASE=$BASE first"
fi
exit "$code"
