#!/bin/sh
# The one command line of QEMU: becomes a VM with two processors, its console is
# stdio. It dies with the process that started it.
# usage: qemu.sh MIB KERNEL INITRAMFS "KERNEL ARGS" [QEMU ARGUMENT...]
# ACCEL=kvm     KVM instead of QEMU's TCG
. "$(dirname "$0")/lib.sh"

[ $# -ge 4 ] || die "usage: qemu.sh MIB KERNEL INITRAMFS \"KERNEL ARGS\" [QEMU ARGUMENT...]"
memory=$1 kernel=$2 initramfs=$3 args=$4
shift 4
command -v qemu-system-x86_64 >/dev/null ||
	die "qemu-system-x86_64 is missing: run scripts/deps.sh"
for file in "$kernel" "$initramfs"; do
	[ -f "$file" ] || die "$file is missing"
done
# Without la57: with it, a 7.3 kernel boots now and then with a report of KASAN about
# the first interrupt, if that comes in identify_cpu().
set -- qemu-system-x86_64 -accel "${ACCEL:-tcg}" -cpu max,-la57 -smp 2 -m "$memory" \
	-nodefaults -no-user-config -no-reboot \
	-kernel "$kernel" -initrd "$initramfs" \
	-append "console=ttyS0,115200 panic=-1 reboot=t $args" "$@"
echo "LAB-QEMU $*"
exec setpriv --pdeathsig KILL "$@"
