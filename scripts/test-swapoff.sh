#!/bin/sh
# swapoff() of zram beside threads that fault large folios in (lab/guest/swapoff), on the
# debug kernel. Prints lines "ok ..." and "not ok ...".
# usage: test-swapoff.sh series|scratch
. "$(dirname "$0")/lib/common.sh"

[ $# = 1 ] || die "usage: test-swapoff.sh series|scratch"
which=$1
# A round is enough without the fix, or two
seconds=60
out=$logs/swapoff-$which
console=$out/console.log
rm -rf "$out"
mkdir -p "$out"

# A kernel that does not count the large folios that are read has nothing to show. Where they
# are not in the swap cache, as in v6.12, there is nothing to find, either.
if ! grep -q MTHP_STAT_SWPIN "$(tree_of "$which")/include/linux/huge_mm.h"; then
	ok "swapoff: mapped_once # SKIP this kernel does not count large folios that are read"
	exit 0
fi

if ! gcc -O2 -Wall -Wextra -Werror -static -pthread -o "$out/swapoff-large" \
		"$top/lab/guest/swapoff/swapoff-large.c" >"$out/build.log" 2>&1; then
	not_ok "swapoff: the program builds (see $out/build.log)"
	exit 0
fi
"$top/scripts/lib/initramfs.sh" "$which" "$debug" "$out/initramfs.cpio" "$out/swapoff-large"
if "$top/scripts/lib/boot.sh" -t 600 \
		-a "lab.run=/bin/swapoff-large,$seconds printk.devkmsg=on log_buf_len=4M kunit.enable=0" \
		"$(tree_of "$which")/o-$debug/$image" "$out/initramfs.cpio" "$console"; then
	ok "swapoff: the VM boots and ends"
else
	not_ok "swapoff: the VM boots and ends (see $console)"
fi
if tr -d '\r' <"$console" | grep -q '^LAB-EXIT 0'; then
	ok "swapoff: mapped_once"
else
	not_ok "swapoff: mapped_once (see $console)"
fi
if "$top/scripts/lib/check-console.sh" "$console"; then
	ok "swapoff: nothing bad on the console"
else
	not_ok "swapoff: nothing bad on the console (see $console)"
fi
