#!/bin/sh
# What reaping costs, in instructions, on both kernels: process_mrelease() is
# timed in a VM whose clock counts instructions (QEMU's -icount), so the figures
# do not depend on how busy the machine is. And how much the kernel's text grows.
# Exit code: 0 only if both are as the series promises.
. "$(dirname "$0")/lib.sh"

out=$build/cost/$BASE
results=$top/results/$BASE
mkdir -p "$out" "$results"

"$top/scripts/deps.sh"
"$top/scripts/tree.sh" -w
"$top/scripts/build.sh" base vm
"$top/scripts/build.sh" series vm
gcc -static -O2 -Wall -Wextra -I"$tree/lib" -o "$out/cost" "$top/lab/guest/cost.c" ||
	die "lab/guest/cost.c does not compile"

for kernel in base series; do
	say "counting instructions on the $kernel kernel (two minutes or so)"
	"$top/scripts/initramfs.sh" $kernel vm "$out/$kernel.cpio" "$out/cost"
	"$top/scripts/boot.sh" -t 900 -a lab.run=/bin/cost \
		-q "-icount shift=0,sleep=off -smp 1" \
		"$(tree_of $kernel)/o-vm/arch/x86/boot/bzImage" \
		"$out/$kernel.cpio" "$out/$kernel.log" ||
		die "the count did not end on the $kernel kernel"
	tr -d '\r' <"$out/$kernel.log" | sed -n "s/^LAB-DATA /$kernel /p" >"$out/$kernel.data"
	[ -s "$out/$kernel.data" ] || die "nothing was counted: see $out/$kernel.log"
done

"$top/scripts/text-growth.sh" "$base_tree/o-vm/vmlinux" "$tree/o-vm/vmlinux" \
	"$out/bloat" >"$out/text"

read -r text tracepoints _ <"$out/text"
python3 "$top/lab/report" cost "$text" "$tracepoints" "$out/base.data" "$out/series.data" \
	>"$out/cost.md" && code=0 || code=1
cat "$out/cost.md"
cp "$out/cost.md" "$results/cost.md"
"$top/scripts/environment.sh" >"$results/cost-environment.txt"
cat "$out/base.data" "$out/series.data" >"$results/cost.txt"
"$top/scripts/results.sh"
[ "$code" = 0 ] || die "the table has a figure that is not met"
