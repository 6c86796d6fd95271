#!/bin/sh
# By how many bytes of functions each series about mm/ makes the kernel larger, without
# debugging options: it is built on top of those that stand before it in the queue. The
# table goes to results/BASE/text.md.
# usage: text-by-series.sh
. "$(dirname "$0")/lib/common.sh"

[ $# = 0 ] || die "usage: text-by-series.sh"
"$top/scripts/deps.sh"
"$top/scripts/tree.sh" -w
scratch_tree
trap 'rm -rf "${tmp:-}"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP
tmp=$(mktemp -d "$build/tmp.XXXXXX")

# vmlinux_of COMMIT: builds it
vmlinux_of() {
	plain_git -C "$scratch" checkout -q --detach "$1"
	"$top/scripts/build.sh" scratch vm
}

vmlinux_of base
cp "$scratch/o-vm/vmlinux" "$tmp/before"
cp "$tmp/before" "$tmp/base"
for series in fixes-mm contract reaper worker unstable; do
	names="${names:-} $series"
	say "$series"
	# shellcheck disable=SC2046,SC2086 # lists
	tip=$("$top/scripts/lib/import.sh" $(patches_of $names)) || exit 1
	vmlinux_of "$tip"
	"$top/scripts/lib/text-growth.sh" "$tmp/before" "$scratch/o-vm/vmlinux" "$tmp/log" >"$tmp/growth"
	read -r text trace _ <"$tmp/growth"
	echo "| $series | $text | $trace |" >>"$tmp/rows"
	cp "$scratch/o-vm/vmlinux" "$tmp/before"
done
"$top/scripts/lib/text-growth.sh" "$tmp/base" "$tmp/before" "$tmp/log" >"$tmp/growth"
read -r text trace _ <"$tmp/growth"
echo "| all of them | $text | $trace |" >>"$tmp/rows"

mkdir -p "$top/results/$BASE"
"$top/scripts/lib/environment.sh" >"$top/results/$BASE/text-environment.txt"
{
	echo "# Bytes of functions, Linux $BASE"
	echo
	echo "Written by scripts/text-by-series.sh, not by hand. Where: text-environment.txt."
	echo "Each series is built on top of those above it, without debugging options."
	echo
	echo "| series | bytes more | of these for tracepoints |"
	echo "|---|---|---|"
	cat "$tmp/rows"
} >"$top/results/$BASE/text.md"
"$top/scripts/lib/results.sh"
cat "$tmp/rows"
