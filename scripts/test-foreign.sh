#!/bin/sh
# Tests that are not ours: those of the kernel tree for memory cgroups, killing
# and freezing cgroups, and process_mrelease(2). They run on both kernels (foreign
# configuration) and have to come out the same. What does not pass on the unpatched
# one has to be in lab/foreign.expected, with the reason. Kept in results/BASE/foreign.txt.
# usage: test-foreign.sh
. "$(dirname "$0")/lib/common.sh"

out=$logs/foreign
selftests=$base_tree/tools/testing/selftests
rm -rf "$out"
mkdir -p "$out"

# The sources are the base's: the tests are not the series' own. Not optimized, as in
# their Makefile: what they allocate and write to must not be optimized away.
cc() { gcc -static -pthread -I "$selftests" -I "$selftests/cgroup" "$@"; }
for name in test_core test_freezer test_kill test_memcontrol; do
	cc -o "$out/foreign-$name" "$selftests/cgroup/$name.c" \
		"$selftests/cgroup/cgroup_util.c" || exit 1
done >"$out/build.log" 2>&1 || die "the kernel's tests do not build: see $out/build.log"
# All that it wants of vm_util.c, which wants the headers of the new kernel.
echo "unsigned int __page_size, __page_shift;" >"$out/psize.c"
cc -I "$selftests/mm" -o "$out/foreign-mrelease_test" "$selftests/mm/mrelease_test.c" \
	"$out/psize.c" >>"$out/build.log" 2>&1 ||
	die "the kernel's tests do not build: see $out/build.log"

# They read and write files, which have to be on a disk: that of a memcg's page cache.
# zram has sectors of 4 KiB.
if ! PATH=$PATH:/usr/sbin:/sbin mke2fs -q -t ext2 -b 4096 "$out/disk" 192M || ! gzip -9 "$out/disk"; then
	die "cannot make a file system in $out/disk"
fi

# play base|series: its results go to $out/KERNEL, "ok PROGRAM.TEST" and the like
play() {
	"$top/scripts/lib/initramfs.sh" "$1" foreign "$out/$1.cpio" "$top/lab/guest/run/run-foreign" \
		"$out/disk.gz" "$out"/foreign-*
	"$top/scripts/lib/boot.sh" -t 900 -a "lab.run=/bin/run-foreign" \
		"$(tree_of "$1")/o-foreign/arch/x86/boot/bzImage" "$out/$1.cpio" "$out/$1.log" >&2 || :
	python3 "$top/lab/report" foreign "$out/$1.log" >"$out/$1"
}

say "the kernel's own tests on the unpatched kernel"
play base
say "and on the patched one"
play series

awk '
	FILENAME ~ /expected$/ { if (!/^#/ && NF) { name = $1; $1 = ""; reason[name] = $0 } next }
	{ result = $1 == "not" ? "not ok" : $1; name = $NF; names[name] }
	FILENAME ~ /base$/ { base[name] = result; next }
	{ series[name] = result }
	END {
		for (name in names) {
			total++
			if (base[name] != series[name])
				print "not ok foreign: " name ": " base[name] " unpatched, " series[name] " patched"
			else if (base[name] != "ok" && !(name in reason))
				print "not ok foreign: " name ": " base[name] " on both, and lab/foreign.expected does not say why"
			else
				print "ok foreign: " name (base[name] == "ok" ? "" : " # SKIP " base[name] " on both:" reason[name])
		}
		if (total < 20)
			print "not ok foreign: only " total " tests have run (see build/log/BASE)"
	}' "$top/lab/foreign.expected" "$out/base" "$out/series" | sort | tee "$out/table"
mkdir -p "$top/results/$BASE"
cp "$out/table" "$top/results/$BASE/foreign.txt"
"$top/scripts/lib/environment.sh" >"$top/results/$BASE/foreign-environment.txt"
"$top/scripts/lib/results.sh"
! grep -q '^not ok ' "$out/table"
