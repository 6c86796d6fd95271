#!/bin/sh
# KUnit, or all kselftests, of a variant that runs in User Mode Linux, which has no
# huge pages: no-thp, or i386 for 32 bit. Prints lines "ok ..." and "not ok ...".
# usage: VARIANT=no-thp|i386 test-variant.sh kunit|selftests
. "$(dirname "$0")/lib.sh"

[ $# = 1 ] || die "usage: VARIANT=no-thp|i386 test-variant.sh kunit|selftests"
kind=$1
objects=$build/o-um-$BASE-$VARIANT
selftests=$tree/tools/testing/selftests/mm
out=$logs/$kind
rm -rf "$out"
mkdir -p "$out"

say "building User Mode Linux ($VARIANT, some minutes when it is new)"
"$top/scripts/um.sh" build "$tree" "$objects"

# It wants ptrace() and memory that can be executed, which not every container has.
"$top/scripts/um.sh" boot "$objects/linux" "$out/probe" 60 mem=64M kunit.enable=0 || :
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

case $kind in
kunit) "$top/scripts/test-um.sh" "$tree" "$objects" "$out" kunit ;;
selftests)
	tests="$(names oom_notifier '') $(names oom_unstable oom_unstable.)"
	# shellcheck disable=SC2086 # a list
	"$top/scripts/test-um.sh" "$tree" "$objects" "$out" selftests $tests
	;;
*) die "kunit or selftests, not $kind" ;;
esac
