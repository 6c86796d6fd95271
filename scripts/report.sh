#!/bin/sh
# Turns the two consoles of the demo into a table and a chart in the terminal,
# and into the files of results/BASE, the table also into README.md. The figures
# of a run that is not what the series promises do not replace those: they go to
# build/demo/BASE/results.
# usage: report.sh UNPATCHED.log PATCHED.log
# Exit code: 0 only if the patched kernel does what the series promises.
. "$(dirname "$0")/lib.sh"

[ $# = 2 ] || die "usage: report.sh UNPATCHED.log PATCHED.log"
base_log=$1 series_log=$2
for log in "$base_log" "$series_log"; do
	grep -q '^LAB-DATA kernel seconds' "$log" ||
		die "$log is not the console of a demo that came to its end"
done
command -v gnuplot >/dev/null || die "gnuplot is missing: run scripts/deps.sh demo"

work=$(mktemp -d "$build/tmp.XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

# samples LOG KERNEL: that kernel's part of demo.csv.
samples() {
	tr -d '\r' <"$1" | awk -v kernel="$2" -v OFS=, '
		/^LAB-SAMPLE [^ ]+ -?[0-9]+ -?[0-9]+ -?[0-9]+$/ { print kernel, $2, $3, $4, $5 }'
}

# figure LOG SCENARIO KEY
figure() {
	tr -d '\r' <"$1" | awk -v s="$2" -v key="$3" '
		$1 == "LAB-DATA" && $2 == s && $3 == key { print $4 }' | tail -1
}

# console LOG PREFIX: the rest of the first line that begins so.
console() { tr -d '\r' <"$1" | sed -n "s|^$2||p" | head -1 | sed "s|$top/||g"; }

environment() {
	echo "date:        $(date -u '+%Y-%m-%d %H:%M UTC')"
	echo "unpatched:   Linux $(console "$base_log" 'LAB-KERNEL Linux ')"
	echo "patched:     Linux $(console "$series_log" 'LAB-KERNEL Linux ')"
	echo "queue:       $(tree_git rev-list --count base..HEAD) patches, commit $(tree_git rev-parse --short=12 HEAD)$([ -z "$(work_in "$tree")" ] || echo ', and uncommitted work'), content $(queue_id | cut -c1-12)"
	# The same fragments; what comes of them differs by the series' own symbols.
	printf 'config:      config/vm.config, sha256 %.16s\n' "$(sha256sum <"$top/config/vm.config")"
	echo "compiler:    $(gcc --version | head -1)"
	echo "emulator:    $(qemu-system-x86_64 --version | head -1)"
	echo "options:     $(console "$series_log" 'LAB-QEMU ')"
	echo "host:        $(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -1), $(nproc) processors"
	echo "guest time:  $(figure "$base_log" kernel seconds) s unpatched, $(figure "$series_log" kernel seconds) s patched"
}

# The rows of report.awk, aligned, each scenario once.
show_table() {
	awk -F '\t' '
		{ for (i = 1; i <= NF; i++) cell[NR, i] = $i }
		END {
			split("x,,unpatched,patched,promised,met", head, ",")
			for (i = 2; i <= 6; i++) {
				cell[0, i] = head[i]
				for (row = 0; row <= NR; row++)
					if (length(cell[row, i]) > width[i])
						width[i] = length(cell[row, i])
			}
			for (row = 0; row <= NR; row++) {
				if (cell[row, 1] != cell[row - 1, 1])
					print "\n" cell[row, 1]
				line = ""
				for (i = 2; i <= 6; i++)
					line = line sprintf("  %-" width[i] "s", cell[row, i])
				sub(/ +$/, "", line)
				print line
			}
		}' "$1"
}

markdown_table() {
	awk -F '\t' '
		BEGIN {
			print "| scenario | | unpatched | patched | promised | met |"
			print "|---|---|---|---|---|---|"
		}
		{
			met = $6 == "yes" ? "yes" : "**" $6 "**"
			print "| " ($1 == last ? "" : $1) " | " $2 " | " $3 " | " $4 " | " $5 " | " met " |"
			last = $1
		}' "$1"
}

summary() {
	echo "# make demo, Linux $BASE"
	echo
	echo "Written by scripts/report.sh, not by hand. Raw numbers: demo.csv (memory"
	echo "over time) and demo-figures.csv. Where it ran: environment.txt."
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

awk -f "$top/lab/report.awk" "$base_log" "$series_log" >"$work/rows"
markdown_table "$work/rows" >"$work/table.md"
met=y
! awk -F '\t' '$6 == "NO"' "$work/rows" | grep -q . || met=
results=$top/results/$BASE
[ -n "$met" ] || results=$build/demo/$BASE/results
mkdir -p "$results"

{
	echo kernel,scenario,ms_since_kill,victim_kib,cgroup_kib
	samples "$base_log" unpatched
	samples "$series_log" patched
} >"$results/demo.csv"
{
	echo kernel,scenario,figure,value
	for log in "$base_log" "$series_log"; do
		[ "$log" = "$base_log" ] && kernel=unpatched || kernel=patched
		tr -d '\r' <"$log" | sed -n 's/^LAB-DATA \([^ ]*\) \([^ ]*\) \(-*[0-9]*\)$/'"$kernel"',\1,\2,\3/p'
	done
} >"$results/demo-figures.csv"
environment >"$results/environment.txt"
summary >"$results/demo-summary.md"
[ -z "$met" ] || "$top/scripts/put-into-readme.sh" demo "$work/table.md"
gnuplot -e "csv = '$results/demo.csv'; svg = '$work/demo.svg'" \
	-e "kills_base = $(figure "$base_log" bystanders kills)" \
	-e "kills_series = $(figure "$series_log" bystanders kills)" \
	"$top/lab/demo.gnuplot" 2>"$work/gnuplot" ||
	{ cat "$work/gnuplot" >&2; die "gnuplot failed"; }
mv "$work/demo.svg" "$results/demo.svg"

echo
show_table "$work/rows"
echo
awk -v scenario=one -v title="Memory of a 256 MiB victim, one notifier refuses 4 KiB" \
	-f "$top/lab/chart.awk" "$results/demo.csv"
echo
say "wrote ${results#"$top/"}: demo-summary.md demo.svg demo.csv demo-figures.csv environment.txt"

if [ -z "$met" ]; then
	awk -F '\t' -v OFS=': ' '$6 == "NO" { print "not met", $1, $2, $4 " (promised: " $5 ")" }' \
		"$work/rows" >&2
	die "the patched kernel does not do what the series promises; consoles: $base_log $series_log"
fi
say "the patched kernel does all that the series promises"
