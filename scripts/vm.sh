#!/bin/sh
# An interactive shell in a VM with the patched kernel. Ctrl-A X ends QEMU.
# oom_notifier_run is in its /bin.
# usage: vm.sh [FILE...]    *.ko go to the VM's /lib/lab, all else to its /bin
# DEBUG=1     the kernel of make check, with the options that docs/kit.md names
. "$(dirname "$0")/lib/common.sh"

config=vm
[ -z "${DEBUG:-}" ] || config=debug

"$top/scripts/deps.sh"
"$top/scripts/tree.sh" -w
"$top/scripts/build.sh" series $config
tester=$("$top/scripts/lib/selftests.sh" "$tree")/mm/oom_notifier_run
[ ! -e "$tester" ] || set -- "$tester" "$@"
"$top/scripts/lib/initramfs.sh" series $config "$build/vm/$BASE/initramfs.cpio" "$@"
say "exit ends the VM, Ctrl-A X kills it"
exec "$top/scripts/lib/qemu.sh" 2048 "$tree/o-$config/arch/x86/boot/bzImage" \
	"$build/vm/$BASE/initramfs.cpio" quiet -nographic -serial mon:stdio
