#!/bin/sh
# Builds the kselftests of the series, runs them in a VM with the debug kernel
# and prints a line "ok ..." or "not ok ..." for each test and the console.
# usage: test-selftests.sh series|scratch [[PROGRAM.]TEST...]
# PROGRAM: oom_notifier if not given
. "$(dirname "$0")/lib.sh"

which=$1
shift
tests=$(echo "$*" | tr ' ' ,)
src=$(tree_of "$which")
out=$logs/selftests-$which
console=$out/console.log
rm -rf "$out"
mkdir -p "$out"

# Static programs. The last patch may have been dropped, and its program with it.
dir=$src/tools/testing/selftests/mm
for name in oom_notifier oom_unstable; do
	if [ ! -e "$dir/$name.c" ]; then
		ok "selftests: $name # SKIP it is not in this tree"
		continue
	fi
	set -- "$dir/$name.c" "$dir/oom_notifier_util.c"
	if ! ${cross}gcc -O2 -Wall -static -pthread -I "$src" -I "$src/tools/testing/selftests" \
			-o "$out/selftest-$name" "$@" >"$out/build-$name.log" 2>&1; then
		not_ok "selftests: $name builds (see $out/build-$name.log)"
		exit 0
	fi
	if [ -s "$out/build-$name.log" ]; then
		not_ok "selftests: $name builds without a warning (see $out/build-$name.log)"
	else
		ok "selftests: $name builds without a warning"
	fi
done

"$top/scripts/initramfs.sh" "$which" "$debug" "$out/initramfs.cpio" \
	"$top/lab/guest/run-selftests" "$top/lab/guest/gcov" "$out"/selftest-*
args="lab.run=/bin/run-selftests$("$top/scripts/coverage.sh" names selftests) printk.devkmsg=on log_buf_len=4M"
if "$top/scripts/boot.sh" -t 1200 -a "$args${tests:+ lab.tests=$tests}" \
		"$src/o-$debug/$image" "$out/initramfs.cpio" "$console"; then
	ok "selftests: the VM boots and ends"
else
	not_ok "selftests: the VM boots and ends (see $console)"
fi

python3 "$top/lab/report" selftests "$console"

if "$top/scripts/check-console.sh" "$console"; then
	ok "selftests: nothing bad on the console"
else
	not_ok "selftests: nothing bad on the console (see $console)"
fi

[ -n "$tests" ] || "$top/scripts/coverage.sh" selftests "$src" "$src/o-$debug" "$console" "$out"
