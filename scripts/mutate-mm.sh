#!/bin/sh
# Mutants of the queue's lines in mm/ and include/: the kernel with one line changed,
# see lab/mutate.py. First the KUnit suites run on each, in User Mode Linux, which is
# one program with all mutants, two seconds each. What they leave the kselftests get,
# in VMs with the debug kernel, which has all of them, too. Those that differ in
# nothing that can be seen stand in lab/mutants.equivalent, with the reason.
# usage: mutate-mm.sh build        makes them, builds User Mode Linux
#        mutate-mm.sh run          KUnit on each that has no result yet
#        mutate-mm.sh vm [TEST...] kselftests (all), one VM for each that survived
#        mutate-mm.sh table        what was seen; 1 if one survives
#        mutate-mm.sh all          all of it, results/BASE/mutate.txt
# ONLY=N,N   run, vm: those mutants, again
. "$(dirname "$0")/lib.sh"

out=$build/mutants-mm/$BASE
results=$out/results
linux=$out/o-um/linux
step=${1:-}
[ $# = 0 ] || shift

# What is the same keeps its time, and is not built again.
take_in() {
	(cd "$out/new/tree" && find . -type f) | while read -r file; do
		cmp -s "$out/new/tree/$file" "$1/$file" && continue
		mkdir -p "$1/${file%/*}"
		rm -f "$1/$file"
		cp "$out/new/tree/$file" "$1/$file"
	done
}

make_them() {
	tree_git rev-parse -q --verify base >/dev/null || die "$tree is missing: run make tree"
	mkdir -p "$out/o-um" "$results"
	rm -rf "$out/new"
	mkdir "$out/new"
	python3 "$top/lab/mutate.py" "$tree" base mm "$out/new"
	# Links to another set of files would be in the way
	(cd "$out/new/tree" && find . -type f | sort) >"$out/new/files"
	cmp -s "$out/new/files" "$out/files" || rm -rf "$out/tree"
	mv "$out/new/files" "$out/files"
	[ -d "$out/tree" ] || cp -a "$out/new/tree" "$out/tree"
	take_in "$out/tree"
	# Results are of the list and of the suites.
	{
		cat "$out/new/list" "$tree"/mm/tests/*.[ch]
		tree_git rev-parse HEAD:mm HEAD:include
	} | sha1sum >"$out/new/key"
	cmp -s "$out/new/key" "$out/key" || rm -rf "$results"
	mkdir -p "$results"
	mv "$out/new/key" "$out/key"
	mv "$out/new/list" "$out/list"
	make_um KCONFIG_ALLCONFIG="$top/lab/um.config" allnoconfig
	make_um
	say "$(wc -l <"$out/list") mutants"
}

make_um() {
	nice -n 10 make --no-print-directory -C "$out/tree" O=../o-um ARCH=um CC="ccache gcc" \
		-j"$JOBS" "$@" </dev/null >"$out/build.log" 2>&1 || {
		grep -n 'error:' "$out/build.log" | head -10 >&2
		die "User Mode Linux does not build: see $out/build.log"
	}
}

# pending SUFFIX: the numbers of those that have no result
pending() {
	if [ -n "${ONLY:-}" ]; then
		echo "$ONLY" | tr , '\n'
		return
	fi
	{ echo 0; cut -d' ' -f1 "$out/list"; } | while read -r number; do
		[ -e "$results/$number" ] || echo "$number"
	done
}

# one NUMBER: runs the suites
one() {
	log=$out/log/$1
	TMPDIR=/tmp timeout -s KILL 60 "$linux" mem=256M kunit.enable=1 kunit_shutdown=halt \
		users_mutant="$1" panic=-1 loglevel=7 </dev/null >"$log.raw" 2>&1 && code=0 || code=$?
	tr -d '\r' <"$log.raw" | sed 's/^\[[^]]*\] //' >"$log"
	rm -f "$log.raw"
	cases=$(sed -n 's/^    not ok [0-9]* \([^ ]*\).*/\1/p' "$log" | paste -sd, -)
	ran=$(grep -cE '^    (not )?ok [0-9]' "$log" || :)
	if [ -n "$cases" ]; then
		echo "caught $cases"
	elif [ "$code" = 137 ]; then
		echo "hangs"
	elif grep -qE 'Kernel panic|Kernel mode fault|Segfault|BUG: ' "$log"; then
		echo "crashes"
	elif [ "$1" != 0 ] && [ "$ran" != "$(cat "$out/planned" 2>/dev/null)" ]; then
		echo "caught (a case without a result)"
	elif ! "$top/scripts/check-console.sh" "$log" >/dev/null 2>&1; then
		echo "caught (console)"
	else
		[ "$1" != 0 ] || echo "$ran" >"$out/planned"
		echo "survived"
	fi >"$results/$1"
}

run_them() {
	[ -x "$linux" ] || die "there are no mutants: run scripts/mutate-mm.sh build"
	mkdir -p "$out/log" "$results"
	one 0
	[ "$(cat "$results/0")" = survived ] ||
		die "the suites fail as it is: see $out/log/0"
	pending | nice -n 10 xargs -P 6 -n 1 "$top/scripts/mutate-mm.sh" one
	say "KUnit: $(cat "$results"/* | cut -d' ' -f1 | sort | uniq -c | xargs)"
}

table() {
	while read -r number user what; do
		seen=$(cat "$results/$number" 2>/dev/null || echo "not run")
		[ "$seen" != survived ] || seen=$(cat "$results/$number.vm" 2>/dev/null || echo survived)
		printf '%s\t%s\t%s\n' "$user" "$what" "$seen"
	done <"$out/list" | python3 "$top/lab/mutants.py" "$top/lab/mutants.equivalent"
}

case $step in
build) make_them ;;
run) run_them ;;
one) one "$1" ;;
*) die "usage: mutate-mm.sh build|run|vm|table|all" ;;
esac
