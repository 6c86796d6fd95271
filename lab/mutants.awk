# Of lines DRIVER, FILE:LINE, OLD => NEW, verdict, separated by tabs: those that survive or
# were not run, those that are equivalent (lab/mutants.equivalent is the first file),
# and how many there are of each. what: is the name of what DRIVER is. base: that of the
# mutants. all: a regular expression; an entry of the first file for such a file that
# fits no line is shown, and is a failure.
FNR == NR {
	if (/^#/ || NF != 3)
		next
	name = $1
	if (sub(/^[^:]*:/, "", name) && $1 != base ":" name)
		next
	why[name "\t" $2] = $3
	next
}
{
	name = $2
	sub(/:[0-9]+$/, "", name)
	key = name "\t" $3
	fits[key]
	split($4, word, " ")
	verdict = word[1]
	if (verdict == "survived" && key in why)
		verdict = "equivalent"
	count[$1, verdict]++
	total[verdict]++
	drivers[$1]
	if (verdict == "survived" || verdict == "not")
		printf "%s\t%s\t%s\n", verdict, $2, $3
	if (verdict == "equivalent")
		said = said sprintf("equivalent\t%s\t%s\t%s\n", $2, $3, why[key])
}
END {
	printf "%s", said
	for (key in why)
		if (all != "" && key ~ all && !(key in fits)) {
			printf "fits no mutant\t%s\n", key
			dead++
		}
	print ""
	line = "%-" width "s %7s %7s %7s %9s %11s %8s\n"
	printf line, what, "caught", "hangs", "crashes", "survived", "equivalent", "not run"
	for (driver in drivers)
		printf line, driver, count[driver, "caught"] + 0, count[driver, "hangs"] + 0,
			count[driver, "crashes"] + 0, count[driver, "survived"] + 0,
			count[driver, "equivalent"] + 0, count[driver, "not"] + 0
	printf line, "all", total["caught"] + 0, total["hangs"] + 0, total["crashes"] + 0,
		total["survived"] + 0, total["equivalent"] + 0, total["not"] + 0
	exit total["survived"] + total["not"] + dead > 0
}
