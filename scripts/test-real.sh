#!/bin/sh
# Real users of MMU notifiers in a VM with the debug kernel: KVM with a guest in
# it and lib/test_hmm.c, as victims of the OOM killer and under the tests of the
# kernel tree, these once more with all invalidations rehearsed (not on the base,
# which can't). Prints a line "ok ..." or "not ok ..." for each. With series, the
# results of the tree's tests are compared to those of the last run with base.
# How long KVM's callback took goes to build/log/BASE/real-WHICH/measured.
# usage: test-real.sh series|base|scratch
. "$(dirname "$0")/lib/common.sh"

[ $# = 1 ] || die "usage: test-real.sh series|base|scratch"
which=$1
# What the victims are to expect: scratch is the series, less something.
expect=series label=real
[ "$which" != base ] || expect=base label="real on the base"
src=$(tree_of "$which")
objects=$src/o-debug
built=$objects/real
out=$logs/real-$which
log=$out/build.log
kvm_tests="memslot_modification_stress_test memslot_perf_test
	kvm_page_table_test demand_paging_test dirty_log_perf_test
	pre_fault_memory_test"

[ -e "$objects/vmlinux" ] ||
	die "$objects/vmlinux is missing: run scripts/build.sh $which debug"
rm -rf "$out"
mkdir -p "$out" "$built/modules" "$built/kvm"

# The modules: test_hmm of that tree, and ours that includes it.
build_modules() {
	echo 'obj-m += test_hmm.o lab_hmm.o' >"$built/modules/Kbuild"
	for file in "$src"/lib/test_hmm*.[ch] "$top/lab/hmm/lab_hmm.c"; do
		cmp -s "$file" "$built/modules/${file##*/}" ||
			cp "$file" "$built/modules/"
	done
	cmp -s "$objects/vmlinux.symvers" "$objects/Module.symvers" ||
		cp "$objects/vmlinux.symvers" "$objects/Module.symvers"
	kmake "$src" debug M="$built/modules" modules
}

build_programs() {
	for program in kvm-victim hmm-victim; do
		gcc -O2 -Wall -Wextra -Werror -static -pthread -I "$tree" -I "$top/lab/guest" \
			-o "$built/$program" "$top/lab/guest/victims/$program.c" \
			"$top/lab/guest/victims/real.c" "$top/lab/guest/util.c" ||
			return
	done
	# Without -Werror: they are not ours
	gcc -O2 -static -pthread -I "$src" -I "$src/tools/testing/selftests" \
		-o "$built/hmm-tests" \
		"$src/tools/testing/selftests/mm/hmm-tests.c" || return
	kmake "$src" debug INSTALL_HDR_PATH="$built/headers" headers_install ||
		return
	# shellcheck disable=SC2046,SC2086 # lists
	make -s -j"$JOBS" -C "$src/tools/testing/selftests/kvm" \
		CC="ccache gcc" EXTRA_CFLAGS=-static OUTPUT="$built/kvm" \
		INSTALL_HDR_PATH="$built/headers" \
		KHDR_INCLUDES="-isystem $built/headers/include" \
		$(printf "$built/kvm/%s\n" $kvm_tests)
}

say "building what runs in the VM ($which)"
if ! build_modules >"$log" 2>&1 || ! build_programs >>"$log" 2>&1; then
	not_ok "$label: the programs and modules build (see $log)"
	exit 0
fi
# shellcheck disable=SC2046,SC2086 # lists
"$top/scripts/lib/initramfs.sh" "$which" debug "$out/initramfs.cpio" \
	"$top/lab/guest/run/run-real" "$top/lab/guest/rehearsals" "$built/kvm-victim" "$built/hmm-victim" \
	"$built/hmm-tests" $(printf "$built/kvm/%s\n" $kvm_tests) \
	"$built/modules/test_hmm.ko" "$built/modules/lab_hmm.ko"

# boot NAME WORDS ARGUMENTS: one VM, its results
boot() {
	console=$out/console-$1.log
	if "$top/scripts/lib/boot.sh" -t 1800 \
			-a "lab.run=/bin/run-real,$expect$2 printk.devkmsg=on log_buf_len=4M $3" \
			"$objects/arch/x86/boot/bzImage" "$out/initramfs.cpio" "$console"; then
		ok "$label: the VM boots and ends ($1)"
	else
		not_ok "$label: the VM boots and ends ($1, see $console)"
	fi
	# The tree's own tests go to a file, too, to be compared.
	python3 "$top/lab/report" real "$console" "$label" "${2#,}" "$out/own${2:+-${2#,}}"
	if "$top/scripts/lib/check-console.sh" "$console"; then
		ok "$label: nothing bad on the console ($1)"
	else
		not_ok "$label: nothing bad on the console ($1, see $console)"
	fi
}

boot tdp "" ""
# Without nested paging KVM has shadow page tables, and other code to zap them.
boot shadow ,shadow kvm_amd.npt=0

# Whatever the callbacks say in a rehearsal, the tests have to go as without it.
if [ "$expect" = series ]; then
	boot rehearsal ,rehearsal ""
	if cmp -s "$out/own" "$out/own-rehearsal"; then
		ok "$label: the tree's tests do as without rehearsal ($(wc -l <"$out/own") results)"
	else
		diff "$out/own" "$out/own-rehearsal" | sed -n 's/^[<>]/  &/p' >&2 || :
		not_ok "$label: the tree's tests do as without rehearsal"
	fi
	tr -d '\r' <"$out/console-rehearsal.log" |
		sed -n 's/^\[[^]]*\] LAB: called \(.*\)/\1/p' >"$out/called"
	for callback in kvm_mmu_notifier_invalidate_range_start \
			dmirror_interval_invalidate; do
		text=$(awk -v name="$callback" '$1 == name { print " (" $2 " times)" }' "$out/called")
		if [ -n "$text" ]; then
			ok "$label: $callback was rehearsed$text"
		else
			not_ok "$label: $callback was rehearsed"
		fi
	done
fi

# What was measured depends on the machine: it is for whoever wants to know.
cat "$out"/console-*.log | tr -d '\r' | sed -n 's/^\[[^]]*\] LAB: //p' | awk '
	$1 == "run" { program = $3; text = "" }
	/^# (it took|KVM was called|the longest call)/ {
		text = text (text == "" ? "" : "; ") substr($0, 3)
	}
	/^(not )?ok [0-9]+ / && text != "" {
		sub(/^(not )?ok [0-9]+ /, "")
		print program "." $0 ": " text
		text = ""
	}' >"$out/measured"

# For the table of make drivers: each victim that was freed is a call that succeeded.
cat "$out"/console-*.log | tr -d '\r' | sed -n 's/^\[[^]]*\] LAB: //p' | awk '
	$1 == "run" { kvm = $3 ~ /^kvm-victim/ }
	kvm && /^(not )?ok [0-9]+ / {
		print "LAB-DRIVER kvm_mmu_notifier_invalidate_range_start idle", \
			($1 == "ok" ? "succeeded" : "refused")
	}
	$1 == "called" { print "LAB-CALLED", $2, $3 }' >"$out/calls"

if [ "$which" = series ]; then
	if [ ! -e "$logs/real-base/own" ]; then
		ok "$label: the tree's tests do as on the base # SKIP the base was not run"
	elif cmp -s "$out/own" "$logs/real-base/own"; then
		ok "$label: the tree's tests do as on the base ($(wc -l <"$out/own") results)"
	else
		diff "$logs/real-base/own" "$out/own" | sed -n 's/^[<>]/  &/p' >&2 || :
		not_ok "$label: the tree's tests do as on the base"
	fi
fi
