# What the bench comes to, from lines round,kernel,scenario,figure,value where
# kernel is old or new. Writes tab separated files in the directory that the
# variable out names:
#	rows	each figure: group, scenario, measure, old, new, ratio, promised,
#		met (yes, no, noisy)
#	sizes, intervals, kvm	medians for the plots
#	medians	all of them: scenario, figure and for both kernels median, min, max
# With compare=1 only the last one.

BEGIN { FS = "," }

NR == 1 || NF != 5 { next }
{
	key = $2 SUBSEP $3 SUBSEP $4
	sample[key, ++count[key]] = $5
	if (!(($3, $4) in seen)) {
		seen[$3, $4] = 1
		figure_of[++nr] = $3 SUBSEP $4
	}
	if (!($3 in known)) {
		known[$3] = 1
		scenario_of[++scenarios] = $3
	}
}

function has(kernel, s, f) { return (kernel, s, f) in count }

# Sorts the samples once. The median of an even number is the lower one of two.
function settle(key,    n, i, j, t) {
	if (key in median_of)
		return
	n = count[key]
	for (i = 2; i <= n; i++) {
		t = sample[key, i]
		for (j = i - 1; j && sample[key, j] > t; j--)
			sample[key, j + 1] = sample[key, j]
		sample[key, j + 1] = t
	}
	min_of[key] = sample[key, 1]
	max_of[key] = sample[key, n]
	median_of[key] = sample[key, int((n + 1) / 2)]
}

function med(kernel, s, f) {
	if (!has(kernel, s, f))
		return 0
	settle(kernel SUBSEP s SUBSEP f)
	return median_of[kernel, s, f]
}

function spread(kernel, s, f,    m) {
	m = med(kernel, s, f)
	return m ? (max_of[kernel, s, f] - min_of[kernel, s, f]) / m : 0
}

function number(v) {
	return v >= 1e6 ? sprintf("%.2f M", v / 1e6) : v == int(v) ? v "" : sprintf("%.1f", v)
}

function shown(kernel, s, f,    m) {
	if (!has(kernel, s, f))
		return "not played"
	m = med(kernel, s, f)
	if (max_of[kernel, s, f] == min_of[kernel, s, f])
		return number(m)
	return number(m) " (" number(min_of[kernel, s, f]) " to " number(max_of[kernel, s, f]) ")"
}

function row(group, scenario, measure, old, new, ratio, promised, met) {
	print group, scenario, measure, old, new, ratio, promised, met >(out "/rows")
}

# What a kernel does quickly because it does nothing
function cost(kernel, s, keep) {
	return has(kernel, s, "left_kib") && percent_freed(kernel, s, keep) < 1 ? \
		"frees nothing" : shown(kernel, s, "instructions")
}

# A ratio that must not be above limit. Samples of one kernel that are further
# apart than what is allowed between two say nothing.
function ratio_row(group, scenario, what, k1, s1, k2, s2, f, limit, margin, of,    r, met) {
	if (!has(k1, s1, f) || !has(k2, s2, f)) {
		row(group, scenario, what, shown("old", s2, f), shown("new", s2, f), "", "", "no")
		return
	}
	if (!med(k1, s1, f)) {
		row(group, scenario, what, shown("old", s2, f), shown("new", s2, f), "nothing to compare with", "", "no")
		return
	}
	r = med(k2, s2, f) / med(k1, s1, f)
	met = r <= limit ? "yes" : "no"
	if (spread(k1, s1, f) > margin || spread(k2, s2, f) > margin)
		met = "noisy"
	row(group, scenario, what, s1 == s2 ? shown("old", s2, f) : cost("old", s2, hull_kib()), shown("new", s2, f), \
	    sprintf("%.4f of %s", r, of), "<= " limit_text(limit), met)
}

# 1.005 is what rounds to 1.00
function limit_text(limit) {
	return limit == 1.005 ? "1.00" : sprintf(limit * 100 == int(limit * 100) ? "%.2f" : "%.4f", limit)
}

function percent_freed(kernel, s, keep,    before) {
	before = med(kernel, s, "before_kib")
	return before > keep ? 100 * (before - med(kernel, s, "left_kib")) / (before - keep) : 0
}

function percent(v) { return sprintf("%.2f %%", v) }

# What the refusing interval covers
function hull_kib() { return 4 }

function judge_reaper(    i, s, mib, freed) {
	for (i = 1; i <= scenarios; i++) {
		s = scenario_of[i]
		if (s !~ /^reaper-none-/)
			continue
		mib = substr(s, 13)
		ratio_row("reaper, no notifier", mib " MiB", "instructions", "old", s, "new", s, \
			  "instructions", 1.0015, mib < 256 ? 0.005 : 0.0015, "unpatched")
	}
	for (i = 1; i <= scenarios; i++) {
		s = scenario_of[i]
		if (s !~ /^reaper-refused-/)
			continue
		mib = substr(s, 16)
		freed = percent_freed("new", s, hull_kib())
		row("reaper, one refuses 4 KiB", mib " MiB", "freed by the first pass", \
		    percent(percent_freed("old", s, hull_kib())), percent(freed), "", ">= 99 % outside", \
		    freed >= 99 ? "yes" : "no")
		ratio_row("reaper, one refuses 4 KiB, time", mib " MiB", "instructions", "new", "reaper-none-" mib, \
			  "new", s, "instructions", 1.05, 0.05, "no notifier")
	}
}

function judge_intervals(    kinds, kind, k, n, s, r, worst, at, most, noisy) {
	kinds = split("none half all", kind, " ")
	for (k = 1; k <= kinds; k++) {
		worst = most = noisy = 0
		for (n = 1; has("new", "intervals-" kind[k] "-" n, "instructions"); n *= 2) {
			s = "intervals-" kind[k] "-" n
			if (med("new", s, "calls_max") > most)
				most = med("new", s, "calls_max")
			if (spread("new", s, "instructions") > 0.2)
				noisy = 1
			if (n == 1)
				continue
			r = med("new", s, "instructions") / med("new", "intervals-" kind[k] "-" n / 2, "instructions")
			if (r > worst) { worst = r; at = n }
		}
		n /= 2
		s = "intervals-" kind[k] "-" n
		row("1 to " n " intervals", kind[k] " refusing", "instructions for " n, \
		    cost("old", s, 0), shown("new", s, "instructions"), \
		    sprintf("doubling: %.2f at most (to %d)", worst, at), "<= 2.40", \
		    noisy ? "noisy" : worst <= 2.4 && worst ? "yes" : "no")
		row("1 to " n " intervals, calls", kind[k] " refusing", "calls for " n, shown("old", s, "calls"), \
		    shown("new", s, "calls"), most " an interval at most", "1 an interval", \
		    most == 1 ? "yes" : "no")
	}
	s = "wide-1000"
	r = med("new", "wide-500", "instructions")
	r = r ? med("new", s, "instructions") / r : 0
	row("1,000 intervals over 64 GiB, a list notifier", "none refusing", "instructions", \
	    shown("old", s, "instructions"), shown("new", s, "instructions"), sprintf("doubling: %.2f", r), "<= 2.40", \
	    spread("new", s, "instructions") > 0.2 ? "noisy" : r > 0 && r <= 2.4 ? "yes" : "no")
	row("1,000 intervals over 64 GiB, calls", "none refusing", "calls", \
	    shown("old", s, "calls"), shown("new", s, "calls"), med("new", s, "calls_max") " an interval at most", \
	    "1 an interval", med("new", s, "calls_max") == 1 ? "yes" : "no")
	row("1,000 intervals over 64 GiB, calls", "the list notifier", "calls", \
	    shown("old", s, "list_calls"), shown("new", s, "list_calls"), "", \
	    "1 for each 128 MiB", med("new", s, "list_calls") == 512 ? "yes" : "no")
}

function judge_kvm(    i, s, mib, least, most, largest, oldleast, oldmost, oldlargest, noisy) {
	for (i = 1; i <= scenarios; i++) {
		s = scenario_of[i]
		if (s !~ /^kvm-/)
			continue
		mib = substr(s, 5)
		row("longest callback of KVM", mib " MiB guest", "instructions", shown("old", s, "section"), \
		    shown("new", s, "section"), sprintf("%.4f of unpatched", med("new", s, "section") / med("old", s, "section")), \
		    "", "")
		if (!least || med("new", s, "section") < least) least = med("new", s, "section")
		if (med("new", s, "section") > most) most = med("new", s, "section")
		if (!oldleast || med("old", s, "section") < oldleast) oldleast = med("old", s, "section")
		if (med("old", s, "section") > oldmost) oldmost = med("old", s, "section")
		if (med("new", s, "section_kib") > largest) largest = med("new", s, "section_kib")
		if (med("old", s, "section_kib") > oldlargest) oldlargest = med("old", s, "section_kib")
		if (spread("new", s, "section") > 0.05) noisy = 1
	}
	if (!least) {
		row("longest callback of KVM", "", "", "not played", "not played", "", "does not grow", "no")
		return
	}
	row("longest callback of KVM", "all guests", "longest to shortest", sprintf("%.2f", oldmost / oldleast), \
	    sprintf("%.2f", most / least), "", "<= 1.05", noisy ? "noisy" : most / least <= 1.05 ? "yes" : "no")
	row("longest callback of KVM", "all guests", "MiB asked for at a time", oldlargest / 1024, largest / 1024, "", \
	    "<= 128", largest <= 131072 ? "yes" : "no")
}

function judge_bystanders(    i, s, runs, k, dead, served, names, name) {
	names = split("old new", name, " ")
	for (i = 1; i <= scenarios; i++) {
		s = scenario_of[i]
		if (s !~ /^bystanders-/)
			continue
		runs++
		for (k = 1; k <= names; k++) {
			dead[name[k]] += med(name[k], s, "killed")
			served[name[k]] += med(name[k], s, "served")
		}
	}
	row("bystanders", runs + 0 " runs, 3 bystanders each", "killed", dead["old"] + 0, dead["new"] + 0, "", "0", \
	    runs && !dead["new"] ? "yes" : "no")
	row("bystanders", runs + 0 " runs, 3 bystanders each", "runs whose service got its memory", served["old"] + 0, \
	    served["new"] + 0, "", runs + 0, runs && served["new"] == runs ? "yes" : "no")
}

function judge_mrelease(    by_call, by_reaper) {
	by_call = percent_freed("new", "mrelease-refused", 0)
	by_reaper = percent_freed("new", has("new", "reaper-refused-256", "left_kib") ? "reaper-refused-256" : "reaper-refused-64", 0)
	row("process_mrelease()", "256 MiB, one refuses 4 KiB", "freed by the first call", \
	    percent(percent_freed("old", "mrelease-refused", 0)), percent(by_call), \
	    "the reaper: " percent(by_reaper), "as the reaper", \
	    by_reaper && by_call >= by_reaper - 0.01 ? "yes" : "no")
}

function judge_calls(    i, s, part, quiet) {
	for (i = 1; i <= scenarios; i++) {
		s = scenario_of[i]
		if (s !~ /^(munmap|mprotect|madvise|fork)-/)
			continue
		split(s, part, "-")
		quiet = !part[2] && !part[3]
		ratio_row(part[1] == "fork" ? "fork and exit" : part[1] == "madvise" ? "madvise(DONTNEED)" : part[1] "()", \
			  quiet ? "no notifier" : part[2] " interval, " part[3] " list", "instructions a call", "old", s, "new", s, \
			  "instructions", quiet ? 1.005 : 1.01, quiet ? 0.005 : 0.01, "unpatched")
	}
}

function judge_memory(    kinds, kind, k, s, added, tracing) {
	kinds = split("interval list", kind, " ")
	for (k = 1; k <= kinds; k++) {
		s = "memory-" kind[k]
		row("memory", "a registered " kind[k] " notifier", "bytes", shown("old", s, "bytes"), \
		    shown("new", s, "bytes"), "", "no growth", \
		    has("new", s, "bytes") && med("new", s, "bytes") && \
		    med("new", s, "bytes") <= med("old", s, "bytes") ? "yes" : "no")
	}
	added = med("new", "growth", "text")
	tracing = med("new", "growth", "tracepoints")
	# Stated, not judged
	row("memory", "functions", "bytes", "", sprintf("%+d", added), tracing + 0 " of these for tracepoints", "", "")
	row("memory", "data", "bytes", "", sprintf("%+d", med("new", "growth", "data")), "", "", "")
}

function plots(    i, s, n) {
	printf "" >(out "/sizes")
	printf "" >(out "/kvm")
	printf "" >(out "/intervals")
	for (i = 1; i <= scenarios; i++) {
		s = scenario_of[i]
		if (s ~ /^reaper-none-/) {
			n = substr(s, 13)
			print n, med("old", s, "instructions") / 1e6, med("new", s, "instructions") / 1e6, \
			      med("new", "reaper-refused-" n, "instructions") / 1e6 >(out "/sizes")
		} else if (s ~ /^kvm-/) {
			print substr(s, 5), med("old", s, "section") / 1e6, med("new", s, "section") / 1e6 >(out "/kvm")
		} else if (s ~ /^intervals-none-/) {
			n = substr(s, 16)
			print n, med("old", s, "instructions") / 1e6, med("new", s, "instructions") / 1e6, \
			      med("new", "intervals-half-" n, "instructions") / 1e6, \
			      med("new", "intervals-all-" n, "instructions") / 1e6, \
			      med("new", s, "calls"), med("new", "intervals-half-" n, "calls"), \
			      med("new", "intervals-all-" n, "calls") >(out "/intervals")
		}
	}
}

END {
	OFS = "\t"
	printf "" >(out "/rows")
	for (i = 1; i <= nr; i++) {
		split(figure_of[i], f, SUBSEP)
		line = f[1] OFS f[2]
		for (k = 1; k <= 2; k++) {
			kernel = k == 1 ? "old" : "new"
			m = med(kernel, f[1], f[2])
			line = line OFS (has(kernel, f[1], f[2]) ? m OFS min_of[kernel, f[1], f[2]] OFS max_of[kernel, f[1], f[2]] : OFS OFS)
		}
		print line >(out "/medians")
	}
	if (compare)
		exit
	judge_reaper()
	judge_intervals()
	judge_kvm()
	judge_bystanders()
	judge_mrelease()
	judge_calls()
	judge_memory()
	plots()
}
