#!/bin/sh
# Soft-RoCE, which is a whole driver that needs no hardware: a victim of the OOM
# killer that cannot exit, with an on-demand paging MR that a peer reads and writes
# by RDMA, in a VM with the debug kernel. Prints a line "ok ..." or "not ok ..." for
# each thing judged, see lab/guest/rxe/rxe-victim.c. Not on bases whose soft-RoCE has no
# on-demand paging.
# usage: test-rxe.sh series|scratch
. "$(dirname "$0")/lib/common.sh"

[ $# = 1 ] || die "usage: test-rxe.sh series|scratch"
which=$1
label=rxe
src=$(tree_of "$which")
objects=$src/o-debug
built=$objects/rxe
out=$logs/rxe-$which
console=$out/console.log
log=$out/build.log

[ -e "$src/drivers/infiniband/sw/rxe/rxe_odp.c" ] ||
	die "soft-RoCE of Linux $BASE has no on-demand paging: set BASE to one that has"
"$top/scripts/build.sh" "$which" debug
rm -rf "$out"
mkdir -p "$out" "$built"
libs=$cache/rdma
[ -e "$libs" ] || die "$libs is missing: run scripts/deps.sh lab rdma"

# The linker's warnings are about parts of libnl that nobody calls here.
build_program() {
	multiarch=$(gcc -print-multiarch)
	gcc -O2 -Wall -Wextra -Werror -static -pthread -I "$tree" \
		-I "$top/lab/guest" -I "$top/lab/guest/victims" \
		-isystem "$libs/usr/include" -o "$built/rxe-victim" \
		"$top"/lab/guest/rxe/*.c "$top/lab/guest/victims/real.c" "$top/lab/guest/util.c" \
		-L "$libs/usr/lib/$multiarch" -L "$libs/lib/$multiarch" \
		-lrxe-rdmav34 -libverbs -lnl-route-3 -lnl-3
}

say "building what runs in the VM ($which)"
if ! modules=$("$top/scripts/lib/rxe-modules.sh" "$which" "$log") || ! build_program >>"$log" 2>&1; then
	not_ok "$label: the program and the modules build (see $log)"
	exit 0
fi
# shellcheck disable=SC2086 # a list
"$top/scripts/lib/initramfs.sh" "$which" debug "$out/initramfs.cpio" \
	"$top/lab/guest/run/run-rxe" "$top/lab/guest/rxe-device" "$top/lab/guest/rehearsals" \
	"$built/rxe-victim" $modules

if "$top/scripts/lib/boot.sh" -t 1500 -m 2560 -a "lab.run=/bin/run-rxe kunit.enable=0 printk.devkmsg=on log_buf_len=4M" \
		"$objects/arch/x86/boot/bzImage" "$out/initramfs.cpio" "$console"; then
	ok "$label: the VM boots and ends"
else
	not_ok "$label: the VM boots and ends (see $console)"
fi
python3 "$top/lab/report" real "$console" "$label" "" "$out/own"
if "$top/scripts/lib/check-console.sh" "$console"; then
	ok "$label: nothing bad on the console"
else
	not_ok "$label: nothing bad on the console (see $console)"
fi
