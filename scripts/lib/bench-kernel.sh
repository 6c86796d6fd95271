#!/bin/sh
# Makes what the bench boots one kernel with: modules and an initramfs.
# usage: bench-kernel.sh NAME base|series|scratch|PATH
# PATH is a built kernel: its object directory or bzImage. The results go to
# build/bench/BASE/NAME: bzImage, initramfs.cpio, objects (a link).
. "$(dirname "$0")/common.sh"

[ $# = 2 ] || die "usage: bench-kernel.sh NAME base|series|scratch|PATH"
name=$1 which=$2
out=$build/bench/$BASE/$name
log=$out/build.log
mkdir -p "$out/modules"

# objects_of PATH: the object directory of a built kernel
objects_of() {
	dir=$1
	[ ! -f "$dir" ] || dir=$(dirname "$(readlink -f "$dir")")/../../..
	for dir in "$dir" "$dir/o-vm"; do
		[ ! -e "$dir/arch/x86/boot/bzImage" ] || { readlink -f "$dir"; return; }
	done
	die "$1 is not a built kernel: name its object directory, or the bzImage in there"
}

case $which in
base | series | scratch)
	"$top/scripts/build.sh" "$which" vm
	objects=$(tree_of "$which")/o-vm
	kmake "$(tree_of "$which")" vm arch/x86/kvm/kvm.ko arch/x86/kvm/kvm-amd.ko \
		virt/lib/irqbypass.ko >"$log" 2>&1 ||
		die "KVM does not build against $which: see $log"
	;;
*)
	objects=$(objects_of "$which")
	;;
esac
ln -sfn "$objects" "$out/objects"
# A copy: somebody may build in there while the bench is at work.
cp --remove-destination "$objects/arch/x86/boot/bzImage" "$out/bzImage"
[ -e "$objects/.config" ] || die "$objects has no .config: it is not a built kernel"
for symbol in MODULES MEMCG TRACING MMU_NOTIFIER; do
	grep -q "^CONFIG_$symbol=y" "$objects/.config" ||
		die "$objects: the bench needs CONFIG_$symbol=y"
done

# The same sources for every kernel that is compared.
printf 'obj-m += lab_span.o lab_sizes.o test_mmu_notifier.o\n' >"$out/modules/Kbuild"
for file in "$top"/lab/bench/*.c "$tree"/lib/test_mmu_notifier*.[ch]; do
	cmp -s "$file" "$out/modules/${file##*/}" || cp "$file" "$out/modules/"
done
# Without its own list of symbols vmlinux's will do: no module is needed.
symbols=
[ -e "$objects/Module.symvers" ] || symbols=$objects/vmlinux.symvers
make --no-print-directory -C "$objects" M="$out/modules" CC="${CC:-ccache gcc}" \
	KBUILD_EXTRA_SYMBOLS="$symbols" modules >>"$log" 2>&1 </dev/null ||
	die "the modules of the bench do not build against $objects: see $log"

set -- "$out/modules/lab_span.ko"
for file in virt/lib/irqbypass.ko arch/x86/kvm/kvm.ko arch/x86/kvm/kvm-amd.ko \
		arch/x86/kvm/kvm-intel.ko; do
	[ ! -e "$objects/$file" ] || set -- "$@" "$objects/$file"
done
[ -e "$objects/test-device/test_mmu_notifier.ko" ] ||
	set -- "$@" "$out/modules/test_mmu_notifier.ko"
"$top/scripts/lib/initramfs.sh" "$objects" vm "$out/initramfs.cpio" \
	"$top/lab/guest/run/run-bench" "$build/bench/$BASE/bench" "$@"
