#!/bin/sh
# Does lockdep see the lock of a list notifier's callback? In a VM of its own with
# the debug kernel, as lockdep reports once and is off from then on. Prints lines
# "ok ..." or "not ok ...".
# usage: test-lockdep.sh series|base|scratch
. "$(dirname "$0")/lib.sh"

[ $# = 1 ] || die "usage: test-lockdep.sh series|base|scratch"
which=$1
src=$(tree_of "$which")
objects=$src/o-debug
built=$objects/lockdep
out=$logs/lockdep-$which
console=$out/console.log

[ -e "$objects/vmlinux" ] ||
	die "$objects/vmlinux is missing: run scripts/build.sh $which debug"
rm -rf "$out"
mkdir -p "$out" "$built"

echo 'obj-m += lab_lockdep.o' >"$built/Kbuild"
cmp -s "$top/lab/lockdep/lab_lockdep.c" "$built/lab_lockdep.c" ||
	cp "$top/lab/lockdep/lab_lockdep.c" "$built/"
cmp -s "$objects/vmlinux.symvers" "$objects/Module.symvers" ||
	cp "$objects/vmlinux.symvers" "$objects/Module.symvers"
if ! kmake "$src" debug M="$built" modules >"$out/build.log" 2>&1; then
	not_ok "lockdep: the module builds (see $out/build.log)"
	exit 0
fi

"$top/scripts/initramfs.sh" "$which" debug "$out/initramfs.cpio" \
	"$top/lab/guest/run-lockdep" "$built/lab_lockdep.ko"
if "$top/scripts/boot.sh" -t 300 -a "lab.run=/bin/run-lockdep printk.devkmsg=on log_buf_len=4M" \
		"$objects/arch/x86/boot/bzImage" "$out/initramfs.cpio" "$console"; then
	ok "lockdep: the VM boots and ends"
else
	not_ok "lockdep: the VM boots and ends (see $console)"
fi
tr -d '\r' <"$console" | sed 's/^\[[^]]*\] //' >"$out/lines"

# part FROM TO: what was said between two marks of the guest
part() { sed -n "/^LAB: $1\$/,/^LAB: $2\$/p" "$out/lines"; }

if grep -q 'does not load' "$out/lines" || ! grep -qx 'LAB: end' "$out/lines"; then
	not_ok "lockdep: the module does what it is to do (see $console)"
else
	ok "lockdep: the module does what it is to do"
fi
if [ "$(grep -c '^LAB: lockdep is on: 1$' "$out/lines")" = 2 ]; then
	ok "lockdep: it is on, and finds nothing while the driver does right"
else
	not_ok "lockdep: it is on, and finds nothing while the driver does right (see $console)"
fi
part wrong end >"$out/wrong"
if [ "$(grep -c 'possible circular locking dependency detected' "$out/wrong")" = 1 ] &&
		grep -q 'lab_lockdep_mutex' "$out/wrong" &&
		grep -q 'mmu_notifier_invalidate_range_start' "$out/wrong" &&
		grep -q 'fs_reclaim' "$out/wrong" &&
		[ "$(grep -cE 'WARNING: |BUG: ' "$out/wrong")" = 1 ]; then
	ok "lockdep: an allocation under the lock of a list notifier's callback is reported, once"
else
	not_ok "lockdep: an allocation under the lock of a list notifier's callback is reported, once (see $console)"
fi

if "$top/scripts/check-console.sh" "$console"; then
	ok "lockdep: nothing else on the console"
else
	not_ok "lockdep: nothing else on the console (see $console)"
fi
