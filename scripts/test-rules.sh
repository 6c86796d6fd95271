#!/bin/sh
# Does the kernel say so if a notifier breaks the rules: warnings that name the
# callback, and lockdep about the lock of a list notifier's callback? And do the OOM
# reaper and its worker stop while everything is frozen? In a VM of its own with the debug
# kernel, as a warning taints it, and lockdep reports once and is off from then on. Prints
# lines "ok ..." or "not ok ...".
# usage: test-rules.sh series|scratch
. "$(dirname "$0")/lib/common.sh"

[ $# = 1 ] || die "usage: test-rules.sh series|scratch"
which=$1
src=$(tree_of "$which")
objects=$src/o-$debug
built=$objects/rules
out=$logs/rules-$which
console=$out/console.log

[ -e "$objects/vmlinux" ] ||
	die "$objects/vmlinux is missing: run scripts/build.sh $which $debug"
rm -rf "$out"
mkdir -p "$out" "$built"

echo 'obj-m += lab_rules.o lab_worker.o lab_freeze.o lab_lockdep.o' >"$built/Kbuild"
for file in "$top"/lab/rules/*.c; do
	cmp -s "$file" "$built/${file##*/}" || cp "$file" "$built/"
done
cmp -s "$objects/vmlinux.symvers" "$objects/Module.symvers" ||
	cp "$objects/vmlinux.symvers" "$objects/Module.symvers"
if ! kmake "$src" "$debug" M="$built" modules >"$out/build.log" 2>&1; then
	not_ok "rules: the modules build (see $out/build.log)"
	exit 0
fi

"$top/scripts/lib/initramfs.sh" "$which" "$debug" "$out/initramfs.cpio" \
	"$top/lab/guest/run/run-rules" "$built/lab_rules.ko" "$built/lab_worker.ko" \
	"$built/lab_freeze.ko" "$built/lab_lockdep.ko"
# interval, probability, space, times; with the probability 0 nothing fails
options="fail_mmu_notifier_refuse=3,0,9,5 fail_mmu_notifier_rehearse=4,0,11,6"
if "$top/scripts/lib/boot.sh" -t 400 -a "lab.run=/bin/run-rules printk.devkmsg=on log_buf_len=4M $options" \
		"$objects/$image" "$out/initramfs.cpio" "$console"; then
	ok "rules: the VM boots and ends"
	ended=y
else
	not_ok "rules: the VM boots and ends (see $console)"
fi
tr -d '\r' <"$console" | sed 's/^\[[^]]*\] //' >"$out/lines"

# check TEXT COMMAND...
check() {
	check_text=$1
	shift
	if "$@"; then
		ok "rules: $check_text"
	else
		not_ok "rules: $check_text (see $console)"
	fi
}

# part NAME: what was said between its marks
part() { sed -n "/^LAB: begin $1\$/,/^LAB: end $1\$/p" "$out/lines"; }
# splats NAME: how many reports are there
splats() { part "$1" | grep -cE 'WARNING: |BUG: ' || :; }

options_taken() { grep -qx 'LAB: refuse: 3 0 9 5, rehearse: 4 0 11 6' "$out/lines"; }
done_all() { ! grep -q 'does not load' "$out/lines" && grep -qx 'LAB: end lockdep' "$out/lines"; }
check "the boot options of both attributes are taken" options_taken
check "the modules do what they are to do" done_all

# broken NAME WARNINGS TEXT: so many warnings, all with that text, and pairs
broken() {
	part "$1" >"$out/$1"
	[ "$(splats "$1")" = "$2" ] &&
		[ "$(grep -cF "$3" "$out/$1")" = "$2" ] &&
		sed -n 's/^.*LAB: breaks=.*: \(.*\) broken, \(.*\) starts, \(.*\) ends, .*$/\1 \2 \3/p' "$out/$1" |
		{ read -r times starts ends && [ "$times" = "$2" ] && [ "$starts" -gt 0 ] && [ "$starts" = "$ends" ]; }
}
check "nothing is said of notifiers that keep them" broken 0 0 "callback must not"
check "a list notifier that fails in blocking mode is named, and end is called once" \
	broken 1 1 "lab_rules_start+0x0/"
check "an interval notifier that fails in blocking mode is named" \
	broken 2 1 "lab_rules_invalidate+0x0/"
check "a list notifier that fails with another error is named" \
	broken 3 1 "lab_rules_start+0x0/"
check "a list notifier that fails, and has an end callback, is named" \
	broken 4 1 "lab_rules_start_of_a_pair+0x0/"

behind() {
	for behind_part in 0 1 2 3 4; do
		grep -q "LAB: breaks=$behind_part: .*, 1 behind" "$out/lines" || return 1
	done
	for behind_part in 0 1; do
		grep -q "LAB: fails=$behind_part: .*, 2 behind" "$out/lines" || return 1
	done
}

# worker NUMBER NAME: it fails once, is named, and the pages stay until it was called again
worker() {
	part "worker$1" >"$out/worker$1"
	[ "$(splats "worker$1")" = 1 ] && grep -qE "$2\+0x0/.* callback must not fail" "$out/worker$1" &&
		grep -qF "LAB: fails=$1: 2 times blocking, 4 pages were kept, 0 are left" "$out/worker$1"
}
check "the worker leaves a failing interval's pages alone" \
	worker 0 lab_worker_invalidate
check "the worker leaves a failing list's pages alone" \
	worker 1 lab_worker_start

pairs() {
	for pairs_of in 0 1; do
		sed -n "s/^.*LAB: fails=$pairs_of: \(.*\) starts, \(.*\) ends, .*$/\1 \2/p" "$out/lines" |
			{ read -r starts ends && [ "$starts" -gt 0 ] && [ "$starts" = "$ends" ]; } || return 1
	done
}
check "an interval behind one that fails is called as well" behind
check "the worker's starts and ends are pairs if a list fails" pairs

rescuer() { grep -qx "LAB: rescuers: 1" "$out/lines"; }
check "the workqueue has a rescuer" rescuer

# The victims in the order that they were killed in, and that they were reaped in
part freeze >"$out/freeze"
killed() { sed -n 's/^.*LAB: victim \(.\) was killed$/\1/p' "$out/freeze"; }
refuse() { sed -n 's/^.*LAB: victim \(.\) refuses$/\1/p'; }
in_order() {
	[ "$(killed | wc -l)" = 3 ] &&
		[ "$(killed)" = "$(refuse <"$out/freeze" | awk '!seen[$0]++')" ]
}
check "the victims are reaped in the order of their kills" in_order

sed '/suspend debug: Waiting for/,$d' "$out/freeze" >"$out/freeze.before"
sed -n '/suspend debug: Waiting for/,/OOM killer enabled/p' "$out/freeze" >"$out/freeze.frozen"
sed '1,/OOM killer enabled/d' "$out/freeze" >"$out/freeze.after"
nothing_frozen() {
	grep -q 'OOM killer enabled' "$out/freeze.frozen" &&
		! grep -qE 'LAB: |oom_reaper: ' "$out/freeze.frozen"
}
check "nothing is reaped while everything is frozen" nothing_frozen
goes_on() { [ "$(refuse <"$out/freeze.after" | sort -u | wc -l)" = 3 ]; }
check "the reaper stops for it between two victims, and all have a turn afterwards" goes_on
unmapped() { grep -c 'LAB: victim . is unmapped$' "$1" || :; }
waits() { [ "$(unmapped "$out/freeze.before")" = 12 ] && [ "$(unmapped "$out/freeze")" = 12 ]; }
check "the freezer waits until the workers are done" waits

lockdep_on() { [ "$(grep -c '^LAB: lockdep is on: 1$' "$out/lines")" = 2 ]; }
check "lockdep is on, and finds nothing while the driver does right" lockdep_on
reported_once() {
	part lockdep >"$out/lockdep"
	[ "$(grep -c 'possible circular locking dependency detected' "$out/lockdep")" = 1 ] &&
		grep -q 'lab_lockdep_mutex' "$out/lockdep" &&
		grep -q 'mmu_notifier_invalidate_range_start' "$out/lockdep" &&
		grep -q 'fs_reclaim' "$out/lockdep" && [ "$(splats lockdep)" = 1 ]
}
check "an allocation under the lock of a list notifier's callback is reported, once" reported_once
worker_hung() { [ -n "${ended:-}" ] && grep -qx "LAB: a worker hangs" "$out/lines"; }
check "the machine shuts down beside a worker that hangs" worker_hung
check "nothing else on the console" "$top/scripts/lib/check-console.sh" "$console"
