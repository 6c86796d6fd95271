#!/bin/sh
# Every in-tree user of MMU notifiers, unpatched beside patched: the same cases
# run with the drivers' sources of both trees, and a table says what each
# callback does, and what a rehearsal finds. What can run for real does so, on
# both kernels.
# usage: drivers.sh [DRIVER...]    with names: only those, and no table
. "$(dirname "$0")/lib/common.sh"

out=$logs/drivers
results=$top/results/$BASE
rm -rf "$out"
mkdir -p "$out" "$results"

"$top/scripts/deps.sh"
"$top/scripts/tree.sh" -w
"$top/scripts/build.sh" series debug
for variant in base series; do
	"$top/scripts/test-drivers.sh" $variant "$@" >"$out/$variant" || exit 1
	say "$variant: $(grep -c '^ok ' "$out/$variant") ok, $(grep -c '^not ok ' "$out/$variant") not ok"
done
! grep '^not ok ' "$out/series" || die "the series fails these"
[ $# = 0 ] || exit 0

"$top/scripts/build.sh" base debug
for variant in base series; do
	say "$variant: KVM and HMM for real (some minutes)"
	"$top/scripts/test-real.sh" $variant >"$out/real-$variant" || exit 1
	say "$variant: $(grep -c '^ok ' "$out/real-$variant") ok, $(grep -c '^not ok ' "$out/real-$variant") not ok"
done
! grep '^not ok ' "$out/real-series" || die "the series fails these"

"$top/scripts/list-notifiers.sh" "$tree" >"$out/notifiers"
for variant in base series; do
	cat "$logs/drivers-$variant/calls" "$logs/real-$variant/calls" >"$out/calls-$variant"
done
python3 "$top/lab/report" drivers "$out/notifiers" "$out/calls-base" "$out/calls-series" \
	>"$out/drivers.md" && code=0 || code=1
cat "$out/drivers.md"
cp "$out/drivers.md" "$results/drivers.md"
"$top/scripts/lib/environment.sh" >"$results/drivers-environment.txt"
"$top/scripts/lib/results.sh"
[ "$code" = 0 ] || die "a callback was not tested, or does not keep the contract, or a rehearsal found something else"
