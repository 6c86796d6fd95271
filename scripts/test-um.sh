#!/bin/sh
# KUnit, or kselftests, in User Mode Linux: the same lines "ok ..." and "not ok ..." as
# those of test-kunit.sh and test-selftests.sh, of what it has (see um.sh).
# usage: test-um.sh TREE OBJECTS OUT kunit
#        test-um.sh TREE OBJECTS OUT selftests [PROGRAM.]TEST...
# TREE, OBJECTS: as for um.sh build, which has built them. OUT: a directory for the logs.
. "$(dirname "$0")/lib/common.sh"

[ $# -ge 4 ] || die "usage: test-um.sh TREE OBJECTS OUT kunit | selftests [PROGRAM.]TEST..."
src=$1 objects=$2 out=$3 kind=$4
shift 4
console=$out/$kind.log
mkdir -p "$out"

# boot SECONDS ARGUMENT...
boot() {
	limit=$1
	shift
	if "$top/scripts/lib/um.sh" boot "$objects/linux" "$console" "$limit" "$@"; then
		ok "$kind: the VM boots and ends"
	elif no_um_processes "$console"; then
		ok "$kind: # SKIP no process of User Mode Linux runs here (see $console)"
		exit 0
	else
		not_ok "$kind: the VM boots and ends (see $console)"
	fi
}

case $kind in
kunit)
	boot 300 mem=256M kunit.enable=1 kunit_shutdown=halt
	python3 "$top/lab/report" kunit "$console" kunit
	! grep -E -A3 '(EXPECTATION|ASSERTION) FAILED' "$console" >&2 || :
	;;
selftests)
	rm -f "$out"/selftest-*
	installed=$("$top/scripts/lib/selftests.sh" "$src")
	for program in oom_notifier oom_unstable; do
		[ ! -e "$installed/mm/$program" ] ||
			cp "$installed/mm/$program" "$out/selftest-$program"
	done
	"$top/scripts/lib/initramfs.sh" "$objects" um "$out/initramfs.cpio" \
		"$top/lab/guest/run/run-selftests" "$out"/selftest-*
	boot $((120 + 90 * $#)) mem=1200M initrd="$out/initramfs.cpio" rdinit=/init kunit.enable=0 \
		lab.run=/bin/run-selftests lab.tests="$(echo "$*" | tr ' ' ,)"
	grep -q '^LAB-EXIT 0' "$console" || not_ok "selftests: they come to an end (see $console)"
	python3 "$top/lab/report" selftests "$console"
	! grep '# FAILED' "$console" >&2 || :
	;;
*) die "kunit or selftests, not $kind" ;;
esac

if "$top/scripts/lib/check-console.sh" "$console"; then
	ok "$kind: nothing bad on the console"
else
	not_ok "$kind: nothing bad on the console (see $console)"
fi
