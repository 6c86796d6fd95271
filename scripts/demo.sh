#!/bin/sh
# The main job: plays the same scenarios on the unpatched and on the patched
# kernel and reports what came out. Reuses whatever is there already.
# usage: demo.sh [ACT]     with one of acts[] in lab/guest/demo/demo.c: plays that one
# alone, prints its figures, and makes no report
# Exit code: 0 only if the patched kernel does what the series promises.
. "$(dirname "$0")/lib/common.sh"

act=${1:-}
out=$build/demo/$BASE${act:+/$act}
# The scenarios take three minutes at most, more on a busy machine.
limit=${LIMIT:-600}

step() { say "$1/5 $2"; }

# play base|series: boots that kernel, the console goes to $out/KERNEL.log.
play() {
	"$top/scripts/lib/initramfs.sh" "$1" vm "$out/$1.cpio" "$out/demo"
	"$top/scripts/lib/boot.sh" -t "$limit" -a "lab.run=/bin/demo${act:+,$act}" \
		"$(tree_of "$1")/o-vm/arch/x86/boot/bzImage" \
		"$out/$1.cpio" "$out/$1.log" ||
		die "the scenarios did not end on the $1 kernel"
}

trap 'exit 130' INT
trap 'exit 143' TERM HUP

what="the scenarios" hint=" (three minutes, of which one for the queue)"
if [ -n "$act" ]; then
	acts=$(sed -n 's/^\t{ "\([^"]*\)", play_.*/\1/p' "$top/lab/guest/demo/demo.c" | paste -sd' ' -)
	case " $acts " in *" $act "*) ;; *) die "no such act: $act (there is: $acts)" ;; esac
	what="the act $act" hint=
fi

step 1 "tools and tree"
"$top/scripts/deps.sh" lab demo
"$top/scripts/tree.sh" -w

step 2 "both kernels"
"$top/scripts/build.sh" base vm
"$top/scripts/build.sh" series vm
mkdir -p "$out"
gcc -static -O2 -Wall -Wextra -pthread -I"$tree/lib" -o "$out/demo" \
	"$top"/lab/guest/demo/*.c || die "lab/guest/demo/demo.c does not compile"

step 3 "$what on the unpatched kernel$hint"
play base
step 4 "the same on the patched kernel"
play series

step 5 "report"
if [ -n "$act" ]; then
	for variant in base series; do
		tr -d '\r' <"$out/$variant.log" | sed -n "s/^LAB-DATA /$variant: /p"
	done
	exit 0
fi
"$top/scripts/lib/report.sh" "$out/base.log" "$out/series.log"
