#!/bin/sh
# The KUnit suites as everybody runs them: the tree's own kunit.py with
# mm/tests/.kunitconfig, which builds a small kernel and boots it in QEMU. Prints a
# line "ok ..." or "not ok ..." for each case and for the console.
# usage: test-kunit-py.sh series|scratch [VARIANT]
# VARIANT: a line of lab/variants; x86-64 as the file has it if not given
. "$(dirname "$0")/lib.sh"

which=$1 variant=${2:-}
src=$(tree_of "$which")
name=kunit.py${variant:+ $variant}
out=$logs/kunit-py-$which${variant:+-$variant}
console=$out/console.log
rm -rf "$out"
mkdir -p "$out"

cp "$src/mm/tests/.kunitconfig" "$out/kunitconfig"
suites=$(sed -n 's/^CONFIG_\(.*\)_KUNIT_TEST=y$/\1/p' "$out/kunitconfig" | tr '[:upper:]' '[:lower:]')
arch=x86_64
prefix=
if [ -n "$variant" ]; then
	variant_line=$(grep "^$variant " "$top/lab/variants") || die "no variant $variant in lab/variants"
	# shellcheck disable=SC2086 # words
	set -- $variant_line
	arch=$2 prefix=${4#-}
	shift 4
	# What selects MMU_NOTIFIER there does not exist everywhere.
	sed '/^# MMU_NOTIFIER has no prompt/,/^$/d' "$out/kunitconfig" >"$out/kunitconfig.new"
	for option; do
		sed "/^${option%=*}=/d" "$out/kunitconfig.new" >"$out/kunitconfig"
		echo "$option" >>"$out/kunitconfig"
		mv "$out/kunitconfig" "$out/kunitconfig.new"
	done
	printf '%s\n' CONFIG_RUNTIME_TESTING_MENU=y CONFIG_TEST_MMU_NOTIFIER=y >>"$out/kunitconfig.new"
	mv "$out/kunitconfig.new" "$out/kunitconfig"
fi

say "$name builds and boots a kernel (three minutes; fifteen if nothing is cached)"
if (cd "$src" && python3 tools/testing/kunit/kunit.py run --arch "$arch" --kunitconfig "$out/kunitconfig" \
		${prefix:+--cross_compile "$prefix"} --build_dir "o-kunit${variant:+-$variant}" \
		--jobs "$JOBS" --timeout 600 --raw_output=all \
		--make_options CC="ccache ${prefix}gcc" --make_options KBUILD_BUILD_TIMESTAMP=0) \
		>"$console" 2>"$out/kunit.log" </dev/null; then
	ok "$name: it says that all has passed"
else
	not_ok "$name: it says that all has passed (see $out/kunit.log)"
fi
python3 "$top/lab/report" kunit "$console" "$name"
for suite in $suites; do
	grep -qE "^(\[[^]]*\] )?ok [0-9]+ (- )?$suite( |\$)" "$console" ||
		not_ok "$name: the suite $suite has run (see $console)"
done
if "$top/scripts/check-console.sh" "$console"; then
	ok "$name: nothing bad on the console"
else
	not_ok "$name: nothing bad on the console (see $console)"
fi
