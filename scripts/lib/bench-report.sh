#!/bin/sh
# Turns the samples of the bench into medians, tables, plots and a verdict. A
# run of the two kernels in full goes to results/BASE; others (QUICK, COMPARE,
# BASE_ONLY) go to build/bench/BASE/results.
# usage: bench-report.sh CSV OLD NEW    NEW is "" when OLD was measured alone
# Exit code: 0 only if all is as promised.
. "$(dirname "$0")/common.sh"

[ $# = 3 ] || die "usage: bench-report.sh CSV OLD NEW"
csv=$1 old=$2 new=$3
out=$build/bench/$BASE
work=$out/report
QUICK=${QUICK:-}
command -v gnuplot >/dev/null || die "gnuplot is missing: run scripts/deps.sh demo"
rm -rf "$work"
mkdir -p "$work"

judged=
[ "$old,$new" != base,series ] || judged=y
results=$top/results/$BASE
[ -n "$judged" ] && [ -z "$QUICK" ] || results=$out/results
mkdir -p "$results"

# console KERNEL PREFIX: the rest of the first line that begins so
console() {
	tr -d '\r' <"$out/$1/count-1.log" | sed -n "s|^$2||p" | head -1 | sed "s|$top/||g"
}

environment() {
	set -- "rounds: $ROUNDS, seed $SEED" "measured: $(cat "$out/queue")" \
		"options: $(console old 'LAB-QEMU ')"
	for kernel in old new; do
		[ $kernel = old ] && name=$old || name=$new
		[ -n "$name" ] || continue
		set -- "$@" "$kernel: $name: Linux $(console $kernel 'LAB-KERNEL Linux ')" \
			"$kernel config: sha256 $(sha256sum <"$out/$kernel/objects/.config" | cut -c1-16), $(sed -n 's/^CONFIG_CC_VERSION_TEXT=//p' "$out/$kernel/objects/.config")"
	done
	"$top/scripts/lib/environment.sh" "$@"
}

summary() {
	echo "# make bench, Linux $BASE"
	echo
	echo "Written by scripts/lib/bench-report.sh, not by hand. All samples: bench.csv."
	echo "Where it ran: bench-environment.txt."
	echo
	echo "Instructions are counted by QEMU's -icount on one emulated processor: a"
	echo "million of them is a millisecond of the VM, however busy the machine is."
	echo "Each figure is the median of $ROUNDS boots, those of the two kernels in turn,"
	echo "with the least and the most in brackets. In each round other pages are in"
	echo "use when it begins, the same for both kernels. A system call's figure is the"
	echo "least of its calls in a boot: the others are longer by what the allocators do"
	echo "once in a batch, which is in another call from kernel to kernel. \"1.00\" is what"
	echo "rounds to it: less than 1.005. Where the samples of one kernel differ by more"
	echo "than the promised margin, no verdict is given."
	echo
	if [ -z "$judged" ]; then
		cat "$work/medians.md"
		return
	fi
	cat "$work/table.md"
	if [ -s "$work/limits" ]; then
		printf '\n## What is not reached, or not known\n\n'
		cat "$work/limits"
	fi
	echo
	echo "![cost by size](bench-sizes.svg)"
	echo
	echo "![cost by the number of intervals](bench-intervals.svg)"
}

if [ -n "$judged" ]; then
	python3 "$top/lab/report" bench "$csv" "$work" || die "no table could be made of $csv"
else
	python3 "$top/lab/report" medians "$csv" ${new:+both} >"$work/medians.md" ||
		die "no table could be made of $csv"
fi
cp "$csv" "$results/bench.csv"
environment >"$results/bench-environment.txt"
summary >"$results/bench-summary.md"
if [ -z "$judged" ]; then
	cat "$work/medians.md"
	say "wrote ${results#"$top/"}: bench-summary.md bench.csv bench-environment.txt"
	exit 0
fi
gnuplot -e "dir = '$work'; svg_sizes = '$work/bench-sizes.svg'; svg_intervals = '$work/bench-intervals.svg'" \
	"$top/lab/bench.gnuplot" 2>"$work/gnuplot" ||
	{ cat "$work/gnuplot" >&2; die "gnuplot failed"; }
mv "$work/bench-sizes.svg" "$work/bench-intervals.svg" "$results/"

if [ -n "$QUICK" ]; then
	cat "$work/results"
	say "wrote ${results#"$top/"}: bench-summary.md bench-sizes.svg bench-intervals.svg"
	exit 0
fi
"$top/scripts/lib/results.sh"
cat "$work/short.md"
say "wrote ${results#"$top/"}: bench-summary.md bench-sizes.svg bench-intervals.svg bench.csv bench-environment.txt"
if [ -s "$work/missed" ]; then
	cat "$work/missed" >&2
	die "not all is as promised"
fi
