# Makes the table of the users of MMU notifiers from what was seen.
# usage: awk -f users.awk notifiers base-calls series-calls
#   notifiers: what scripts/list-notifiers.sh prints
#   calls: LAB-USER CALLBACK STATE RESULT [REASON...], LAB-LINES USER CALLBACK
#   PERCENT OF, LAB-REHEARSED CALLBACK slept|silent, LAB-CALLED CALLBACK TIMES,
#   LAB-POINTS CALLBACK POINTS CALLS BARRED HOLES PATH... and LAB-FAILURE CALLBACK
#   WHAT..., from test-users.sh and test-real.sh
# Ends with 1 if a callback was not tested or does not keep the contract in the
# series, or if a rehearsal does not find those that sleep, and only those.
FNR == 1 { part++ }
part == 1 {
	count++
	file[count] = $1
	kind[count] = $2
	callback[count] = $3
	next
}
{ variant = part == 2 ? "base" : "series" }
$1 == "LAB-USER" {
	seen[variant, $2]++
	if (variant == "series" && !state[$2, $3]++)
		states[$2]++
	if ($3 != "blocking")
		calls[variant, $2]++
	if ($3 == "idle")
		idle[variant, $2]++
	if ($4 == "slept")
		slept[variant, $2] = 1
	else if ($3 == "busy" && $4 == "succeeded")
		lied[variant, $2] = 1
	else if ($3 == "idle" && $4 == "succeeded")
		progressed[variant, $2]++
	if (variant == "series" && $3 == "idle" && $4 == "refused") {
		why = $0
		sub(/^LAB-USER [^ ]+ [^ ]+ [^ ]+ ?/, "", why)
		if (why == "")
			unexplained[$2] = 1
		else if (!index(reason[$2], why))
			reason[$2] = reason[$2] (reason[$2] ? "; " : "") why
	}
}
$1 == "LAB-POINTS" && variant == "series" {
	points[$2] += $3
	paths[$2]++
	interrupted += $4 - $5
}
$1 == "LAB-FAILURE" && variant == "series" {
	what = $0
	sub(/^LAB-FAILURE [^ ]+ /, "", what)
	if (!failure[$2, what]++)
		failures[$2]++
	injected[$2]++
}
$1 == "LAB-CALLED" { rehearsed[variant, $2] += $3 }
$1 == "LAB-REHEARSED" && $3 == "slept" { caught[variant, $2] = 1 }
$1 == "LAB-LINES" && variant == "series" { lines[$3] = $4 " of " $5 }

function verdict(variant, name) {
	if (!seen[variant, name])
		return "not seen"
	if (slept[variant, name])
		return "**violates**: sleeps"
	if (lied[variant, name])
		return "**violates**: lies"
	if (!progressed[variant, name])
		return "refuses"
	if (progressed[variant, name] == idle[variant, name])
		return "progresses when idle"
	return "progresses in " progressed[variant, name] " of " \
		idle[variant, name] " idle calls"
}

# What a rehearsal has to say about a callback that is known to sleep, or not to
function check_rehearsal(variant, name) {
	if (rehearsed[variant, name]) {
		nr_rehearsed[variant]++
		if (caught[variant, name]) {
			nr_caught[variant]++
			names[variant] = names[variant] (names[variant] ? ", " : "") \
				"`" name "`"
		}
	} else if (variant == "series") {
		print variant ": " name " was not rehearsed" >"/dev/stderr"
		bad = 1
	}
	if (slept[variant, name] + 0 != caught[variant, name] + 0) {
		print variant ": " name (caught[variant, name] ? \
			" slept in a rehearsal only" : \
			" sleeps, and was not caught in a rehearsal") >"/dev/stderr"
		bad = 1
	}
}

# "slept in a rehearsal" of how many callbacks
function rehearsals(variant) {
	return nr_caught[variant] + 0 " of " nr_rehearsed[variant] + 0 \
		(names[variant] ? " (" names[variant] ")" : "")
}

END {
	print "| notifier | callback | unpatched | patched | non-blocking calls | states tried | points visited (paths) | failures injected (kinds) | lines reached | what is still refused although idle |"
	print "|---|---|---|---|---|---|---|---|---|---|"
	for (i = 1; i <= count; i++) {
		name = callback[i]
		sub(/^drivers\//, "", file[i])
		if (name == "-") {
			others = others (others ? ", " : "") file[i]
			continue
		}
		before = verdict("base", name)
		now = verdict("series", name)
		printf "| %s (%s) | `%s` | %s | %s | %d | %d | %s | %s | %s | %s |\n", file[i], kind[i],
			name, before, now, calls["series", name], states[name],
			points[name] ? points[name] " (" paths[name] ")" : "none",
			injected[name] ? injected[name] " (" failures[name] ")" : "none",
			name in lines ? lines[name] : "", reason[name]
		check_rehearsal("base", name)
		check_rehearsal("series", name)
		if (before ~ /violates/)
			violating++
		if (now ~ /violates|not seen/ || unexplained[name])
			bad = 1
		if (now ~ /violates/)
			still++
	}
	print ""
	printf "Callbacks that violate the contract: %d unpatched, %d patched.\n", violating, still
	print "At each point of the drivers' own paths where a lock is taken or released, " \
		"something is waited for, or pages are looked up, the callback was called " \
		"with and without blocking, and the judge looked: " interrupted + 0 " calls, " \
		"but for points at which the path holds the mmap_lock for writing."
	print "Caught by a rehearsal on a living process, without any OOM: unpatched " \
		rehearsals("base") ", patched " rehearsals("series") ". The drivers of " \
		"both trees are rehearsed by the patched kernel; KVM, which is a part of " \
		"the kernel that it runs in, by the patched one alone."
	print "Not on this path, as they have neither callback: " others "."
	exit bad
}
