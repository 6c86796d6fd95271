#!/bin/sh
# Removes what was built: object directories, logs, and the trees as far as
# make tree brings them back, of this BASE. With work in a tree it removes nothing.
. "$(dirname "$0")/lib/common.sh"

[ -e "$build" ] || exit 0
if [ -e "$tree/.git" ]; then
	"$top/scripts/tree.sh" || die "nothing was removed"
	others=$(tree_git for-each-ref --format='%(refname:short)' refs/heads refs/stash |
		grep -vx series || :)
	# shellcheck disable=SC2086 # on one line
	[ -z "$others" ] ||
		die "nothing was removed: $tree has more than the queue:" $others
fi
rm -rf "$tree" "$build/$BASE"-* "$build/o-um-prove-$BASE"-* "$build/o-um-$BASE"-* "$logs" "$logs"-*
for product in um mbox vm demo bench deb drivers mutants mutants-mm proofs; do
	rm -rf "${build:?}/$product/$BASE"
done
