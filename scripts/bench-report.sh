#!/bin/sh
# Turns the samples of the bench into medians, tables, plots and a verdict. A
# run of the two kernels in full goes to results/BASE and its short table to
# README.md; others (QUICK, COMPARE, BASE_ONLY) go to build/bench/BASE/results.
# usage: bench-report.sh CSV OLD NEW    NEW is "" when OLD was measured alone
# Exit code: 0 only if all is as promised.
. "$(dirname "$0")/lib.sh"

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
	echo "date:        $(date -u '+%Y-%m-%d %H:%M UTC')"
	echo "rounds:      $ROUNDS, seed $SEED"
	echo "base:        Linux $BASE, $(paste -sd" " "$queue/base")"
	echo "queue:       $(cat "$out/queue")"
	for kernel in old new; do
		[ $kernel = old ] && name=$old || name=$new
		[ -n "$name" ] || continue
		echo "$kernel:         $name: Linux $(console $kernel 'LAB-KERNEL Linux ')"
		echo "             config sha256 $(sha256sum <"$out/$kernel/objects/.config" | cut -c1-16), $(sed -n 's/^CONFIG_CC_VERSION_TEXT=//p' "$out/$kernel/objects/.config")"
	done
	echo "emulator:    $(qemu-system-x86_64 --version | head -1)"
	echo "options:     $(console old 'LAB-QEMU ')"
	echo "host:        $(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -1), $(nproc) processors"
}

# table FILE: rows of bench.awk
table() {
	awk -F '\t' '
		BEGIN {
			print "| scenario | | measure | unpatched | patched | ratio | promised | met |"
			print "|---|---|---|---|---|---|---|---|"
		}
		{
			met = $8 == "yes" || $8 == "" ? $8 : $8 == "noisy" ? "too noisy to tell" : "**NO**"
			print "| " ($1 == last ? "" : $1) " | " $2 " | " $3 " | " $4 " | " $5 " | " $6 " | " $7 " | " met " |"
			last = $1
		}' "$1"
}

# Of each group of rows that promise the same the worst one, without what is
# behind the medians; and what is stated without a promise.
shorten() {
	awk -F '\t' -v OFS='\t' '
		function rank() { return $8 == "no" ? 2 : $8 == "noisy" ? 1 : 0 }
		# By how much it is on the side of what is promised not to be
		function bad(    text) {
			text = $6 == "" ? $5 : $6
			sub(/^[^0-9]*/, "", text)
			return $7 ~ /^</ ? text + 0 : $7 ~ /^>/ ? -text : 0
		}
		$8 == "" && $1 != "memory" { next }
		{
			gsub(/ \([-0-9][^)]* to [^)]*\)/, "")
			group = $1 SUBSEP $7 SUBSEP ($8 == "" ? $2 : "")
			if (!(group in at))
				at[group] = ++nr
			else if (rank() < rank_of[group] || rank() == rank_of[group] && bad() <= bad_of[group]) {
				more[at[group]]++
				next
			} else
				more[at[group]]++
			rank_of[group] = rank()
			bad_of[group] = bad()
			line[at[group]] = $0
		}
		END {
			for (i = 1; i <= nr; i++) {
				$0 = line[i]
				if (more[i])
					$2 = $2 ($7 ~ /^[<>]/ ? " (worst of " more[i] + 1 ")" : " and " more[i] " more")
				print
			}
		}' "$1"
}

limits() {
	awk -F '\t' '
		$8 == "noisy" { print "* " $1 ", " $2 ": the samples of one kernel lie further apart than what is promised between the two. Run it again when less else is going on in the VM."; next }
		$8 != "no" { next }
		{ print "* " $1 ", " $2 ", " $3 ": not met, " $5 " (" $6 "), promised " $7 "." }' "$work/rows"
}

medians() {
	awk -F '\t' -v alone="$([ -n "$new" ] || echo y)" '
		function range(m, low, high) { return m == "" ? "not played" : low == high ? m : m " (" low " to " high ")" }
		BEGIN {
			print alone ? "| scenario | figure | median |" : "| scenario | figure | old | new | ratio |"
			print alone ? "|---|---|---|" : "|---|---|---|---|---|"
		}
		{
			line = "| " $1 " | " $2 " | " range($3, $4, $5) " |"
			if (!alone)
				line = line " " range($6, $7, $8) " | " ($3 > 0 && $6 != "" ? sprintf("%.4f", $6 / $3) : "") " |"
			print line
		}' "$work/medians"
}

summary() {
	echo "# make bench, Linux $BASE"
	echo
	echo "Written by scripts/bench-report.sh, not by hand. All samples: bench.csv."
	echo "Where it ran: bench-environment.txt."
	echo
	echo "Instructions are counted by QEMU's -icount on one emulated processor: a"
	echo "million of them is a millisecond of the VM, however busy the machine is."
	echo "Each figure is the median of $ROUNDS boots, those of the two kernels in turn,"
	echo "with the least and the most in brackets. In each round other pages are in"
	echo "use when it begins, the same for both kernels. A system call's figure is the"
	echo "median of its calls in a boot. \"1.00\" is what rounds to it: less than"
	echo "1.005. Where the samples of one kernel lie further apart than the promised"
	echo "margin, no verdict is given."
	echo
	if [ -z "$judged" ]; then
		medians
		return
	fi
	table "$work/rows"
	limits >"$work/limits"
	if [ -s "$work/limits" ]; then
		printf '\n## What is not reached, or not known\n\n'
		cat "$work/limits"
	fi
	echo
	echo "![cost by size](bench-sizes.svg)"
	echo
	echo "![cost by the number of intervals](bench-intervals.svg)"
}

awk -v out="$work" -v compare="$([ -n "$judged" ] || echo 1)" -f "$top/lab/bench.awk" "$csv" ||
	die "lab/bench.awk failed on $csv"
cp "$csv" "$results/bench.csv"
environment >"$results/bench-environment.txt"
summary >"$results/bench-summary.md"
if [ -z "$judged" ]; then
	medians
	say "wrote ${results#"$top/"}: bench-summary.md bench.csv bench-environment.txt"
	exit 0
fi
gnuplot -e "dir = '$work'; svg_sizes = '$work/bench-sizes.svg'; svg_intervals = '$work/bench-intervals.svg'" \
	"$top/lab/bench.gnuplot" 2>"$work/gnuplot" ||
	{ cat "$work/gnuplot" >&2; die "gnuplot failed"; }
mv "$work/bench-sizes.svg" "$work/bench-intervals.svg" "$results/"

awk -F '\t' '$8 != "yes" && $8 != "" {
	print ($8 == "noisy" ? "too noisy" : "not met") ": " $1 ", " $2 ", " $3 ": " $5 " " $6 " (promised: " $7 ")"
}' "$work/rows" >"$work/missed"

if [ -n "$QUICK" ]; then
	awk -F '\t' '$8 != "" {
		print ($8 == "yes" ? "ok" : "not ok") " bench: " $1 ", " $2 ", " $3 ($8 == "noisy" ? ": too noisy to tell" : "")
	}' "$work/rows"
	say "wrote ${results#"$top/"}: bench-summary.md bench-sizes.svg bench-intervals.svg"
	exit 0
fi
shorten "$work/rows" >"$work/short"
table "$work/short" >"$work/short.md"
"$top/scripts/put-into-readme.sh" bench "$work/short.md"
cat "$work/short.md"
say "wrote ${results#"$top/"}: bench-summary.md bench-sizes.svg bench-intervals.svg bench.csv bench-environment.txt"
if [ -s "$work/missed" ]; then
	cat "$work/missed" >&2
	die "not all is as promised"
fi
