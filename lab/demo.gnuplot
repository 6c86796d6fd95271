# Memory over time of both kernels. Variables: csv, svg, and the number of
# processes that were killed in the bystander scenario: kills_base, kills_series.
set terminal svg size 960,420 dynamic enhanced font "sans-serif,13" background "white"
set output svg
set datafile separator ","
set multiplot layout 1,2 margins 0.075,0.985,0.18,0.86 spacing 0.09

set style line 1 linecolor rgb "#c0392b" linewidth 2.5
set style line 2 linecolor rgb "#1f6fb2" linewidth 2.5
set grid ytics linecolor rgb "#dddddd"
set border 3
set tics nomirror out
set xrange [-0.3:8]
set xtics 1
set xlabel "seconds since the OOM kill"
set ylabel "MiB" offset 1
set key at graph 0.97, graph 0.36 right samplen 2

pick(kernel, scenario) = strcol(1) eq kernel && strcol(2) eq scenario ? $3 / 1000 : NaN
set arrow 1 from 2, graph 0 to 2, graph 1 nohead dashtype 3 linecolor rgb "#888888"
set label 1 "the reaper starts" at 2.1, graph 0.95 textcolor rgb "#666666" font ",11"

set title "256 MiB victim, one notifier refuses 4 KiB\n{/*0.85 memory that the victim holds}"
set yrange [0:300]
plot csv using (pick("unpatched", "one")):($4 / 1024) with lines linestyle 1 title "unpatched", \
     csv using (pick("patched", "one")):($4 / 1024) with lines linestyle 2 title "patched"

set title "160 MiB victim, three bystanders, a service that needs memory\n{/*0.85 memory of their cgroup, limit 256 MiB}"
set arrow 2 from graph 0, first 256 to graph 1, first 256 nohead dashtype 2 linecolor rgb "#888888"
plot csv using (pick("unpatched", "bystanders")):($5 / 1024) with lines linestyle 1 \
	title sprintf("unpatched: %d killed", kills_base), \
     csv using (pick("patched", "bystanders")):($5 / 1024) with lines linestyle 2 \
	title sprintf("patched: %d killed", kills_series)
unset multiplot
