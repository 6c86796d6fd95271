#!/bin/sh
# rdma-core's own tests of on-demand paging, in Python, on soft-RoCE in a VM with the debug
# kernel. Each of PYVERBS is a Debian suite whose version of them is run: 12 has soft-RoCE's
# first ones, 13 also takes the pages away between transfers, 14 also prefetches. On the
# series once more with every invalidation rehearsed: what passes on the base has to pass
# there, both times. Prints a line "ok ..." or "not ok ..." for each test; with series,
# how it was on both kernels is kept in results/BASE/pyverbs.txt.
# usage: test-pyverbs.sh base|series|scratch      base first
# PYVERBS="SUITE..."    default: bookworm trixie forky
. "$(dirname "$0")/lib/common.sh"

[ $# = 1 ] || die "usage: test-pyverbs.sh base|series|scratch"
which=$1
suites=${PYVERBS:-bookworm trixie forky}
src=$(tree_of "$which")
objects=$src/o-debug
out=$logs/pyverbs-$which
console=$out/console.log
label=pyverbs words=,rehearsed compare=$logs/pyverbs-base/verdicts
[ "$which" != base ] || label="pyverbs on the base" words='' compare=''

[ -e "$src/drivers/infiniband/sw/rxe/rxe_odp.c" ] ||
	die "soft-RoCE of Linux $BASE has no on-demand paging: set BASE to one that has"
[ -z "$compare" ] || [ -s "$compare" ] ||
	die "there is nothing to compare to: run scripts/test-pyverbs.sh base first"
for suite in $suites; do
	"$top/scripts/lib/pyverbs-root.sh" "$suite"
done
"$top/scripts/build.sh" "$which" debug
rm -rf "$out"
mkdir -p "$out"

say "building what runs in the VM ($which)"
if ! modules=$("$top/scripts/lib/rxe-modules.sh" "$which" "$out/build.log"); then
	not_ok "$label: the modules build (see $out/build.log)"
	exit 0
fi
# shellcheck disable=SC2086 # a list
"$top/scripts/lib/initramfs.sh" "$which" debug "$out/initramfs.cpio" \
	"$top/lab/guest/run/run-pyverbs" "$top/lab/guest/pyverbs/odp-tests" \
	"$top/lab/guest/rxe-device" "$top/lab/guest/rehearsals" $modules
for suite in $suites; do
	cat "$cache/pyverbs/$suite.cpio"
done >>"$out/initramfs.cpio"

say "rdma-core's tests on the $which kernel (some minutes each time)"
if "$top/scripts/lib/boot.sh" -t 9000 -m 3072 \
		-a "lab.run=/bin/run-pyverbs$words kunit.enable=0 printk.devkmsg=on log_buf_len=4M" \
		"$objects/arch/x86/boot/bzImage" "$out/initramfs.cpio" "$console"; then
	ok "$label: the VM boots and ends"
else
	not_ok "$label: the VM boots and ends (see $console)"
fi
if "$top/scripts/lib/check-console.sh" "$console"; then
	ok "$label: nothing bad on the console"
else
	not_ok "$label: nothing bad on the console (see $console)"
fi
# shellcheck disable=SC2086 # a file or none
python3 "$top/lab/report" pyverbs "$console" "$label" "$out/verdicts" $compare
[ "$which" != base ] || exit 0

# A rehearsal of other callbacks only would show nothing.
times=$(tr -d '\r' <"$console" | sed -n 's/^.*LAB: called rxe_ib_invalidate_range \([0-9]*\)$/\1/p')
if [ "${times:-0}" -gt 0 ]; then
	ok "$label: rxe_ib_invalidate_range was rehearsed ($times times)"
else
	not_ok "$label: rxe_ib_invalidate_range was rehearsed"
fi
[ "$which" = series ] || exit 0

# All of it for results/BASE
kept=$top/results/$BASE/pyverbs
mkdir -p "${kept%/*}"
{
	echo "# TEST: on the base; on the series; there with every invalidation rehearsed"
	awk -F'\t' '
		FILENAME == ARGV[1] { base[$1] = $2; next }
		{ here[$1] = $2 }
		END {
			for (name in base) {
				again = name
				sub(/\./, "-rehearsed.", again)
				print name ": " base[name] "; " here[name] "; " here[again]
			}
		}' "$compare" "$out/verdicts" | sort
} >"$kept.txt"
versions=$(tr -d '\r' <"$console" | sed -n 's/^.*LAB: suite \(.*\) rdma-core \(.*\)$/\1 \2/p' |
	paste -sd, -)
"$top/scripts/lib/environment.sh" "rdma-core: $versions" >"$kept-environment.txt"
"$top/scripts/lib/results.sh"
