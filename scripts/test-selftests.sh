#!/bin/sh
# Builds the kselftests of the series, runs them in a VM with the debug kernel
# and prints a line "ok ..." or "not ok ..." for each test and the console.
# All of them, if not of a variant, are run as on a machine where the kselftests are
# installed: run_kselftest.sh, run_vmtests.sh, the timeout of mm/settings.
# usage: test-selftests.sh series|scratch [[PROGRAM.]TEST...]
# PROGRAM: oom_notifier if not given
. "$(dirname "$0")/lib/common.sh"

which=$1
shift
tests=$(echo "$*" | tr ' ' ,)
src=$(tree_of "$which")
out=$logs/selftests-$which
console=$out/console.log
rm -rf "$out"
mkdir -p "$out"

if ! installed=$("$top/scripts/lib/selftests.sh" "$src"); then
	not_ok "selftests: they build without a warning (see $src/o-selftests*.log)"
	exit 0
fi
ok "selftests: they build without a warning"
# The last patch may have been dropped, and its program with it.
programs=
for name in oom_notifier oom_unstable; do
	if [ -e "$installed/mm/$name" ]; then
		programs="$programs $name"
		cp "$installed/mm/$name" "$out/selftest-$name"
	else
		ok "selftests: $name # SKIP it is not in this tree"
	fi
done

# pack: what is installed, and what its scripts want beside busybox, from this machine
pack() {
	mkdir "$out/root"
	cp -R "$installed" "$out/root/kselftest"
	set -- /bin/bash /usr/bin/timeout /usr/bin/sed
	# shellcheck disable=SC2046 # a list
	cp -L --parents "$@" $(ldd "$@" | grep -oE '/lib[^ ]+' | sort -u) "$out/root"
	tar -C "$out/root" -czf "$out/kselftest.tar.gz" .
	rm -rf "$out/root"
}
set --
if [ -z "$tests$VARIANT" ]; then
	pack
	set -- "$out/kselftest.tar.gz"
fi

"$top/scripts/lib/initramfs.sh" "$which" "$debug" "$out/initramfs.cpio" \
	"$top/lab/guest/run/run-selftests" "$top/lab/guest/gcov" "$out"/selftest-* "$@"
args="lab.run=/bin/run-selftests$("$top/scripts/lib/coverage.sh" names selftests) printk.devkmsg=on log_buf_len=4M"
if "$top/scripts/lib/boot.sh" -t 1200 -a "$args${tests:+ lab.tests=$tests}" \
		"$src/o-$debug/$image" "$out/initramfs.cpio" "$console"; then
	ok "selftests: the VM boots and ends"
else
	not_ok "selftests: the VM boots and ends (see $console)"
fi

python3 "$top/lab/report" selftests "$console" | tee "$out/results"

# said PROGRAM: what it printed, and the scripts around it
said() {
	tr -d '\r' <"$console" | sed -n 's/^\(\[[^]]*\] \)*LAB: //p' |
		sed -n "/^run $1\$/,/^exit /p"
}

# judge PROGRAM: its category of run_vmtests.sh, with as many tests as it has
judge() {
	has=$(grep -cE '^	\{ "[a-z0-9_]+",' "$src/tools/testing/selftests/mm/$1.c" || :)
	passed=$(grep -cE "^ok selftests: $1\.[a-z0-9_]+\$" "$out/results" || :)
	limit=$(sed -n 's/^timeout=//p' "$installed/mm/settings")
	said "$1" >"$out/said-$1"
	seconds=$(sed -n 's/^# seconds: //p' "$out/said-$1")
	if [ "$passed" = "$has" ] && [ "$has" -gt 0 ] &&
			grep -qx "# timeout set to $limit" "$out/said-$1" &&
			grep -qx "# ok 1 $1" "$out/said-$1" &&
			grep -qE '^ok 1 selftests: mm: [a-z_]+\.sh$' "$out/said-$1" &&
			[ "$seconds" -le "$limit" ]; then
		ok "selftests: run_vmtests.sh -t $1: $passed tests in $seconds s, settings has $limit"
	else
		not_ok "selftests: run_vmtests.sh -t $1: $passed of $has tests pass in ${seconds:-?} s, settings has $limit (see $out/said-$1)"
	fi
	if grep -qx '# removed: test_mmu_notifier' "$out/said-$1"; then
		ok "selftests: run_vmtests.sh -t $1 removes the device that it has loaded"
	else
		not_ok "selftests: run_vmtests.sh -t $1 removes the device that it has loaded"
	fi
}
if [ $# -gt 0 ]; then
	for name in $programs; do
		judge "$name"
	done
fi

if "$top/scripts/lib/check-console.sh" "$console"; then
	ok "selftests: nothing bad on the console"
else
	not_ok "selftests: nothing bad on the console (see $console)"
fi

[ -n "$tests" ] || "$top/scripts/lib/coverage.sh" selftests "$src" "$src/o-$debug" "$console" "$out"
