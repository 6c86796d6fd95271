#!/bin/sh
# The worked example of Documentation/mm/mmu_notifier_example.rst: builds the
# sample driver and oom_notifier_run, runs in a VM with the debug kernel what the
# document tells its reader to run, and prints a line "ok ..." or "not ok ..." for
# each of its commands (is what the document shows what came of it?), for what
# each version of the driver is found out by, and for the rest of oom_notifier_run
# (lab/example.checks).
# usage: test-example.sh series|scratch     SOURCES=DIR: sample, tester and
# document of that tree
. "$(dirname "$0")/lib/common.sh"

[ $# = 1 ] || die "usage: test-example.sh series|scratch"
which=$1
src=$(tree_of "$which")
[ -e "$src/Makefile" ] || die "$src is missing: run make tree"
from=$(cd "${SOURCES:-$src}" && pwd) || die "SOURCES: there is no directory ${SOURCES:-$src}"
objects=$src/o-debug
out=$logs/example-$which
built=$objects/example
document=$from/Documentation/mm/mmu_notifier_example.rst
rule=scripts/coccinelle/api/mmu_notifier_nonblock.cocci
log=$out/build.log

[ -e "$objects/vmlinux" ] ||
	die "$objects/vmlinux is missing: run scripts/build.sh $which debug"
[ -e "$document" ] || { not_ok "example: there is none"; exit 0; }
rm -rf "$out"
mkdir -p "$out" "$built"

build_all() {
	for file in Makefile mirror.c mirror.h mirror_uapi.h mirror_wrong.c use_mirror.c; do
		cmp -s "$from/samples/mmu_notifier/$file" "$built/$file" ||
			cp "$from/samples/mmu_notifier/$file" "$built/" || return
	done
	cmp -s "$objects/vmlinux.symvers" "$objects/Module.symvers" ||
		cp "$objects/vmlinux.symvers" "$objects/Module.symvers"
	# All its modules and the program, as the reader would, and with all warnings
	kmake "$src" debug M="$built" W=1 CONFIG_SAMPLE_MMU_NOTIFIER=m modules || return
	[ -x "$built/use_mirror" ] || return
	# The VM has no shared libraries.
	set -- -O2 -Wall -Wextra -Werror -static -pthread -I "$from" -I "$from/tools/testing/selftests"
	mkdir -p "$out/bin"
	gcc "$@" -o "$out/bin/use_mirror" "$built/use_mirror.c" || return
	gcc "$@" -o "$out/bin/example-victim" "$top/lab/guest/victims/example-victim.c" || return
	installed=$("$top/scripts/lib/selftests.sh" "$from") || return
	cp "$installed/mm/oom_notifier_run" "$out/bin/"
}

say "building the sample and oom_notifier_run ($which)"
if ! build_all >"$log" 2>&1; then
	not_ok "example: it builds (see $log)"
	exit 0
fi
if grep -q 'warning:' "$log"; then
	not_ok "example: it builds without a warning (see $log)"
else
	ok "example: it builds without a warning"
fi

# What the document says to configure exists, and is what the VM's kernel has.
# (It has no headers to install, and the sample is built outside of it.)
python3 "$top/lab/report" example-extract "$document" >"$out/commands"
[ -s "$out/commands" ] || { not_ok "example: the document has commands"; exit 0; }
lost=
for symbol in $(sed -n 's,^0\tscripts/config ,,p' "$out/commands" | tr ' ' '\n' | grep '^[A-Z]'); do
	case $symbol in
	SAMPLES | SAMPLE_MMU_NOTIFIER | HEADERS_INSTALL)
		grep -rqE --include='Kconfig*' "^(menu)?config $symbol\$" \
			"$from/samples" "$from/lib" || lost="$lost $symbol"
		;;
	*) grep -qE "^CONFIG_$symbol=[ym]" "$objects/.config" || lost="$lost $symbol" ;;
	esac
done
if [ -z "$lost" ]; then
	ok "example: the VM has the configuration of the document"
else
	not_ok "example: the VM has the configuration of the document (not$lost)"
fi

# Coccinelle is for whoever builds.
coccicheck=$(sed -n 's/^0\t\(make coccicheck .*\)/\1/p' "$out/commands")
if [ ! -e "$from/$rule" ]; then
	ok "example: coccicheck finds sleeps and early # SKIP there is no $rule"
elif ! command -v spatch >/dev/null; then
	ok "example: coccicheck finds sleeps and early # SKIP coccinelle is missing (scripts/deps.sh lab lint)"
else
	say "running coccicheck"
	{
		echo "\$ $coccicheck"
		(cd "$from" && sh -c "$coccicheck") 2>&1 </dev/null | sed 's/^/| /'
	} >"$out/coccicheck"
	if grep -q 'ERROR: .*mirror_invalidate_sleeps ' "$out/coccicheck" &&
			grep -q 'WARNING: .*mirror_invalidate_early ' "$out/coccicheck" &&
			[ "$(grep -c 'callback mirror_' "$out/coccicheck")" = 2 ]; then
		ok "example: coccicheck finds sleeps and early, and nothing else"
	else
		not_ok "example: coccicheck finds sleeps and early, and nothing else (see $out/coccicheck)"
	fi
fi

parts=$(cut -f1 "$out/commands" | sort -u | grep -v '^0$')
for part in $parts; do
	sed -n "s/^$part\t//p" "$out/commands" >"$out/bin/example-$part"
done
grep -v '^#' "$top/lab/example.checks" >"$out/checks"
{
	echo 'insmod samples/mmu_notifier/sample_mirror.ko'
	echo 'mkdir -p /etc; echo "nobody:x:65534:65534::/:/bin/sh" >/etc/passwd'
	cut -f4 "$out/checks"
} >"$out/bin/example-checks"
"$top/scripts/lib/initramfs.sh" "$which" debug "$out/initramfs.cpio" \
	"$top/lab/guest/run/run-example" "$out"/bin/* "$built/sample_mirror.ko"

for part in $parts checks; do
	console=$out/console-$part.log
	say "running what the document tells to run (part $part)"
	if "$top/scripts/lib/boot.sh" -t 900 -a "lab.run=/bin/run-example,$part log_buf_len=4M" \
			"$objects/arch/x86/boot/bzImage" "$out/initramfs.cpio" "$console"; then
		ok "example: the VM boots and ends ($part)"
	else
		not_ok "example: the VM boots and ends ($part, see $console)"
	fi
	tr -d '\r' <"$console" | sed -n 's/^LAB: //p' >"$out/said-$part"
done

set --
for part in $parts; do
	set -- "$@" "$out/said-$part"
done
[ ! -e "$out/coccicheck" ] || set -- "$@" "$out/coccicheck"
python3 "$top/lab/report" example-compare example "$document" "$@"

# found WHAT BY PART REGEX: what the document says finds it, does
found() {
	if grep -qE "$4" "$out/said-$3"; then
		ok "example: $1 is found by $2"
	else
		not_ok "example: $1 is found by $2 (see $out/said-$3)"
	fi
}
found sleeps "the rehearsal and DEBUG_ATOMIC_SLEEP" 1 '  mirror_invalidate_sleeps\+'
found early "the histogram of the rehearsals" 1 '^\| \{ callback[^:]*: \[[^]]*\] mirror_invalidate_early .* refused: +1 .*\} hitcount: '
found early "the tracepoint" 1 'mmu_notifier_nonblock: .* refused=1 .*callback=mirror_invalidate_early\+'
found early oom_notifier_run 1 '^\| not ok 3 no_more_is_refused'
found accepts "oom_notifier_run and KASAN" 1 '^\| # log: BUG: KASAN: use-after-free in mirror_work\+'
found lock lockdep 1 '^\| .* mirror_start_lock\+'
if grep -q '^| not ok ' "$out/said-2"; then
	not_ok "example: right is found by none (see $out/said-2)"
else
	ok "example: right is found by none"
fi
# What dmesg has to say of it is on the console, too.
if "$top/scripts/lib/check-console.sh" "$out/console-2.log"; then
	ok "example: nothing bad on the console (2)"
else
	not_ok "example: nothing bad on the console (2, see $out/console-2.log)"
fi

# The checks, in the order in which they were run.
python3 "$top/lab/report" example-checks example "$out/checks" "$out/said-checks"
