#!/bin/sh
# The KUnit suites as everybody runs them: the tree's own kunit.py with
# mm/tests/.kunitconfig, which builds a small kernel and boots it in QEMU.
# usage: test-kunit-py.sh series|scratch
. "$(dirname "$0")/lib.sh"

which=$1
src=$(tree_of "$which")
out=$logs/kunit-py-$which
rm -rf "$out"
mkdir -p "$out"

say "kunit.py builds and boots a kernel (three minutes; ten if nothing is cached)"
(cd "$src" && python3 tools/testing/kunit/kunit.py run --arch x86_64 --kunitconfig mm/tests \
	--build_dir o-kunit --jobs "$JOBS" --timeout 600 --raw_output=all \
	--make_options CC="ccache gcc") >"$out/console.log" 2>"$out/kunit.log" </dev/null ||
	not_ok "kunit.py: it ends well (see $out/kunit.log)"

# The suites are not indented, their cases by four.
for suite in $(sed -n 's/^CONFIG_\(.*\)_KUNIT_TEST=y$/\1/p' "$src/mm/tests/.kunitconfig" | tr '[:upper:]' '[:lower:]'); do
	if grep -qE "^ok [0-9]+ (- )?$suite( |\$)" "$out/console.log"; then
		ok "kunit.py: $suite"
	else
		not_ok "kunit.py: $suite (see $out/console.log)"
	fi
done
if grep -qE '# SKIP' "$out/console.log"; then
	not_ok "kunit.py: no case is skipped (see $out/console.log)"
else
	ok "kunit.py: no case is skipped"
fi
