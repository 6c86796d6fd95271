#!/bin/sh
# Takes one fix at a time out of the series, builds, and shows that the tests
# which are there for it fail. What is taken out stands in lab/prove/BASE/*.patch:
#   Patch: <the patch of the queue that it is about, SLUG.patch>
#   Fails: kunit SUITE.CASE | selftest [PROGRAM.]TEST | drivers DRIVER.CASE | rules WORD |
#     swapoff WORD | soak WORD
# (one line each, all must fail)
#   Hangs: yes
# (the VM may not come back: without this line that proves nothing)
# and then a diff against the whole series; or none, then that patch is
# reverted as it is. Those of the default base are taken for the others as well, as
# far as they apply. lab/prove/none says which patches have no proof, and why. The
# table is kept in results/BASE/prove.txt; with names,
# only their lines are replaced there. It tells three kinds apart: a patch that is
# undone, code that is altered, and the test device that is altered; what the test
# said is in prove-how.txt. KUnit and kselftests are run in User Mode Linux, where a
# proof takes a minute, and in the VM if they do not pass there on the series.
# usage: prove.sh [NAME...]     default: all of them
# shellcheck disable=SC2013,SC2046,SC2086 # lists of words
. "$(dirname "$0")/lib/common.sh"

field_of() { sed -n "/^diff /q; s/^$1: //p" "$2"; }

# path_of SLUG.patch: with its series; nothing if it is not in the queue
path_of() { queue_names | grep -E "/$1\$" || :; }

# apply_proof FILE SERIES/SLUG.patch [--check]: to the scratch tree
apply_proof() {
	if grep -q '^diff ' "$1"; then
		plain_git -C "$scratch" apply ${3:-} -C1 --recount "$1"
	else
		plain_git -C "$scratch" apply ${3:-} -R --3way "$queue/$2"
	fi >"$out/log" 2>&1
}

"$top/scripts/deps.sh"
"$top/scripts/tree.sh" -w
scratch_tree
plain_git -C "$scratch" checkout -q --detach series

proofs=$build/proofs/$BASE
out=$logs/prove
table=$out/table
rm -rf "$out" "$proofs"
mkdir -p "$out" "$proofs"
: >"$table"
: >"$out/how"
cp "$top/lab/prove/$BASE"/*.patch "$proofs"
for proof in "$top/lab/prove/$default_base"/*.patch; do
	name=${proof##*/}
	[ ! -e "$proofs/$name" ] || continue
	patch=$(path_of "$(field_of Patch "$proof")")
	[ -n "$patch" ] || continue
	if apply_proof "$proof" "$patch" --check; then
		cp "$proof" "$proofs"
	else
		say "$name of $default_base does not apply to $BASE: without it"
	fi
done
if [ $# = 0 ]; then
	cd "$proofs"
	set -- *.patch
fi
for name; do
	[ -f "$proofs/$name" ] || die "no such proof for $BASE: $name"
done

field() { field_of "$1" "$proofs/$2"; }

# run_um kunit|selftest TEST...: in User Mode Linux, of $run_tree
run_um() {
	um=$build/o-um-prove-$BASE-$run_tree
	um_kind=kunit
	[ "$1" = kunit ] || um_kind=selftests
	shift
	if ! nice -n 5 "$top/scripts/lib/um.sh" build "$(tree_of "$run_tree")" "$um" >&2; then
		say "$run_tree does not build: see $um.log"
		return 1
	fi
	[ $um_kind = selftests ] || set --
	"$top/scripts/test-um.sh" "$(tree_of "$run_tree")" "$um" "$out/um" $um_kind "$@"
}

# in_um KIND TEST...: those of them that pass on the series in User Mode Linux
in_um() {
	um_of=$1
	shift
	for test; do
		! is_cached um "$series_tree" "$um_of" "$test" "$tests_id" || echo "$test"
	done
}

# run TREE KIND TEST...: the result lines of these tests, all of one kind
run() {
	run_tree=$1 run_kind=$2
	shift 2
	case $run_kind in
	um-*) run_um "${run_kind#um-}" "$@" ;;
	kunit)
		[ $# = 1 ] || set -- '*'
		"$top/scripts/test-kunit.sh" "$run_tree" "$1"
		;;
	selftest) "$top/scripts/test-selftests.sh" "$run_tree" "$@" ;;
	rules | swapoff) "$top/scripts/test-$run_kind.sh" "$run_tree" ;;
	# Words of what has to hold, of a seed with enough of everything
	soak) KERNEL=$run_tree SEED=1 "$top/scripts/soak.sh" 30 ;;
	drivers)
		SOURCES=$(tree_of "$run_tree") "$top/scripts/test-drivers.sh" series \
			$(for test; do echo "${test%%.*}"; done | sort -u)
		;;
	*) die "unknown kind of test: $run_kind" ;;
	esac </dev/null >"$out/results.new" 2>"$out/log" || :
	! grep -q 'does not build' "$out/log" || die "$(grep 'does not build' "$out/log" | head -1)"
	mv "$out/results.new" "$out/results"
}

# tests_of KIND: of those in $out/tests
tests_of() { sed -n "s/^$1 //p" "$out/tests"; }

# how NAME TEST: how it failed, nothing if it did not. That the VM did not come
# back may have any reason.
how() {
	if grep -qE "^not ok .*[ .]${2##*.}([ :]|\$)" "$out/results"; then
		echo "fails"
	elif [ "$(field Hangs "$1")" = yes ] && grep -q "^not ok .*the VM boots" "$out/results"; then
		echo "hangs the VM"
	fi
}
# said TEST: the first thing that it said
said() {
	grep -hE -A3 "# FAILED|${1##*.}: (EXPECTATION|ASSERTION) FAILED|^  [|] line |^not ok .*${1##*.}" \
		"$out/log" "$out/results" | sed -E "s/^ *(LAB: )?(# )?//; s,$top/,,g" |
		awk '/^(not )?ok / { if (!n) print; exit } /^--$/ { exit } { print; n++ }' |
		head -4 | paste -sd' ' - | cut -c1-400
}
passed() {
	grep -E "^ok .*[ .]${1##*.}([ :]|\$)" "$out/results" | grep -qv '# SKIP'
}

# kind_of NAME: what is taken out
kind_of() {
	if ! grep -q '^diff ' "$proofs/$1"; then
		echo "patch undone"
	elif grep -qE '^\+\+\+ b/(lib/test_mmu_notifier|samples/)' "$proofs/$1"; then
		echo "device altered"
	else
		echo "code altered"
	fi
}

# take_out NAME: changes the scratch tree
take_out() {
	patch=$(path_of "$(field Patch "$1")")
	[ -n "$patch" ] || die "$1 names a patch that is not in the queue: $(field Patch "$1")"
	apply_proof "$proofs/$1" "$patch" ||
		die "$1 does not apply to the series any more, or its patch cannot be reverted alone"
}

# What decides about a verdict beside the series
tests_id=$({
	cat "$top"/scripts/test-*.sh "$top/scripts/lib/selftests.sh" "$top"/scripts/lib/um.sh "$top"/scripts/lib/boot.sh "$top"/scripts/lib/qemu.sh
	cat "$top"/scripts/build.sh "$top"/scripts/lib/build-*.sh "$top"/scripts/lib/kbuild.sh "$top"/scripts/soak.sh "$top"/config/*.config "$top/config/$BASE"/*.config
	find "$top/lab/drivers" "$top/lab/guest" "$top/lab/rules" -type f | sort | xargs cat
	cat "$top"/lab/report/console.py "$top"/lab/report/tap.py "$top"/lab/report/splats.py "$top/lab/um.config"
	gcc --version
} | sha1sum)

series_tree=$(tree_git rev-parse 'series^{tree}')
is_known() { is_cached prove "$series_tree" "$1" "$2" "$tests_id"; }
unknown() {
	for test in $(tests_of "$1"); do is_known "$1" "$test" || echo "$test"; done
}

say "the series as it is: every test has to pass"
for name; do
	field Fails "$name"
done | sort -u >"$out/tests"
for kind in kunit selftest; do
	tests=$(unknown $kind)
	[ -n "$tests" ] || continue
	say "  $kind, in User Mode Linux:" $tests
	run series "um-$kind" $tests
	for test in $tests; do
		passed "$test" || continue
		is_known "$kind" "$test" || remember
		is_cached um "$series_tree" "$kind" "$test" "$tests_id" || remember
	done
done
"$top/scripts/build.sh" series debug
for kind in $(cut -d' ' -f1 "$out/tests" | sort -u); do
	tests=$(unknown "$kind")
	[ -n "$tests" ] || continue
	say "  $kind:" $tests
	run series "$kind" $tests
	for test in $tests; do
		passed "$test" || die "$kind $test does not pass on the series: run make check"
		is_known "$kind" "$test" || remember
	done
done

kept=$top/results/$BASE/prove.txt
mkdir -p "${kept%/*}"
stamp="$(date -u '+%Y-%m-%d') code $(code_id) commit $(plain_git -C "$top" describe --always --abbrev=12 --dirty)"

# keep: what was seen so far goes to results/, in place of the lines of these proofs
keep() {
	touch "$kept" "${kept%.txt}-how.txt"
	{
		printf '%-30s %-15s %-9s %-44s %-14s %s\n' "without" "which is" "" "this test" "" "seen"
		{
			sed "s/\$/|$stamp/" "$table" | awk -F'|' '{ printf "%-117s %s\n", $1, $2 }'
			awk 'FNR == NR { run[$1]; next } FNR > 1 && !($1 in run)' "$table" "$kept"
		} | while read -r line; do
			# Those that are gone
			[ ! -e "$proofs/${line%% *}.patch" ] || printf '%s\n' "$line"
		done | sort -s -k2,3 -k1,1
	} >"$out/prove.txt"
	cp "$out/prove.txt" "$kept"
	{
		cat "$out/how"
		awk 'FNR == NR { run[$1]; next } !($1 in run)' "$out/how" "${kept%.txt}-how.txt"
	} | sort >"$out/how.new"
	cp "$out/how.new" "${kept%.txt}-how.txt"
}

bad=0
for name; do
	plain_git -C "$scratch" reset -q --hard
	take_out "$name"
	say "without ${name%.patch}"
	field Fails "$name" >"$out/tests"
	mkdir -p "$out/${name%.patch}"
	for kind in $(cut -d' ' -f1 "$out/tests" | sort -u); do
		um_tests=$(in_um "$kind" $(tests_of "$kind"))
		vm_tests=$(for test in $(tests_of "$kind"); do
			echo "$um_tests" | grep -qxF "$test" || echo "$test"
		done)
		: >"$out/all"
		: >"$out/said"
		if [ -n "$um_tests" ]; then
			run scratch "um-$kind" $um_tests
			cat "$out/results" >>"$out/all"
			cat "$out/log" >>"$out/said"
		fi
		if [ -n "$vm_tests" ]; then
			# The kernel is not concerned by a driver that is a module.
			[ "$kind" = drivers ] || "$top/scripts/build.sh" scratch debug
			run scratch "$kind" $vm_tests
			cat "$out/results" >>"$out/all"
			cat "$out/log" >>"$out/said"
		fi
		mv "$out/all" "$out/results"
		mv "$out/said" "$out/log"
		for test in $(tests_of "$kind"); do
			verdict=$(how "$name" "$test")
			if [ -z "$verdict" ]; then
				bad=1
				verdict="PASSES"
				grep -qE "^ok .*[ .]${test##*.}([ :]|\$)" "$out/results" ||
					verdict="NO RESULT"
			fi
			printf '%-30s %-15s %-9s %-44s %s\n' "${name%.patch}" "$(kind_of "$name")" \
				"$kind" "$test" "$verdict" | tee -a "$table" >&2
			echo "${name%.patch} $test: $(said "$test")" >>"$out/how"
		done
		mv "$out/results" "$out/${name%.patch}/$kind"
	done
	keep
done
plain_git -C "$scratch" reset -q --hard

echo
cat "$kept"
"$top/scripts/lib/environment.sh" >"${kept%.txt}-environment.txt"
"$top/scripts/lib/results.sh"
# Documentation, tests and comments need no proof, code does.
for patch in $(queue_names); do
	grep -qxF "Patch: ${patch##*/}" "$proofs"/*.patch && continue
	grep -q "^${patch##*/}: " "$top/lab/prove/none" && continue
	grep -qE '^\+\+\+ b/(mm/tests/|lib/test_)' "$queue/$patch" && continue
	sed '1,/^---$/d' "$queue/$patch" | grep '^[-+]' | grep -qvE '^(\+\+\+|---) |^[-+][[:space:]]*(/?\*|$)' || continue
	! grep -qE '^\+\+\+ b/(mm/[^/]*|drivers/.*)\.c$' "$queue/$patch" ||
		echo "no proof for $patch"
done
[ $bad = 0 ] || die "a test passes without the fix that it is there for"
