#!/bin/sh
# An interactive shell in a VM with the patched kernel. Ctrl-A X ends QEMU.
# usage: vm.sh [FILE...]    files go to the VM's /bin
. "$(dirname "$0")/lib.sh"

"$top/scripts/deps.sh"
"$top/scripts/tree.sh" -w
"$top/scripts/build.sh" series vm
"$top/scripts/initramfs.sh" series vm "$build/vm/$BASE/initramfs.cpio" "$@"
say "exit ends the VM, Ctrl-A X kills it"
exec setpriv --pdeathsig KILL qemu-system-x86_64 \
	-accel "${ACCEL:-tcg}" -cpu max -smp 2 -m 2048 \
	-nodefaults -no-user-config -no-reboot -nographic -serial mon:stdio \
	-kernel "$tree/o-vm/arch/x86/boot/bzImage" -initrd "$build/vm/$BASE/initramfs.cpio" \
	-append "console=ttyS0,115200 panic=-1 reboot=t quiet"
