# Draws what the victim of one scenario holds over time on both kernels, for a
# terminal. Input: demo.csv. Variables: scenario, title.
BEGIN { FS = ","; columns = 64; rows = 8; last = 8000; gap = "              " }
$2 != scenario { next }
{
	# The last value that was seen by then, as sampling is not regular
	from = $3 < 0 ? 0 : int($3 * columns / last)
	for (i = from; i <= columns; i++)
		held[$1, i] = $4
	end[$1] = from
	if ($4 > top)
		top = $4
}
END {
	if (!top)
		exit
	print title
	for (row = rows; row >= 0; row--) {
		line = row == rows || row == rows / 2 || row == 0 ? \
			sprintf("%9d MiB |", top * row / rows / 1024 + 0.5) : gap "|"
		for (i = 0; i <= columns; i++) {
			u = at("unpatched")
			p = at("patched")
			line = line (u && p ? "*" : u ? "u" : p ? "p" : " ")
		}
		sub(/ +$/, "", line)
		print line
	}
	line = gap "+"
	for (i = 0; i <= columns; i++)
		line = line (i % (columns / 8) ? "-" : "+")
	print line
	line = gap " 0"
	for (i = 1; i <= 8; i++)
		line = line sprintf("%8d", i)
	print line " s after the kill"
	print gap " u unpatched   p patched   * both"
}
function at(kernel) {
	return i <= end[kernel] && (kernel, i) in held && \
		int(held[kernel, i] * rows / top + 0.5) == row
}
