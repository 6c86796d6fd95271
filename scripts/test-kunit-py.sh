#!/bin/sh
# The KUnit suites as everybody runs them: the tree's own kunit.py with
# mm/tests/.kunitconfig, which builds a small kernel and boots it in QEMU. Prints a
# line "ok ..." or "not ok ..." for each case and for the console.
# usage: test-kunit-py.sh series|scratch
# ACCEL=kvm     KVM instead of QEMU's TCG
. "$(dirname "$0")/lib/common.sh"

which=$1
src=$(tree_of "$which")
out=$logs/kunit-py-$which
console=$out/console.log
rm -rf "$out"
mkdir -p "$out"

say "kunit.py builds and boots a kernel (three minutes; fifteen if nothing is cached)"
if "$top/scripts/lib/kunit-py.sh" run "$src" o-kunit 600 >"$console" 2>"$out/kunit.log"; then
	ok "kunit.py: it says that all has passed"
else
	not_ok "kunit.py: it says that all has passed (see $out/kunit.log)"
fi
python3 "$top/lab/report" kunit "$console" kunit.py
for suite in $(sed -n 's/^CONFIG_\(.*\)_KUNIT_TEST=y$/\1/p' "$src/mm/tests/.kunitconfig" | tr '[:upper:]' '[:lower:]'); do
	grep -qE "^(\[[^]]*\] )?ok [0-9]+ (- )?$suite( |\$)" "$console" ||
		not_ok "kunit.py: the suite $suite has run (see $console)"
done
if "$top/scripts/lib/check-console.sh" "$console"; then
	ok "kunit.py: nothing bad on the console"
else
	not_ok "kunit.py: nothing bad on the console (see $console)"
fi
