#!/bin/sh
# The kernel of each series, on the base and what it needs, without the rest: it
# builds, boots, and passes the tests that are there by then. In User Mode Linux, which
# has no drivers: of their series it shows that the core is left as it was.
# Their notifiers are for test-users.sh, their builds for lint-builds.sh.
# usage: test-series.sh [SERIES...]
. "$(dirname "$0")/lib.sh"

out=$logs/series
rm -rf "$out"
mkdir -p "$out"
um=$build/um/$BASE
linux=$um/o-um/linux
# Of the kselftests some of each kind: the VM runs all of them
some="one_refusing ten_attempts list_chunks mrelease worker_frees_always_refused
worker_hangs turns_new_first oom_unstable.uffd_copy oom_unstable.swap_in"

# go_to COMMIT: the tree there; what is the same keeps its time
go_to() {
	if ! plain_git -C "$um/tree" rev-parse -q --verify "$1^{commit}" >/dev/null 2>&1; then
		rm -rf "$um/tree"
		plain_git -C "$tree" worktree prune
		plain_git -C "$tree" worktree add -q --detach "$um/tree" "$1" || return
	fi
	plain_git -C "$um/tree" checkout -q -f --detach "$1" || return
	# Only the test device selects it, and comes after the KUnit suites.
	sed -i '/^config MMU_NOTIFIER$/,/bool/s/bool$/bool "MMU notifiers"/' "$um/tree/mm/Kconfig"
}

kunit() {
	log=$out/$1.kunit
	"$top/scripts/um.sh" boot "$linux" "$log" 120 mem=256M kunit.enable=1 \
		kunit_shutdown=halt && code=0 || code=$?
	bad=$(grep -cE '^ *not ok ' "$log" || :)
	good=$(grep -cE '^    ok [0-9]' "$log" || :)
	if [ "$code" = 0 ] && [ "$bad" = 0 ] && [ "$good" -ge "$2" ] &&
			"$top/scripts/check-console.sh" "$log"; then
		ok "series: $1 boots, $good cases of KUnit pass"
	else
		not_ok "series: $1: exit code $code, $good cases of KUnit pass, $2 wanted, $bad fail (see $log)"
	fi
}

kselftests() {
	log=$out/$1.selftests
	selftests=$um/tree/tools/testing/selftests
	tests=
	programs=
	for program in oom_notifier oom_unstable; do
		[ -e "$selftests/mm/$program.c" ] || continue
		gcc -O2 -static -pthread -I "$um/tree" -I "$selftests" -o "$out/selftest-$program" \
			"$selftests/mm/$program.c" "$selftests/mm/oom_notifier_util.c" || return
		programs="$programs $out/selftest-$program"
		for test in $some; do
			case $test in
			oom_unstable.*) [ $program = oom_unstable ] || continue ;;
			*) [ $program = oom_notifier ] || continue ;;
			esac
			tests=$tests,$test
		done
	done
	# shellcheck disable=SC2086 # a list
	"$top/scripts/initramfs.sh" "$um/o-um" um "$out/initramfs.cpio" \
		"$top/lab/guest/run-selftests" $programs || return
	"$top/scripts/um.sh" boot "$linux" "$log" 600 mem=1200M initrd="$out/initramfs.cpio" \
		rdinit=/init lab.run=/bin/run-selftests lab.tests="${tests#,}" kunit.enable=0 &&
		code=0 || code=$?
	good=$(grep -c '^LAB: ok ' "$log" || :)
	if [ "$code" = 0 ] && grep -q '^LAB-EXIT 0' "$log" && ! grep -q '^LAB: not ok ' "$log" &&
			[ "$good" -ge "$(echo "${tests#,}" | tr , '\n' | wc -l)" ] &&
			"$top/scripts/check-console.sh" "$log"; then
		ok "series: $1: $good kselftests pass"
	else
		not_ok "series: $1: kselftests fail, exit code $code, $good pass (see $log)"
	fi
}

# What decides about a verdict beside the kernel
inputs=$({
	cat "$0" "$top/scripts/um.sh" "$top/scripts/initramfs.sh" "$top/scripts/check-console.sh" \
		"$top/lab/um.config"
	find "$top/lab/guest" "$top/lab/report" -name '*.pyc' -prune -o -type f -print | sort | xargs cat
	gcc --version
} | sha1sum)

"$top/scripts/deps.sh"
"$top/scripts/tree.sh" -w
mkdir -p "$um"
exec 9>"$um/lock"
flock -n 9 || die "another one is at work in $um"
# shellcheck disable=SC2046 # a list
[ $# -gt 0 ] || set -- $(series_names)
for series; do
	[ -n "$(patches_of "$series")" ] || die "no such series: $series"
	# shellcheck disable=SC2046 # lists
	tip=$("$top/scripts/import.sh" $(patches_of $(series_needs "$series")) \
		$(patches_of "$series")) || exit 1
	if is_cached series "$(tree_git rev-parse "$tip^{tree}")" "$inputs"; then
		ok "series: $series boots and passes its tests (seen before)"
		continue
	fi
	say "$series"
	mkdir -p "$um"
	if ! { go_to "$tip" && nice -n 5 "$top/scripts/um.sh" build "$um/tree" "$um/o-um"; } >&2; then
		not_ok "series: $series does not build (see $um/o-um.log)"
		continue
	fi
	if ! grep -qx CONFIG_MMU_NOTIFIER=y "$um/o-um/.config"; then
		not_ok "series: $series: the kernel has no MMU notifiers"
		continue
	fi
	# A case is a line in what the queue adds.
	wanted=$(tree_git diff base "$tip" -- 'mm/tests/*_kunit.c' | grep -c '^+.*KUNIT_CASE' || :)
	{
		kunit "$series" "$wanted"
		[ ! -e "$um/tree/tools/testing/selftests/mm/oom_notifier.c" ] || kselftests "$series" ||
			not_ok "series: $series: the kselftests do not build"
	} | tee "$out/$series"
	is_cached series "$(tree_git rev-parse "$tip^{tree}")" "$inputs" ||
		grep -q '^not ok ' "$out/$series" || remember
done
