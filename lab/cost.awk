# Table of what reaping costs on both kernels, from lines
#   <kernel> <victim> instructions|calls <number>
# with several counts a victim, of which the median is taken. Variables: text,
# trace: bytes by which functions grow, and the share of tracepoints in it; these
# are stated, not judged. Exit code 1 if a figure is not met.

$3 == "instructions" {
	key = $1 SUBSEP $2
	count[key, ++runs[key]] = $4
	if (!($2 in seen)) {
		seen[$2] = 1
		victims[++nr] = $2
	}
}
$3 == "calls" && $4 > calls[$1, $2] { calls[$1, $2] = $4 }

function median(kernel, victim,    key, n, i, j, t, v) {
	key = kernel SUBSEP victim
	n = runs[key]
	for (i = 1; i <= n; i++)
		v[i] = count[key, i]
	for (i = 1; i <= n; i++)
		for (j = i + 1; j <= n; j++)
			if (v[j] < v[i]) { t = v[i]; v[i] = v[j]; v[j] = t }
	return v[int((n + 1) / 2)]
}

function row(what, a, b, c, wanted, met) {
	printf "| %s | %s | %s | %s | %s%s |\n", what, a, b, c, wanted, met ? "" : " (not met)"
	if (!met)
		bad = 1
}

END {
	print "| one pass over a victim, million instructions | unpatched | patched | ratio | promised |"
	print "|---|---|---|---|---|"
	for (i = 1; i <= nr; i++) {
		v = victims[i]
		old = median("base", v) / 1e6
		new = median("series", v) / 1e6
		split(v, part, "-")
		mib = part[length(part)]
		if (v ~ /^none/) {
			row(mib " MiB, no notifier", sprintf("%.2f", old), sprintf("%.2f", new), \
			    sprintf("%.4f of unpatched", new / old), "<= 1.0015", new / old <= 1.0015)
			continue
		}
		plain = median("series", "none-" mib) / 1e6
		limit = v ~ /^4096/ ? 2 : 1.05
		who = part[1] " " (part[2] == "accept" || part[2] == "accepts" ? "that accepts" : "that refuses")
		if (part[1] > 1 || part[1] == "4096")
			who = part[1] " that " part[2]
		old_text = v ~ /refuse/ ? "frees nothing" : sprintf("%.2f", old)
		row(mib " MiB, " who, old_text, sprintf("%.2f", new), \
		    sprintf("%.4f of no notifier", new / plain), "<= " limit, new / plain <= limit)
		row("&nbsp;&nbsp;calls of one notifier", calls["base", v], calls["series", v], "", \
		    "1", calls["series", v] == 1)
	}
	printf "| text of the kernel, bytes | | %+d | %+d of these for tracepoints | stated |\n", text, trace
	exit bad
}
