#!/bin/sh
# Endurance: OOM kills, process_mrelease() by several at once, notifiers that come, go,
# refuse and hang, fork, mremap, huge pages, swap, userfaultfd, cgroups that are frozen,
# made and removed, a processor that goes offline, and fault injection at random, in a VM
# with the debug kernel. Prints a line "ok soak: ..." or "not ok soak: ..." for each thing
# that must hold after it, and one with the figures.
# usage: soak.sh [SECONDS]       default: 600
# SEED=N        the decisions of that run again, default: a new one, printed
# KERNEL=base   the unpatched kernel, to see what it fails; default: series
# DEVICE=X.ko   another build of the test device, to see what it fails
# A run of 600 s and more on the series, of which all is well, is kept in
# results/BASE/soak.md.
# Exit code: 0 only if all is well.
. "$(dirname "$0")/lib/common.sh"

seconds=${1:-600} kernel=${KERNEL:-series} device=${DEVICE:-}
case $seconds in
'' | *[!0-9]* | 0*) die "usage: soak.sh [SECONDS]" ;;
esac
seed=${SEED:-$(od -An -N4 -tu4 /dev/urandom | tr -d ' ')}
case $seed in
'' | *[!0-9]*) die "SEED is a number" ;;
esac
src=$(tree_of "$kernel")
objects=$src/o-$debug
out=$logs/soak-$kernel
console=$out/console.log
# Half a kill a second, on a busy machine: notifiers that take their time are in the plan
least=$((seconds / 2))

[ -e "$objects/$image" ] ||
	die "the debug kernel is missing: run scripts/build.sh $kernel $debug"
rm -rf "$out"
mkdir -p "$out"
gcc -O2 -Wall -Wextra -Werror -static -I "$tree" -I "$top/lab/guest" -o "$out/soak" \
	"$top"/lab/guest/soak/*.c "$top/lab/guest/util.c" 2>"$out/build.log" || {
	not_ok "soak: lab/guest/soak/soak.c compiles (see $out/build.log)"
	exit 1
}
# Of one cgroup, if there is no such number
stock=$(sed -n 's/^#define NR_MEMCG_STOCK[[:space:]]*//p' "$src/mm/memcontrol.c")
# The last file of a name is the one that stays.
cp "${device:-$objects/test-device/test_mmu_notifier.ko}" "$out/test_mmu_notifier.ko" ||
	die "no such module: $device"
"$top/scripts/lib/initramfs.sh" "$kernel" "$debug" "$out/initramfs.cpio" \
	"$top/lab/guest/run/run-soak" "$out/soak" "$out/test_mmu_notifier.ko"

say "$seconds s from SEED=$seed on the $kernel kernel, console: $console"
# Messages from warnings on: each kill has more to say than a serial line takes.
ended=
! "$top/scripts/lib/boot.sh" -t $((seconds * 2 + 600)) \
		-a "lab.run=/bin/run-soak,$seconds,$seed,${stock:-1} printk.devkmsg=on loglevel=5 log_buf_len=4M" \
		"$objects/$image" "$out/initramfs.cpio" "$console" || ended=y
tr -d '\r' <"$console" | sed -n 's/^\(\[[^]]*\] \)*LAB-SOAK //p' >"$out/said"

figure() { sed -n "s/^figure $1 //p" "$out/said"; }

results() {
	# The judges print this line at the end.
	if grep -qx end "$out/said"; then
		ok "soak: the VM boots and ends"
	elif [ -n "$ended" ]; then
		not_ok "soak: the VM ends without a result"
	else
		not_ok "soak: the VM boots and ends"
	fi
	sed -n 's/^check ok /ok soak: /p; s/^check bad /not ok soak: /p' "$out/said"

	kills=$(figure kills)
	if [ "${kills:-0}" -ge "$least" ]; then
		ok "soak: $kills kills in $seconds s (at least $least)"
	else
		not_ok "soak: ${kills:-no} kills in $seconds s (at least $least)"
	fi
	# The cgroups have counted them, the kernel has told of each.
	told=$(tr -d '\r' <"$console" | sed -n '/LAB-SOAK begin$/,$p' |
		grep -cE 'ut of memory[^:]*: Killed process' || :)
	if [ "$told" = "${kills:-0}" ]; then
		ok "soak: every kill is one of a cgroup's"
	else
		not_ok "soak: every kill is one of a cgroup's (of $told: ${kills:-0})"
	fi

	# What was decided is what this seed decides: a check of the soak, not of
	# the kernel, so it is no result if it is true.
	if ! grep -q '^decisions ' "$out/said" ||
			! sed -n 's/^decisions //p' "$out/said" | while read -r worker rounds digest; do
				[ "$("$out/soak" digest "$seed" "$worker" "$rounds")" = "$digest" ] || exit 1
			done; then
		not_ok "soak: the decisions are those of the seed"
	fi

	if "$top/scripts/lib/check-console.sh" "$console"; then
		ok "soak: nothing bad on the console"
	else
		not_ok "soak: nothing bad on the console"
	fi
}

# A figure that this kernel does not have is 0.
count() { figure "$1" | grep . || echo 0; }

summary() {
	echo "$seconds s from SEED=$seed: $(count kills) kills," \
		"$(count refusals) refusals ($(count refusals_injected) injected)," \
		"$(($(count freed_KiB) / 1024)) MiB freed by the reaper in" \
		"$(count attempts_of_the_reaper) attempts," \
		"$(count process_mrelease) process_mrelease()," \
		"$(awk '$1 == "op" { sum += $3 } END { print sum + 0 }' "$out/said")" \
		"operations on memory and notifiers"
}

environment() {
	"$top/scripts/lib/environment.sh" \
		"kernel: Linux $(kernel_version "$src"), KASAN, lockdep, DEBUG_ATOMIC_SLEEP" \
		"config: sha256 $(sha256sum <"$objects/.config" | cut -c1-16)" \
		"guest: its 2 processors were busy for $(count busy_percent) % of the time"
}

report() {
	echo "# make soak, Linux $BASE"
	echo
	echo "Written by scripts/soak.sh, not by hand."
	echo "$(summary)."
	echo
	echo "Again with the same decisions: \`make soak SEED=$seed\`."
	echo
	echo "| what | how often |"
	echo "|---|---|"
	sed -n 's/^figure \([^ ]*\) /\1 /p' "$out/said" | grep -v '^busy_percent ' |
		sort | while read -r name value; do
			echo "| $(echo "$name" | tr _ ' ') | $value |"
		done
	echo
	echo "| operation on memory with notifiers | done | of these failed |"
	echo "|---|---|---|"
	sed -n 's/^op \([^ ]*\) \([^ ]*\) \(.*\)/| \1 | \2 | \3 |/p' "$out/said"
	echo
	echo "\`\`\`"
	cat "$out/results"
	echo "\`\`\`"
}

results >"$out/results"
cat "$out/results"
echo "# soak: $(summary)"

if grep -q '^not ok' "$out/results"; then
	say "console: $console"
	say "what a worker does in a round: $out/soak plan $seed WORKER ROUND"
	die "again with: SEED=$seed${KERNEL:+ KERNEL=$kernel}${device:+ DEVICE=$device} scripts/soak.sh $seconds"
fi
if [ "$seconds" -ge 600 ] && [ "$kernel" = series ] && [ -z "$device" ]; then
	mkdir -p "$top/results/$BASE"
	report >"$top/results/$BASE/soak.md"
	environment >"$top/results/$BASE/soak-environment.txt"
	"$top/scripts/lib/results.sh"
	say "wrote results/$BASE/soak.md"
fi
