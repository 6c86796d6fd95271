#!/bin/sh
# Mutants of the driver patches: the KUnit modules of lab/drivers with one line of
# the driver changed, see lab/mutate.py. A mutant is caught if make drivers fails with
# it: a case does, or there is a report of a checker on the console. Those that
# differ in nothing that can be seen stand in lab/mutants.equivalent, with the reason.
# usage: mutants.sh build [DRIVER...] makes and builds them
#        mutants.sh run [N]           at most N that have no result yet, in a VM, and
#                                     in others if one hangs; LIMIT=SECONDS for all
#        mutants.sh table             what was seen; 1 if one survives
#        mutants.sh keep              the same, kept in results/BASE
#        mutants.sh all [DRIVER...]   all of it
# SOURCES=DIR takes the sources of a tree of your own, which has to be a git tree.
# ONLY=WORD has build keep the results of the others: survived, caught, hangs.
. "$(dirname "$0")/lib/common.sh"

out=$build/mutants/$BASE
results=$out/results
console=$out/console.log
step=${1:-}
[ $# = 0 ] || shift

# What is in a file that no driver includes is not run.
drivers_in_list() { cut -d' ' -f2 "$out/list" | sort -u | grep -vx -e nobody -e '' || :; }

make_them() {
	tree_git rev-parse -q --verify base >/dev/null || die "$tree is missing: run make tree"
	rm -rf "$out/tree" "$out/list.new"
	mkdir -p "$results"
	[ ! -e "$out/list" ] || mv "$out/list" "$out/list.old"
	python3 "$top/lab/mutate.py" "${SOURCES:-$tree}" base "$top/lab/drivers" "$out"
	# As it is, before all others
	drivers_in_list | while read -r driver; do
		printf '0 %s -\tas it is\n' "$driver"
	done >"$out/list.new"
	cat "$out/list" >>"$out/list.new"
	# Results are of a list, and are dropped with it.
	if [ -z "${ONLY:-}" ] || ! cmp -s "$out/list.new" "$out/list.old"; then
		rm -f "$results"/*
	else
		grep -lE " ${ONLY}( |\$)" "$results"/* | xargs -r rm -f
		rm -f "$results"/*-0
	fi
	mv "$out/list.new" "$out/list"
	rm -f "$out/list.old"
	# shellcheck disable=SC2046 # a list
	[ $# -gt 0 ] || set -- $(drivers_in_list)
	for driver; do
		"$top/scripts/lib/build-drivers.sh" mutants "$driver" >/dev/null
	done
	echo "$*" >"$out/drivers"
}

# known: "NUMBER DRIVER" of those that are expected to survive, which takes longest
known() {
	awk -F'\t' '
		FNR == NR { known[$1 "\t" $2]; next }
		{
			split($1, word, " ")
			name = word[3]
			sub(/:[0-9]+$/, "", name)
			if (name "\t" $2 in known)
				print word[1], word[2]
		}' "$top/lab/mutants.equivalent" "$out/list"
}

# pending: "NUMBER DRIVER", those that were built and have no result; mixed, as
# neighbours are alike. 0 goes first. What is about locks may end the run of its driver
# in that VM, and comes last; so does what is expected to survive.
pending() {
	known >"$out/known"
	while read -r number driver what; do
		case " $(cat "$out/drivers") " in *" $driver "*) ;; *) continue ;; esac
		[ ! -e "$results/$driver-$number" ] || continue
		later=0
		! grep -qx "$number $driver" "$out/known" || later=1000
		case $what in
		*lockdep*) ;;
		*trylock*) later=1500 ;;
		*unlock* | *_lock"("* | *up_read* | *up_write* | *down_read* | *down_write*) later=2000 ;;
		esac
		echo "$((number * 7919 % 1000 + later)) $number $driver"
	done <"$out/list" | sort -n | cut -d' ' -f2-
}

# verdict NUMBER DRIVER: from $out/one, what the console says of it
verdict() {
	cases=$(sed -n 's/^    not ok [0-9]* \([^ ]*\).*/\1/p' "$out/one" | paste -sd, -)
	ran=$(grep -cE '^    (not )?ok [0-9]' "$out/one" || :)
	planned=$(sed -n 's/^    1\.\.\([0-9]*\)$/\1/p' "$out/one" | head -1)
	if [ -n "$cases" ]; then
		echo "caught $cases"
	elif grep -q "^LAB-MUTANT-HANGS" "$out/one"; then
		echo "hangs"
	elif grep -qE 'Kernel panic|Oops' "$out/one"; then
		echo "crashes"
	elif grep -q "^LAB-MUTANT-SLOW" "$out/one"; then
		:
	elif ! grep -q "^LAB-MUTANT-DONE" "$out/one"; then
		# The VM was out of time. If it had all of it, it is this one's fault.
		[ "$1 $2" != "$(head -1 "$out/now")" ] || echo "hangs"
	elif [ "$ran" != "${planned:-none}" ]; then
		echo "caught (a case without a result)"
	elif ! "$top/scripts/lib/check-console.sh" "$out/one" 2>/dev/null; then
		echo "caught (console)"
	elif ! grep -q "^LAB-MUTANT-WEAK" "$out/one"; then
		echo "survived"
	fi
}

# modules: of the drivers in $out/now; the common one is the same everywhere
modules() {
	# shellcheck disable=SC2013 # words
	for one in $(cut -d' ' -f2 "$out/now" | sort -u); do
		echo "$build/drivers/$BASE/mutants-$one/$one/lab_$one.ko"
	done
	echo "$build/drivers/$BASE/mutants-$one/drivers.ko"
}

# in_a_vm SECONDS: those in $out/now
in_a_vm() {
	cp "$out/now" "$out/lab-mutants"
	# shellcheck disable=SC2046 # a list
	"$top/scripts/lib/initramfs.sh" series debug "$out/initramfs.cpio" "$top/lab/guest/run/run-mutants" \
		"$top/lab/guest/rehearsals" "$out/lab-mutants" $(modules)
	"$top/scripts/lib/boot.sh" -t "$1" -a "lab.run=/bin/run-mutants kunit.enable=1 log_buf_len=4M" \
		"$tree/o-debug/arch/x86/boot/bzImage" "$out/initramfs.cpio" "$console" >"$out/boot.log" 2>&1 || :
	tr -d '\r' <"$console" | sed 's/^\[[^]]*\] //' >"$out/lines"
	while read -r number driver; do
		grep -q "^LAB-MUTANT $number $driver\$" "$out/lines" || continue
		sed -n "/^LAB-MUTANT $number $driver\$/,/^LAB-MUTANT /{/^LAB-MUTANT /!p}" "$out/lines" >"$out/one"
		seen=$(verdict "$number" "$driver")
		[ -n "$seen" ] || continue
		[ "$number" != 0 ] || [ "$seen" = survived ] ||
			say "$driver fails as it is: $seen; see $out/log-$driver-0"
		echo "$number $seen" >"$results/$driver-$number"
		cp "$out/one" "$results/../log-$driver-$number"
	done <"$out/now"
	pending >"$out/pending"
	say "$(wc -l <"$out/pending") mutants are left"
}

# One that hangs ends its VM: there is another one while there is time.
run_them() {
	[ -e "$out/drivers" ] || die "there are no mutants: run scripts/mutants.sh build"
	end=$(($(date +%s) + ${LIMIT:-580}))
	left=${LIMIT:-580}
	while [ "$left" -ge 120 ]; do
		pending >"$out/pending"
		head -"${1:-150}" "$out/pending" >"$out/now"
		[ -s "$out/now" ] || break
		before=$(wc -l <"$out/pending")
		in_a_vm "$left"
		[ "$before" != "$(wc -l <"$out/pending")" ] || break
		left=$((end - $(date +%s)))
	done
}

table() {
	while read -r number driver what; do
		if [ "$number" = 0 ]; then
			[ "$(cut -d' ' -f2 "$results/$driver-0" 2>/dev/null)" = survived ] ||
				say "$driver does not pass as it is, so its results mean nothing"
			continue
		fi
		seen=$(cut -d' ' -f2- "$results/$driver-$number" 2>/dev/null || echo "not run")
		printf '%s\t%s\t%s\n' "$driver" "$what" "$seen"
	done <"$out/list" |
		awk -F'\t' -v what=driver -v width=12 -v base="$BASE" -f "$top/lab/mutants.awk" "$top/lab/mutants.equivalent" -
}

keep() {
	mkdir -p "$top/results/$BASE"
	table >"$top/results/$BASE/mutants.txt" && code=0 || code=1
	"$top/scripts/lib/environment.sh" >"$top/results/$BASE/mutants-environment.txt"
	"$top/scripts/lib/results.sh"
	cat "$top/results/$BASE/mutants.txt"
	[ "$code" = 0 ] || die "a mutant survives, or was not run"
}

case $step in
build) make_them "$@" ;;
run) run_them "$@" ;;
table) table ;;
keep) keep ;;
all)
	"$top/scripts/deps.sh"
	"$top/scripts/tree.sh" -w
	"$top/scripts/build.sh" series debug
	make_them "$@"
	last=-1
	pending >"$out/pending"
	while [ -s "$out/pending" ]; do
		[ "$last" != "$(wc -l <"$out/pending")" ] || die "no mutant was run: see $console"
		last=$(wc -l <"$out/pending")
		run_them
	done
	keep
	;;
*) die "usage: mutants.sh build|run|table|keep|all" ;;
esac
