#!/bin/sh
# Takes one fix at a time out of the series, builds, and shows that the tests
# which are there for it fail. What is taken out stands in lab/prove/BASE/*.patch:
#   Patch: <the patch of the queue that it is about>
#   Fails: kunit SUITE.CASE | selftest [PROGRAM.]TEST | users USER.CASE | soak WORD
# (one line each, all must fail)
# and then a diff against the whole series; or none, then that patch is
# reverted as it is. The table is kept in results/BASE/prove.txt; with names,
# only their lines are replaced there.
# usage: prove.sh [NAME...]     default: all of lab/prove/BASE
. "$(dirname "$0")/lib.sh"

proofs=$top/lab/prove/$BASE
out=$logs/prove
table=$out/table
rm -rf "$out"
mkdir -p "$out"
: >"$table"
all=
if [ $# = 0 ]; then
	all=y
	cd "$proofs"
	set -- *.patch
fi
for name; do
	[ -f "$proofs/$name" ] || die "no such proof: $proofs/$name"
done

field() { sed -n "/^diff /q; s/^$1: //p" "$proofs/$2"; }

# run TREE KIND TEST: the result lines of that one test
run() {
	case $2 in
	kunit) "$top/scripts/test-kunit.sh" "$1" "$3" ;;
	selftest) "$top/scripts/test-selftests.sh" "$1" "$3" ;;
	# A word of what has to hold, of a seed with enough of everything
	soak) KERNEL=$1 SEED=1 "$top/scripts/soak.sh" 30 ;;
	users) SOURCES=$(tree_of "$1") "$top/scripts/test-users.sh" series "${3%%.*}" ;;
	*) die "unknown kind of test: $2" ;;
	esac </dev/null >"$out/results" 2>"$out/log" || :
}

# failed TEST: its result is "not ok", or it took the VM with it
failed() {
	grep -qE "^not ok .*[ .]${1##*.}([ :]|\$)" "$out/results" ||
		grep -q "^not ok .*the VM boots" "$out/results"
}
passed() {
	grep -E "^ok .*[ .]${1##*.}([ :]|\$)" "$out/results" | grep -qv '# SKIP'
}

# take_out NAME: changes the scratch tree
take_out() {
	patch=$(field Patch "$1")
	[ -f "$queue/$patch" ] || die "$1 names $patch, which is not in the queue"
	if grep -q '^diff ' "$proofs/$1"; then
		plain_git -C "$scratch" apply -C1 --recount "$proofs/$1" ||
			die "$1 does not apply to the series any more"
	else
		plain_git -C "$scratch" apply -R --3way "$queue/$patch" >"$out/log" 2>&1 ||
			die "$patch cannot be reverted alone: put a diff into $1"
	fi
}

"$top/scripts/deps.sh"
"$top/scripts/tree.sh" -w
scratch_tree
plain_git -C "$scratch" checkout -q --detach series

say "the series as it is: every test has to pass"
"$top/scripts/build.sh" series debug
for name; do
	field Fails "$name"
done | sort -u >"$out/tests"
while read -r kind test; do
	if is_cached prove "$(tree_git rev-parse 'series^{tree}')" "$kind" "$test" "$0"; then
		continue
	fi
	say "  $kind $test"
	run series "$kind" "$test"
	passed "$test" || die "$test does not pass on the series: run make check"
	remember
done <"$out/tests"

bad=0
for name; do
	plain_git -C "$scratch" reset -q --hard
	take_out "$name"
	say "without ${name%.patch}"
	field Fails "$name" >"$out/tests"
	# The kernel is not concerned by a driver that is a module.
	! grep -qv '^users ' "$out/tests" || "$top/scripts/build.sh" scratch debug
	while read -r kind test; do
		run scratch "$kind" "$test"
		if failed "$test"; then
			verdict="fails"
		else
			verdict="PASSES"
			bad=1
		fi
		printf '%-32s %-10s %-44s %s\n' "${name%.patch}" "$kind" "$test" "$verdict" |
			tee -a "$table" >&2
		mkdir -p "$out/${name%.patch}"
		mv "$out/results" "$out/${name%.patch}/$kind-$test"
	done <"$out/tests"
done
plain_git -C "$scratch" reset -q --hard

kept=$top/results/$BASE/prove.txt
{
	printf '%-32s %-10s %-44s %s\n' "without" "" "this test" ""
	{
		cat "$table"
		[ -n "$all" ] || [ ! -e "$kept" ] || awk '
			FNR == NR { run[$1]; next }
			FNR > 1 && !($1 in run)' "$table" "$kept"
	} | sort -s -k1,1
} >"$out/prove.txt"
echo
cat "$out/prove.txt"
mkdir -p "${kept%/*}"
cp "$out/prove.txt" "$kept"
# Documentation, tests and comments need no proof, code does.
for patch in $(queue_names); do
	grep -qxF "Patch: $patch" "$proofs"/*.patch && continue
	grep -qE '^\+\+\+ b/(mm/tests/|lib/test_)' "$queue/$patch" && continue
	sed '1,/^---$/d' "$queue/$patch" | grep '^[-+]' | grep -qvE '^(\+\+\+|---) |^[-+][[:space:]]*(/?\*|$)' || continue
	! grep -qE '^\+\+\+ b/(mm/[^/]*|drivers/.*)\.c$' "$queue/$patch" ||
		echo "no proof for $patch"
done
[ $bad = 0 ] || die "a test passes without the fix that it is there for"
