#!/bin/sh
# KVM with a guest in it as a victim (lab/guest/victims/kvm-victim.c) on arm64, on a
# processor that QEMU emulates together with its EL2. Prints lines "ok ..." and
# "not ok ...". On x86-64 test-real.sh does it, and more.
# usage: VARIANT=arm64 test-kvm.sh series|base|scratch
. "$(dirname "$0")/lib/common.sh"

[ "$#$arch" = 1arm64 ] || die "usage: VARIANT=arm64 test-kvm.sh series|base|scratch"
which=$1
expect=series
[ "$which" != base ] || expect=base
objects=$(tree_of "$which")/o-$debug
out=$logs/kvm-$which
console=$out/console.log
rm -rf "$out"
mkdir -p "$out"

if ! "${cross}gcc" -O2 -Wall -Wextra -Werror -static -pthread -I "$tree" -I "$top/lab/guest" \
		-o "$out/kvm-victim" "$top/lab/guest/victims/kvm-victim.c" \
		"$top/lab/guest/victims/real.c" "$top/lab/guest/util.c" \
		>"$out/build.log" 2>&1; then
	not_ok "kvm: the program builds (see $out/build.log)"
	exit 0
fi
"$top/scripts/lib/initramfs.sh" "$which" "$debug" "$out/initramfs.cpio" \
	"$top/lab/guest/run/run-real" "$out/kvm-victim"
if "$top/scripts/lib/boot.sh" -t 900 -q "-machine virtualization=on" \
		-a "lab.run=/bin/run-real,$expect,victim printk.devkmsg=on log_buf_len=4M kunit.enable=0" \
		"$objects/$image" "$out/initramfs.cpio" "$console"; then
	ok "kvm: the VM boots and ends"
else
	not_ok "kvm: the VM boots and ends (see $console)"
fi
python3 "$top/lab/report" real "$console" kvm victim "$out/own"
if "$top/scripts/lib/check-console.sh" "$console"; then
	ok "kvm: nothing bad on the console"
else
	not_ok "kvm: nothing bad on the console (see $console)"
fi
