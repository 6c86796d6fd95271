#!/bin/sh
# KUnit, or all kselftests, of a variant that runs in User Mode Linux, which has no
# huge pages: no-thp, or i386 for 32 bit. Prints lines "ok ..." and "not ok ...".
# The tests of the series need MMU notifiers. Without them (no-notifiers) suite "reap"
# takes their place: lab/guest/victims/plain-victim.c, and the kernel's own test of
# process_mrelease(2).
# usage: VARIANT=no-thp|i386 test-variant.sh kunit|selftests
#        VARIANT=no-notifiers test-variant.sh reap
. "$(dirname "$0")/lib/common.sh"

[ $# = 1 ] || die "usage: VARIANT=NAME test-variant.sh kunit|selftests|reap"
kind=$1
objects=$build/o-um-$BASE-$VARIANT
selftests=$tree/tools/testing/selftests/mm
out=$logs/$kind
console=$out/$kind.log
rm -rf "$out"
mkdir -p "$out"

say "building User Mode Linux ($VARIANT, some minutes when it is new)"
"$top/scripts/lib/um.sh" build "$tree" "$objects"

# It wants ptrace() and memory that can be executed, which not every container has.
"$top/scripts/lib/um.sh" boot "$objects/linux" "$out/probe" 60 mem=64M kunit.enable=0 || :
if ! grep -q 'Linux version' "$out/probe"; then
	ok "$kind: # SKIP User Mode Linux does not run here (see $out/probe)"
	exit 0
fi

# names PROGRAM PREFIX: its tests. Without one that changes the VMAs while the victim
# exits: User Mode Linux walks them without mmap_lock in flush_tlb_mm(), and panics.
names() {
	sed -n "s/^	{ \"\([a-z0-9_]*\)\",.*/$2\1/p" "$selftests/$1.c" >"$out/names"
	[ -s "$out/names" ] || die "$selftests/$1.c: no tests were found in it"
	grep -vx victim_forks "$out/names"
}

reap_programs() {
	# All that is wanted of vm_util.c, which wants the headers of the new kernel. Not
	# optimized, as in its Makefile
	echo "unsigned int __page_size, __page_shift;" >"$out/psize.c"
	cgroup=$(find "$tree/tools/testing/selftests/cgroup" -name cgroup_util.c)
	set -- -static -pthread -I "$tree" -I "$tree/tools/testing/selftests" -I "${cgroup%/*}" \
		-I "${cgroup%/*}/include" -isystem "$tree/tools/include/uapi"
	gcc -O2 -Wall -Wextra -Werror "$@" -DPLAIN_VICTIM -c -o "$out/plain-victim.o" \
		"$top/lab/guest/victims/plain-victim.c" || return
	gcc -O2 -Wall -Wextra -Werror "$@" -DPLAIN_VICTIM -c -o "$out/real.o" \
		"$top/lab/guest/victims/real.c" || return
	gcc -O2 "$@" -o "$out/selftest-plain-victim" "$out/plain-victim.o" "$out/real.o" \
		"$selftests/oom_notifier_util.c" "$cgroup" "$out/psize.c" || return
	gcc "$@" -o "$out/selftest-mrelease_test" "$selftests/mrelease_test.c" "$out/psize.c"
}

reap() {
	if grep -q '^CONFIG_MMU_NOTIFIER=y' "$objects/.config"; then
		not_ok "reap: the kernel has no MMU notifiers"
		return
	fi
	ok "reap: the kernel has no MMU notifiers"
	if ! reap_programs >"$out/build.log" 2>&1; then
		not_ok "reap: the programs build (see $out/build.log)"
		return
	fi
	"$top/scripts/lib/initramfs.sh" "$objects" um "$out/initramfs.cpio" \
		"$top/lab/guest/run/run-selftests" "$out"/selftest-*
	if "$top/scripts/lib/um.sh" boot "$objects/linux" "$console" 300 mem=1200M \
			initrd="$out/initramfs.cpio" rdinit=/init lab.run=/bin/run-selftests &&
			grep -q '^LAB-EXIT 0' "$console"; then
		ok "reap: the VM boots and ends"
	elif no_um_processes "$console"; then
		ok "reap: # SKIP no process of User Mode Linux runs here (see $console)"
		return
	else
		not_ok "reap: the VM boots and ends (see $console)"
	fi
	python3 "$top/lab/report" selftests "$console" | sed 's/ selftests: / reap: /'
	! grep '# FAILED' "$console" >&2 || :
	if "$top/scripts/lib/check-console.sh" "$console"; then
		ok "reap: nothing bad on the console"
	else
		not_ok "reap: nothing bad on the console (see $console)"
	fi
}

case $kind in
kunit) "$top/scripts/test-um.sh" "$tree" "$objects" "$out" kunit ;;
selftests)
	tests="$(names oom_notifier '') $(names oom_unstable oom_unstable.)"
	# shellcheck disable=SC2086 # a list
	"$top/scripts/test-um.sh" "$tree" "$objects" "$out" selftests $tests
	;;
reap) reap ;;
*) die "kunit, selftests or reap, not $kind" ;;
esac
