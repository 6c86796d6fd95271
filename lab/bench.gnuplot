# How cost grows: writes two plots. Variables: dir, where lab/report's files are,
# and svg_sizes, svg_intervals, the files to write.
set terminal svg size 960,420 dynamic enhanced font "sans-serif,13" background "white"
# Wider where another line may lie on it
set style line 1 linecolor rgb "#c0392b" linewidth 5 pointtype 7 pointsize 0.9
set style line 2 linecolor rgb "#1f6fb2" linewidth 2 pointtype 7 pointsize 0.6
set style line 3 linecolor rgb "#27ae60" linewidth 2 pointtype 1 pointsize 1
set style line 4 linecolor rgb "#8e44ad" linewidth 2 pointtype 7 pointsize 0.6
set style line 5 linecolor rgb "#999999" linewidth 1 dashtype 2
set grid linecolor rgb "#dddddd"
set border 3
set tics nomirror out
set key top left samplen 2
set ylabel "million instructions" offset 1

set output svg_sizes
set multiplot layout 1,2 margins 0.085,0.97,0.16,0.86 spacing 0.1
set logscale xy 2
set format x "%.0f"
set format y "%.0f"
set title "one pass of the OOM reaper"
set xlabel "victim, MiB"
plot dir."/sizes" using 1:2 with linespoints linestyle 1 title "unpatched, no notifier", \
     dir."/sizes" using 1:3 with linespoints linestyle 2 title "patched, no notifier", \
     dir."/sizes" using 1:4 with linespoints linestyle 3 title "patched, one refuses 4 KiB"
set title "longest callback when a virtual machine is reaped"
set xlabel "guest, MiB"
plot dir."/kvm" using 1:2 with linespoints linestyle 1 title "unpatched", \
     dir."/kvm" using 1:3 with linespoints linestyle 2 title "patched"
unset multiplot

set output svg_intervals
set multiplot layout 1,2 margins 0.085,0.97,0.16,0.86 spacing 0.1
set title "one pass, by the number of intervals of 4 KiB"
set xlabel "intervals"
stats dir."/intervals" using 1:5 name "last" nooutput
set yrange [1:*]
plot dir."/intervals" using 1:2 with linespoints linestyle 1 title "none refuses, unpatched", \
     dir."/intervals" using 1:3 with linespoints linestyle 2 title "none refuses", \
     dir."/intervals" using 1:4 with linespoints linestyle 4 title "half refuse", \
     dir."/intervals" using 1:5 with linespoints linestyle 3 title "all refuse", \
     last_max_y * x / last_max_x with lines linestyle 5 title "in proportion"
set title "callbacks in that pass"
set ylabel "calls" offset 1
set yrange [*:*]
plot dir."/intervals" using 1:6 with linespoints linestyle 1 title "none refuses", \
     dir."/intervals" using 1:7 with linespoints linestyle 4 title "half refuse", \
     dir."/intervals" using 1:8 with linespoints linestyle 3 title "all refuse", \
     x with lines linestyle 5 title "one each"
unset multiplot
