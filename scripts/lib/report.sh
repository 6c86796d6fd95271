#!/bin/sh
# Turns the two consoles of the demo into a table and a chart in the terminal,
# and into the files of results/BASE, the table also into README.md. The figures
# of a run that is not what the series promises do not replace those: they go to
# build/demo/BASE/results.
# usage: report.sh UNPATCHED.log PATCHED.log
# Exit code: 0 only if the patched kernel does what the series promises.
. "$(dirname "$0")/common.sh"

[ $# = 2 ] || die "usage: report.sh UNPATCHED.log PATCHED.log"
base_log=$1 series_log=$2
for log in "$base_log" "$series_log"; do
	grep -q '^LAB-DATA kernel seconds' "$log" ||
		die "$log is not the console of a complete demo"
done
command -v gnuplot >/dev/null || die "gnuplot is missing: run scripts/deps.sh demo"

work=$(mktemp -d "$build/tmp.XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

# figure LOG SCENARIO KEY
figure() {
	tr -d '\r' <"$1" | awk -v s="$2" -v key="$3" '
		$1 == "LAB-DATA" && $2 == s && $3 == key { print $4 }' | tail -1
}

# console LOG PREFIX: the rest of the first line that begins so.
console() { tr -d '\r' <"$1" | sed -n "s|^$2||p" | head -1 | sed "s|$top/||g"; }

environment() {
	# The same fragments; what comes of them differs by the series' own symbols.
	"$top/scripts/lib/environment.sh" \
		"unpatched: Linux $(console "$base_log" 'LAB-KERNEL Linux ')" \
		"patched: Linux $(console "$series_log" 'LAB-KERNEL Linux ')" \
		"config: config/vm.config, sha256 $(sha256sum <"$top/config/vm.config" | cut -c1-16)" \
		"options: $(console "$series_log" 'LAB-QEMU ')" \
		"guest time: $(figure "$base_log" kernel seconds) s unpatched, $(figure "$series_log" kernel seconds) s patched"
}

summary() {
	echo "# make demo, Linux $BASE"
	echo
	echo "Written by scripts/lib/report.sh, not by hand. Raw numbers: demo.csv (memory"
	echo "over time) and demo-figures.csv. Where it ran: demo-environment.txt."
	echo
	cat "$work/table.md"
	echo
	echo "![memory over time, unpatched and patched](demo.svg)"
	echo
	echo "held: resident memory of the victim, its pages counted (smaps_rollup),"
	echo "after the reaper's first pass over it and so long after that pass began."
	echo "What that pass has left is what its tracepoint says, where it does: a"
	echo "worker unmaps what was refused to the reaper, and may have begun already."
}

python3 "$top/lab/report" demo "$work" "$base_log" "$series_log" >"$work/text" ||
	die "no table could be made of $base_log and $series_log"
met=y
[ ! -s "$work/missed" ] || met=
results=$top/results/$BASE
[ -n "$met" ] || results=$build/demo/$BASE/results
mkdir -p "$results"

cp "$work/demo.csv" "$work/demo-figures.csv" "$results/"
environment >"$results/demo-environment.txt"
summary >"$results/demo-summary.md"
gnuplot -e "csv = '$results/demo.csv'; svg = '$work/demo.svg'" \
	-e "kills_base = $(figure "$base_log" bystanders kills)" \
	-e "kills_series = $(figure "$series_log" bystanders kills)" \
	"$top/lab/demo.gnuplot" 2>"$work/gnuplot" ||
	{ cat "$work/gnuplot" >&2; die "gnuplot failed"; }
mv "$work/demo.svg" "$results/demo.svg"
[ -z "$met" ] || "$top/scripts/lib/results.sh"

cat "$work/text"
say "wrote ${results#"$top/"}: demo-summary.md demo.svg demo.csv demo-figures.csv demo-environment.txt"

if [ -z "$met" ]; then
	cat "$work/missed" >&2
	die "the patched kernel does not do what the series promises; consoles: $base_log $series_log"
fi
say "the patched kernel does all that the series promises"
