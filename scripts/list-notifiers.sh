#!/bin/sh
# Prints every MMU notifier that a tree has outside of its tests: a line
#   FILE list|interval CALLBACK
# for each struct of operations. CALLBACK is the one that the OOM reaper calls,
# "-" if the struct has none.
# usage: list-notifiers.sh TREE
. "$(dirname "$0")/lib/common.sh"

[ $# = 1 ] || die "usage: list-notifiers.sh TREE"
cd "$1" || die "no such tree: $1"
plain_git grep -lE 'struct mmu_(interval_)?notifier_ops [a-z_0-9]+ *=' -- \
	'*.c' ':!mm/tests' ':!lib/test_mmu_notifier.c' ':!samples' ':!Documentation' |
while read -r file; do
	awk -v file="$file" '
		/struct mmu_(interval_)?notifier_ops [a-z_0-9]+ *=/ {
			kind = /mmu_interval_notifier_ops/ ? "interval" : "list"
			callback = "-"
			inside = 1
		}
		inside && /\.(invalidate|invalidate_start|invalidate_range_start)[ \t]*=/ {
			callback = $0
			sub(/.*=[ \t]*/, "", callback)
			sub(/[^a-z_0-9].*/, "", callback)
		}
		inside && /};/ { print file, kind, callback; inside = 0 }' "$file"
done
