# Reads the console of the unpatched and of the patched kernel (in this order)
# and prints one line per figure, separated by tabs:
# scenario, figure, unpatched, patched, what the series promises, met (yes, NO or -)

FNR == 1 { kernel = NR == 1 ? "base" : "series" }
{ sub(/\r$/, "") }
/^LAB-DATA [^ ]+ [^ ]+ -?[0-9]+$/ { data[kernel, $2, $3] = $4 }

END {
	OFS = "\t"
	held("none", "256 MiB, no notifier", 0)
	held("one", "256 MiB, one refuses 4 KiB", 4)
	held("one-thp", "256 MiB in huge pages, one refuses 4 KiB", 2048)
	held("spread-64", "256 MiB, 64 refuse 4 KiB each", 64 * 4)
	whole("whole", "256 MiB, one interval over all of it refuses, accepts in blocking mode")
	held("one-1g", "1 GiB, one refuses 4 KiB", 4)
	held("spread-4096", "1 GiB, 4,096 refuse 4 KiB each", 4096 * 4)
	many("1 GiB, 4,096 refuse 4 KiB each")
	bystanders("limit 256 MiB: 160 MiB victim, 3 bystanders of 20 MiB")
	mrelease("process_mrelease(), 256 MiB, one refuses 4 KiB")
	exits("a 32 MiB victim that can exit, and a bystander")
	queue("victims that refuse 4 KiB for ever, in front of one that does not")
	waits("behind-slow", "a second container's victim behind a slow one", "kill to reaped", "reaped_ms", 2500)
	waits("hang-exit", "a driver hangs in its victim's exit, a bystander", "who needs memory gets it after", "served_ms", 0)
	waits("hang-holder", "the same, and who is to let go needs memory first", "he gets it after", "served_ms", 0)
	waits("hang-machine", "the same, and the whole machine is out of memory", "who needs memory gets it after", "served_ms", 0)
	list("list notifier refuses beside an interval tree")
	health("all of them")
}

function have(k, s, key) { return (k, s, key) in data }
function get(k, s, key) { return have(k, s, key) ? data[k, s, key] : -1 }

# A missing figure is never a promise that was met.
function row(scenario, figure, base, series, promise, met) {
	print scenario, figure, base, series, promise, met
}
function verdict(condition) { return condition ? "yes" : "NO" }

function size(kib) {
	if (kib < 0)
		return "?"
	if (kib == 0)
		return "0"
	if (kib < 1024)
		return kib " KiB"
	return sprintf(kib % 1024 ? "%.1f MiB" : "%d MiB", kib / 1024)
}
function seconds(us) {
	if (us < 0)
		return "?"
	return us < 1000000 ? sprintf("%.1f ms", us / 1000) : sprintf("%.2f s", us / 1000000)
}

# What a pass has left is known where the tracepoint says it. The pages are
# counted later, and a worker may have been at them by then.
function after_pass(k, s,    left) {
	left = get(k, s, "first_pass_left_kib_by_trace")
	return left > get(k, s, "first_pass_left_kib") ? left : get(k, s, "first_pass_left_kib")
}
function held_at(k, s, i) {
	return i == 1 ? after_pass(k, s) : get(k, s, "held_" (2 * i - 3) "s_kib")
}
function held_all(k, s,    n, i, kib, text, same, large) {
	n = 4
	same = 1
	for (i = 1; i <= n; i++) {
		kib = held_at(k, s, i)
		if (kib < 0 || kib != held_at(k, s, 1))
			same = 0
	}
	large = held_at(k, s, 1) >= 1024
	for (i = 1; i <= n; i++) {
		kib = held_at(k, s, i)
		text = text (i > 1 ? " / " : "") (same ? (large ? kib / 1024 : kib) : size(kib))
	}
	return text (!same || !kib ? "" : large ? " MiB" : " KiB")
}
# The 1 s is shown but not judged: where QEMU is slow, the first pass may still
# be under way by then. The pages are counted, so there is no tolerance.
function within(s, key, limit) {
	return get("series", s, key) >= 0 && get("series", s, key) <= limit
}
function pass_within(s, limit) {
	return within(s, "first_pass_left_kib", limit) && after_pass("series", s) <= limit
}
function held(s, scenario, limit,    ok) {
	ok = pass_within(s, limit) &&
	     within(s, "held_3s_kib", limit) && within(s, "held_5s_kib", limit)
	if (s == "one-thp" && get("series", s, "huge_kib") < get("series", s, "size_kib"))
		ok = 0
	row(scenario, "held after pass 1, 1 s, 3 s, 5 s", held_all("base", s),
	    held_all("series", s), limit ? "<= " size(limit) : "0", verdict(ok))
}

# Not by the reaper, who is refused all of it
function whole(s, scenario) {
	row(scenario, "held after pass 1, 1 s, 3 s, 5 s", held_all("base", s),
	    held_all("series", s), "<= 4 KiB after 1 s",
	    verdict(within(s, "held_1s_kib", 4) && within(s, "held_3s_kib", 4) &&
		    within(s, "held_5s_kib", 4)))
}

function calls(k, s) {
	return get(k, s, "calls_first_pass") " / " get(k, s, "calls_max") " (" \
		get(k, s, "passes") " passes)"
}
# The guest plays a scenario again if a busy host may have spoilt its time.
function pass_us(k, s,    again) {
	again = get(k, s "-again", "first_pass_us")
	return again > 0 && again < get(k, s, "first_pass_us") ? again : get(k, s, "first_pass_us")
}
function pass_time(k, s,    none) {
	none = pass_us(k, "none-1g")
	if (none <= 0)
		return "?"
	if (get(k, s, "first_pass_left_kib") >= get(k, s, "size_kib"))
		return "frees nothing"
	return sprintf("%s, %.2f x", seconds(pass_us(k, s)), pass_us(k, s) / none)
}
function many(scenario,    s, none, took) {
	s = "spread-4096"
	row(scenario, "calls per notifier: pass 1 / all", calls("base", s),
	    calls("series", s), "1 per pass",
	    verdict((get("series", s, "calls_first_pass") == 1 ||
		     !get("series", s, "first_pass_alone")) &&
		    get("series", s, "calls_max") >= 1 &&
		    within(s, "calls_max", get("series", s, "passes"))))
	none = pass_us("series", "none-1g")
	took = pass_us("series", s)
	row(scenario, "pass 1, compared to no notifier", pass_time("base", s),
	    pass_time("series", s), "<= 2 x",
	    verdict(took > 0 && none > 0 && took <= 2 * none &&
		    pass_within(s, 4096 * 4)))
}

function bystanders(scenario,    s) {
	s = "bystanders"
	row(scenario, "processes killed", get("base", s, "kills"), get("series", s, "kills"),
	    "1", verdict(get("series", s, "kills") == 1))
	row(scenario, "bystanders among them", get("base", s, "bystanders_killed"),
	    get("series", s, "bystanders_killed"), "0",
	    verdict(get("series", s, "bystanders_killed") == 0))
	row(scenario, "held after pass 1, 1 s, 3 s, 5 s", held_all("base", s),
	    held_all("series", s), "<= 4 KiB",
	    verdict(pass_within(s, 4) && within(s, "held_5s_kib", 4)))
}

function ms(v) { return v < 0 ? "never" : sprintf("%.2f s", v / 1000) }
function queue(scenario,    n, i, part, s, alone, kernels, k, text, met) {
	n = split("0 1 8 64", part, " ")
	split("base series", kernels, " ")
	alone = get("series", "behind-0", "reaped_ms")
	met = alone >= 0
	for (i = 1; i <= n; i++) {
		s = "behind-" part[i]
		for (k = 1; k <= 2; k++)
			text[k] = text[k] (i > 1 ? " / " : "") ms(get(kernels[k], s, "reaped_ms"))
		if (get("series", s, "reaped_ms") < 0 || get("series", s, "reaped_ms") > 1.2 * alone)
			met = 0
	}
	row(scenario, "kill to reaped: alone, behind 1, 8, 64", text[1], text[2],
	    "within 20 % of alone", verdict(met))
}

# Not later than unpatched, and with a limit not later than that, either. What is
# never served unpatched has to be served.
function waits(s, scenario, figure, key, limit,    base, series, promise) {
	base = get("base", s, key)
	series = get("series", s, key)
	promise = limit ? "<= " limit / 1000 " s, and not later than unpatched" : \
		"not later than unpatched + 10 %"
	row(scenario, figure, ms(base), ms(series), promise,
	    verdict(series >= 0 && (!limit || series <= limit) &&
		    (base < 0 || series <= base * (limit ? 1 : 1.1))))
}

function errno(n) {
	return n == 0 ? "0" : n == 11 ? "EAGAIN" : "errno " n
}
function freed(k) {
	return get(k, "mrelease", "freed_kib") " of " get(k, "mrelease", "before_kib") " KiB"
}
function mrelease(scenario,    s) {
	s = "mrelease"
	row(scenario, "freed by the first call", freed("base"), freed("series"),
	    "all but 4 KiB", verdict(within(s, "left_kib", 4) && get("series", s, "freed_kib") > 0))
	row(scenario, "it returns", errno(get("base", s, "errno")), errno(get("series", s, "errno")),
	    "EAGAIN", verdict(get("series", s, "errno") == 11))
}

# Each round has one victim and should have no other.
function exits(scenario,    s, rounds) {
	s = "exits"
	rounds = get("series", s, "rounds")
	row(scenario, "killed in " rounds " rounds", get("base", s, "kills"),
	    get("series", s, "kills"), rounds,
	    verdict(rounds > 0 && get("series", s, "kills") == rounds &&
		    get("series", s, "served") == rounds))
}

function hang(k, key) {
	return !have(k, "list", key) ? "?" : get(k, "list", key) ? "hangs" : "returns"
}
function leaves(k) {
	if (!have(k, "list", "victim_hang"))
		return "?"
	return get(k, "list", "victim_hang") ? "hangs, holds " size(get(k, "list", "left_kib")) : \
		"leaves, all is freed"
}
# What the cgroup itself costs is charged to it, too: 1 MiB for that.
function list(scenario) {
	row(scenario, "mmu_interval_read_begin()", hang("base", "read_begin_hang"),
	    hang("series", "read_begin_hang"), "returns",
	    verdict(get("series", "list", "read_begin_hang") == 0))
	row(scenario, "mmu_interval_notifier_remove()", hang("base", "remove_hang"),
	    hang("series", "remove_hang"), "returns",
	    verdict(get("series", "list", "remove_hang") == 0))
	row(scenario, "the victim, once nothing holds it", leaves("base"), leaves("series"),
	    "leaves", verdict(get("series", "list", "victim_hang") == 0 &&
			      within("list", "left_kib", 1024)))
}

function lost(k,    i, part, n) {
	for (i in data) {
		split(i, part, SUBSEP)
		if (part[1] == k && part[3] == "hang")
			n += data[i]
	}
	return n + 0
}
function health(scenario) {
	row(scenario, "other victims that hang", lost("base"), lost("series"), "0",
	    verdict(lost("series") == 0))
	row(scenario, "warnings of the kernel", get("base", "kernel", "warnings"),
	    get("series", "kernel", "warnings"), "0",
	    verdict(get("series", "kernel", "warnings") == 0))
}
