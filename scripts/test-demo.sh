#!/bin/sh
# The scenarios of make demo on the debug kernel of a variant, for what the series
# promises without the unpatched kernel beside it. Prints lines "ok ..." and "not ok ...".
# usage: VARIANT=rt|arm64 test-demo.sh series
. "$(dirname "$0")/lib/common.sh"

which=${1:-}
[ "$which" = series ] || die "usage: VARIANT=NAME test-demo.sh series"
objects=$(tree_of "$which")/o-$debug
out=$logs/demo-$which
console=$out/console.log
rm -rf "$out"
mkdir -p "$out"

if ! "${cross}gcc" -O2 -Wall -Wextra -Werror -static -pthread -I "$tree/lib" -o "$out/demo" \
		"$top"/lab/guest/demo/*.c >"$out/build.log" 2>&1; then
	not_ok "demo: the program builds (see $out/build.log)"
	exit 0
fi
"$top/scripts/lib/initramfs.sh" "$which" "$debug" "$out/initramfs.cpio" "$out/demo"
if "$top/scripts/lib/boot.sh" -t 1800 -a "lab.run=/bin/demo log_buf_len=4M kunit.enable=0" \
		"$objects/$image" "$out/initramfs.cpio" "$console"; then
	ok "demo: the VM boots and ends"
else
	not_ok "demo: the VM boots and ends (see $console)"
fi
python3 "$top/lab/report" demo-results "$console"
if "$top/scripts/lib/check-console.sh" "$console"; then
	ok "demo: nothing bad on the console"
else
	not_ok "demo: nothing bad on the console (see $console)"
fi
