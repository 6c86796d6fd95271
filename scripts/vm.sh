#!/bin/sh
# An interactive shell in a VM with the patched kernel. Ctrl-A X ends QEMU.
# usage: vm.sh [FILE...]    files go to the VM's /bin
. "$(dirname "$0")/lib/common.sh"

"$top/scripts/deps.sh"
"$top/scripts/tree.sh" -w
"$top/scripts/build.sh" series vm
"$top/scripts/lib/initramfs.sh" series vm "$build/vm/$BASE/initramfs.cpio" "$@"
say "exit ends the VM, Ctrl-A X kills it"
exec "$top/scripts/lib/qemu.sh" 2048 "$tree/o-vm/arch/x86/boot/bzImage" \
	"$build/vm/$BASE/initramfs.cpio" quiet -nographic -serial mon:stdio
