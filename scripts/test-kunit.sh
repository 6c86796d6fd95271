#!/bin/sh
# Boots a debug kernel, whose KUnit suites run by themselves, and prints a line
# "ok ..." or "not ok ..." for each case, for the console, and for how much of the
# files in lab/coverage.list was reached.
# usage: test-kunit.sh series|scratch [GLOB]      SUITE or SUITE.CASE
# ARGS="SUITE_kunit.NAME=VALUE ..."   parameters of suites
. "$(dirname "$0")/lib/common.sh"

which=$1 glob=${2:-}
src=$(tree_of "$which")
objects=$src/o-$debug
out=$logs/kunit-$which
console=$out/console.log
rm -rf "$out"
mkdir -p "$out"

"$top/scripts/lib/initramfs.sh" "$which" "$debug" "$out/initramfs.cpio" "$top/lab/guest/gcov"
if "$top/scripts/lib/boot.sh" -t 600 -a "lab.run=/bin/gcov$("$top/scripts/lib/coverage.sh" names kunit) kunit.enable=1${glob:+ kunit.filter_glob=$glob}${ARGS:+ $ARGS}" \
		"$objects/$image" "$out/initramfs.cpio" "$console"; then
	ok "kunit: the VM boots and ends"
else
	not_ok "kunit: the VM boots and ends (see $console)"
fi

python3 "$top/lab/report" kunit "$console" kunit

if "$top/scripts/lib/check-console.sh" "$console"; then
	ok "kunit: nothing bad on the console"
else
	not_ok "kunit: nothing bad on the console (see $console)"
fi

[ -n "$glob" ] || "$top/scripts/lib/coverage.sh" kunit "$src" "$objects" "$console" "$out"
