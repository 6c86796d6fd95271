#!/bin/sh
# Mutants of the queue's lines in mm/, include/, fs/ and kernel/: the kernel with one
# line changed, see lab/mutate.py. All are in one User Mode Linux, which runs the KUnit
# suites in some seconds. Those that survive that get KUnit once more in the kernel of
# kunit.py, which has huge pages, then kselftests in User Mode Linux. What needs SMP is for
# scripts/prove.sh. Those that differ in nothing that can be seen stand in
# lab/mutants.equivalent, with the reason.
# usage: mutate-mm.sh build            makes and builds them
#        mutate-mm.sh run              KUnit, on those that have no result yet
#        mutate-mm.sh vm               KUnit in QEMU, on those that survived it
#        mutate-mm.sh tests [TEST...]  kselftests, on those that survived both
#        mutate-mm.sh table            what was seen; 1 if one survives, or if an
#                                      entry of lab/mutants.equivalent fits none
#        mutate-mm.sh all              all of it, results/BASE/mutate.txt
# ONLY=N,N   run, vm, tests: those mutants, again
. "$(dirname "$0")/lib/common.sh"

out=$build/mutants-mm/$BASE
results=$out/results
linux=$out/o-um/linux
# Of the kselftests those that see most, in two minutes
few="one_refusing ten_attempts progress refuse_then_accept list_chunks calls_per_pass
mrelease swap_counts worker_frees_always_refused worker_hangs mrelease_queues_pass
mrelease_beside_hung_pass turns_new_first oom_unstable.uffd_copy oom_unstable.uffd_zeropage
oom_unstable.uffd_poison oom_unstable.file_around
oom_unstable.file_single oom_unstable.copy_on_write oom_unstable.swap_in
oom_unstable.swap_off"
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
		tree_git rev-parse HEAD:mm HEAD:include HEAD:fs HEAD:kernel
	} | sha1sum >"$out/new/key"
	cmp -s "$out/new/key" "$out/key" || rm -rf "$results"
	mkdir -p "$results"
	mv "$out/new/key" "$out/key"
	mv "$out/new/list" "$out/list"
	nice -n 10 "$top/scripts/lib/um.sh" build "$out/tree" "$out/o-um"
	say "$(wc -l <"$out/list") mutants"
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

# boot LOG SECONDS ARGUMENT...
boot() { "$top/scripts/lib/um.sh" boot "$linux" "$@"; }

# verdict LOG CODE CASES: what is to be said of it, nothing if all is well
verdict() {
	if [ -n "$3" ]; then
		echo "caught $3"
	elif [ "$2" = 137 ]; then
		echo "hangs"
	elif [ "$2" != 0 ]; then
		echo "crashes"
	elif ! "$top/scripts/lib/check-console.sh" "$1" >/dev/null 2>&1; then
		echo "caught (console)"
	fi
}

# judge NUMBER SUFFIX CODE: of a run of KUnit; that of none has as many cases as planned
judge() {
	cases=$(sed -n 's/^    not ok [0-9]* \([^ ]*\).*/\1/p' "$out/log/$1$2" | paste -sd, -)
	seen=$(verdict "$out/log/$1$2" "$3" "$cases")
	ran=$(grep -cE '^    (not )?ok [0-9]' "$out/log/$1$2" || :)
	if [ "$1" = 0 ]; then
		echo "$ran" >"$out/planned$2"
	elif [ -z "$seen" ] && [ "$ran" != "$(cat "$out/planned$2")" ]; then
		seen="caught (a case without a result)"
	fi
	echo "${seen:-survived}" >"$results/$1$2"
}

# one NUMBER: KUnit on it
one() {
	boot "$out/log/$1" 60 mem=256M kunit.enable=1 kunit_shutdown=halt lab_mutant="$1" &&
		code=0 || code=$?
	judge "$1" "" "$code"
}

# one_in_vm NUMBER: the same in QEMU. kunit.py has 1 for all that is wrong.
one_in_vm() {
	timeout -k 5 400 "$top/scripts/lib/kunit-py.sh" exec "$out/tree" o-kunit 300 \
		--kernel_args=panic=-1 --kernel_args=lab_mutant="$1" 2>/dev/null | tr -d '\r' >"$out/log/$1.vm"
	judge "$1" .vm 0
}

# survivors SUFFIX: the numbers of those that nothing has noticed, without one of SUFFIX
survivors() {
	if [ -n "${ONLY:-}" ]; then
		pending
		return
	fi
	cut -d' ' -f1 "$out/list" | while read -r number; do
		[ ! -e "$results/$number$1" ] || continue
		[ "$(cat "$results/$number" "$results/$number.vm" 2>/dev/null | sort -u)" != survived ] ||
			echo "$number"
	done
}

# kselftest NUMBER TEST,...: kselftests on it
kselftest() {
	boot "$out/log/$1.tests" 400 mem=1200M initrd="$out/initramfs.cpio" rdinit=/init \
		lab.run=/bin/run-selftests lab.tests="$2" kunit.enable=0 lab_mutant="$1" &&
		code=0 || code=$?
	cases=$(sed -n 's/^LAB: not ok [0-9]* \([^ ]*\).*/\1/p' "$out/log/$1.tests" | paste -sd, -)
	seen=$(verdict "$out/log/$1.tests" "$code" "$cases")
	[ -n "$seen" ] || grep -q '^LAB-EXIT 0' "$out/log/$1.tests" || seen="hangs"
	echo "${seen:-survived}" >"$results/$1.tests"
}

run_them() {
	[ -x "$linux" ] || die "there are no mutants: run scripts/mutate-mm.sh build"
	# It would run none of them
	grep -q lab_mutant "$linux" || die "the mutants are old: run scripts/mutate-mm.sh build"
	mkdir -p "$out/log" "$results"
	one 0
	[ "$(cat "$results/0")" = survived ] || die "the suites fail as it is: see $out/log/0"
	[ "$(cat "$out/planned")" -gt 0 ] || die "no case was run: see $out/log/0"
	pending | nice -n 10 xargs -P "$((JOBS * 2))" -n 1 "$top/scripts/mutate-mm.sh" one
	say "KUnit: $(cat "$results"/* | cut -d' ' -f1 | sort | uniq -c | xargs)"
}

# In what User Mode Linux does not have
run_in_vm() {
	nice -n 10 "$top/scripts/lib/kunit-py.sh" build "$out/tree" o-kunit 300 \
		>"$out/build-vm.log" 2>&1 || die "kunit.py does not build it: see $out/build-vm.log"
	one_in_vm 0
	[ "$(cat "$results/0.vm")" = survived ] || die "the suites fail as it is: see $out/log/0.vm"
	[ "$(cat "$out/planned.vm")" -gt 0 ] || die "no case was run: see $out/log/0.vm"
	survivors .vm | nice -n 10 xargs -P "$JOBS" -n 1 "$top/scripts/mutate-mm.sh" one-in-vm
	say "KUnit in QEMU: $(cat "$results"/*.vm | cut -d' ' -f1 | sort | uniq -c | xargs)"
}

# What KUnit cannot see
run_tests() {
	installed=$("$top/scripts/lib/selftests.sh" "$tree")
	for name in oom_notifier oom_unstable; do
		cp "$installed/mm/$name" "$out/selftest-$name"
	done
	"$top/scripts/lib/initramfs.sh" "$out/o-um" um "$out/initramfs.cpio" \
		"$top/lab/guest/run/run-selftests" "$out/selftest-oom_notifier" "$out/selftest-oom_unstable"
	# shellcheck disable=SC2086 # a list
	[ $# -gt 0 ] || set -- $few
	tests=$(echo "$*" | tr ' ' ,)
	kselftest 0 "$tests"
	[ "$(cat "$results/0.tests")" = survived ] ||
		die "the kselftests fail as it is: see $out/log/0.tests"
	survivors .tests | nice -n 10 xargs -P "$((JOBS * 2))" -I N "$top/scripts/mutate-mm.sh" test N "$tests"
}

table() {
	while read -r number file what; do
		seen=$(cat "$results/$number" 2>/dev/null || echo "not run")
		for more in vm tests; do
			[ "$seen" != survived ] || [ ! -e "$results/$number.$more" ] ||
				seen=$(cat "$results/$number.$more")
		done
		printf '%s\t%s\t%s\n' "$file" "$what" "$seen"
	done <"$out/list" |
		awk -F'\t' -v what=file -v width=36 -v base="$BASE" -v all='^(mm|include|fs|kernel)/' \
			-f "$top/lab/mutants.awk" "$top/lab/mutants.equivalent" -
}

case $step in
build) make_them ;;
run) run_them ;;
vm) run_in_vm ;;
tests) run_tests "$@" ;;
one) one "$1" ;;
one-in-vm) one_in_vm "$1" ;;
test) kselftest "$1" "$2" ;;
table) table ;;
all)
	"$top/scripts/deps.sh"
	"$top/scripts/tree.sh" -w
	make_them
	run_them
	run_in_vm
	run_tests
	mkdir -p "$top/results/$BASE"
	{
		"$top/scripts/lib/environment.sh" "suites: KUnit in User Mode Linux, in QEMU, then kselftests in User Mode Linux"
		echo
		table && code=0 || code=1
	} >"$out/mutate.txt"
	cp "$out/mutate.txt" "$top/results/$BASE/mutate.txt"
	cat "$out/mutate.txt"
	[ "$code" = 0 ] || die "a mutant survives"
	;;
*) die "usage: mutate-mm.sh build|run|vm|tests|table|all" ;;
esac
