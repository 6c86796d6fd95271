#!/bin/sh
# The one command line of QEMU: becomes a VM with two processors, its console is
# stdio. It dies with the process that started it.
# usage: qemu.sh MIB KERNEL INITRAMFS "KERNEL ARGS" [QEMU ARGUMENT...]
# ACCEL=kvm     KVM instead of QEMU's TCG
. "$(dirname "$0")/common.sh"

[ $# -ge 4 ] || die "usage: qemu.sh MIB KERNEL INITRAMFS \"KERNEL ARGS\" [QEMU ARGUMENT...]"
memory=$1 kernel=$2 initramfs=$3 args=$4
shift 4
for file in "$kernel" "$initramfs"; do
	[ -f "$file" ] || die "$file is missing"
done
# Without la57: with it, a 7.3 kernel boots now and then with a report of KASAN about
# the first interrupt, if that comes in identify_cpu().
machine="qemu-system-x86_64 -accel ${ACCEL:-tcg} -cpu max,-la57" console=ttyS0,115200 reboot=reboot=t
# The instructions that sign pointers as QEMU can do it quickly
[ "$arch" != arm64 ] || machine="qemu-system-aarch64 -M virt,gic-version=3 -cpu max,pauth-impdef=on" \
	console=ttyAMA0 reboot=
command -v "${machine%% *}" >/dev/null || die "${machine%% *} is missing: run scripts/deps.sh $foreign"
# shellcheck disable=SC2086 # a list
set -- $machine -smp 2 -m "$memory" \
	-nodefaults -no-user-config -no-reboot \
	-kernel "$kernel" -initrd "$initramfs" \
	-append "console=$console panic=-1 $reboot $args" "$@"
echo "LAB-QEMU $*"
exec setpriv --pdeathsig KILL "$@"
