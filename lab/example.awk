# The worked example's document: what it tells its reader to run, and whether
# what it shows is what came of it.
#	awk -v mode=extract -f example.awk DOCUMENT
# prints a line PART TAB COMMAND for each command. Root's ("# ...") are in part 1,
# after a "# reboot" in part 2, and so on; the builder's ("$ ...") in part 0.
#	awk -v mode=compare -f example.awk DOCUMENT SAID...
# prints a line "ok ..." or "not ok ..." for each command that was run. SAID has
# lines "# COMMAND" or "$ COMMAND", each followed by its output, "| LINE".
# In a block of the document the commands come first; all that follows is the
# output of the last one. A line "[...]" there stands for any number of lines.
# What may be in a call trace ("?") differs from run to run, and is left out.

function normal(line) {
	sub(/^\[ *[0-9]+\.[0-9]+\]/, "[time]", line)
	gsub(/0x[0-9a-f]+/, "0xX", line)
	gsub(/[0-9a-f][0-9a-f][0-9a-f][0-9a-f][0-9a-f][0-9a-f][0-9a-f][0-9a-f]+/, "X", line)
	gsub(/pid:? [0-9]+/, "pid N", line)
	gsub(/PID: [0-9]+/, "PID: N", line)
	gsub(/CPU: [0-9]+/, "CPU: N", line)
	gsub(/use_mirror-[0-9]+/, "use_mirror-N", line)
	gsub(/use_mirror\/[0-9]+/, "use_mirror/N", line)
	gsub(/kworker\/[^ ]+/, "kworker", line)
	gsub(/\[00[0-9]\] [^ ]+ +[0-9.]+:/, "cpu time:", line)
	gsub(/pfn:[^ ]*/, "pfn:X", line)
	gsub(/index:[^ ]*/, "index:X", line)
	gsub(/of [0-9]+ KiB of private/, "of N KiB of private", line)
	gsub(/cache: [0-9]+ KiB before, [0-9]+ KiB/, "cache: N KiB before, N KiB", line)
	gsub(/pid N: [0-9]+, without mmap_lock: [0-9]+/, "pid N: N, without mmap_lock: N", line)
	gsub(/refused [0-9]+ times/, "refused N times", line)
	gsub(/hitcount: +[0-9]+/, "hitcount: N", line)
	gsub(/Hits: [0-9]+/, "Hits: N", line)
	gsub(/Tainted: [^0-9]* [0-9].*/, "Tainted", line)
	gsub(/[ \t]+/, " ", line)
	sub(/ $/, "", line)
	return line
}

# said[N, 1..lines[N]] matches shown[1..nr_shown]
function differs(n,    i, j, any) {
	i = 1
	for (j = 1; j <= nr_shown; j++) {
		if (shown[j] == "[...]") {
			any = 1
			continue
		}
		while (any && i <= lines[n] && normal(said[n, i]) != normal(shown[j]))
			i++
		if (i > lines[n])
			return "nothing said \"" shown[j] "\""
		if (normal(said[n, i]) != normal(shown[j]))
			return "\"" said[n, i] "\", not \"" shown[j] "\""
		any = 0
		i++
	}
	if (!any && i <= lines[n])
		return "there was also \"" said[n, i] "\""
	return ""
}

function close_command(    n, why) {
	if (command == "")
		return
	if (mode == "extract") {
		if (command == "# reboot")
			part++
		else
			print (command ~ /^\$/ ? 0 : part) "\t" substr(command, 3)
	} else {
		n = ++turn[command]
		if ((command, n) in ran) {
			why = differs(ran[command, n])
			compared++
			print (why == "" ? "ok " : "not ok ") label ": the document shows what is said to: " \
				substr(command, 3) (why == "" ? "" : " (" why ")")
		} else if (command ~ /^#/ && command != "# reboot") {
			print "not ok " label ": the document's command is run: " substr(command, 3)
		}
	}
	command = ""
	nr_shown = 0
}

BEGIN {
	part = 1
	if (mode == "compare") {
		for (i = 2; i < ARGC; i++) {
			while ((getline line <ARGV[i]) > 0) {
				if (line ~ /^[#$] /) {
					nr++
					ran[line, ++times[line]] = nr
				} else if (line ~ /^\| *[^ ]/ && line !~ /\]  \? /) {
					said[nr, ++lines[nr]] = substr(line, 3)
				}
			}
			ARGV[i] = ""
		}
	}
}

# A block is what is indented behind "::", up to what is not.
/^[^ ]/ { close_command(); block = /::$/ && !/^\.\. /; output = 0; next }
!block || /^$/ { next }
{ line = substr($0, 3) }
more { sub(/^ */, "", line); command = command " " line; more = sub(/ \\$/, "", command); next }
!output && line ~ /^[#$] / {
	close_command()
	command = line
	more = sub(/ \\$/, "", command)
	next
}
{ output = 1; shown[++nr_shown] = line }
END {
	close_command()
	if (mode == "compare" && !compared)
		print "not ok " label ": nothing was compared"
}
