#!/bin/sh
# Runs the KUnit modules of lab/drivers in a VM with the debug kernel of the
# series and prints a line "ok ..." or "not ok ..." for each case. What the
# callbacks did, and how many of their lines were reached, goes to
# build/log/BASE/drivers-VARIANT/calls.
# usage: test-drivers.sh base|series [DRIVER...]
. "$(dirname "$0")/lib/common.sh"

variant=$1
dir=$("$top/scripts/lib/build-drivers.sh" "$@") || exit 1
shift
out=$logs/drivers-$variant${1:+-$1}
console=$out/console.log
rm -rf "$out"
mkdir -p "$out"

"$top/scripts/lib/initramfs.sh" series debug "$out/initramfs.cpio" \
	"$top/lab/guest/run/run-drivers" "$top/lab/guest/rehearsals" "$dir/drivers.ko" "$dir"/*/lab_*.ko
if "$top/scripts/lib/boot.sh" -t 1200 -a "lab.run=/bin/run-drivers kunit.enable=1 log_buf_len=4M" \
		"$tree/o-debug/arch/x86/boot/bzImage" "$out/initramfs.cpio" "$console"; then
	ok "drivers: the VM boots and ends"
else
	not_ok "drivers: the VM boots and ends (see $console)"
fi
tr -d '\r' <"$console" | sed 's/^\[[^]]*\] //' >"$out/lines"

# KUnit's results, and modules that did not load or lost a case
python3 "$top/lab/report" modules "$console" drivers

calls=$out/calls
sed -n 's/.*\(LAB-\(DRIVER\|REHEARSED\|CALLED\|POINTS\|FAILURE\) [a-z].*\)/\1/p' "$out/lines" >"$calls"

# Every callback has to have been rehearsed, at least as often as a case wanted it:
# where the kernel does not do that the cases would be silent, too.
awk '
	$1 == "LAB-DRIVER" && !seen[$2]++ { callback[++count] = $2 }
	$1 == "LAB-REHEARSED" { wanted[$2]++ }
	$1 == "LAB-CALLED" { called[$2] += $3 }
	END {
		for (i = 1; i <= count; i++) {
			name = callback[i]
			if (wanted[name] && called[name] >= wanted[name])
				print "ok drivers: " name " was rehearsed"
			else
				printf "not ok drivers: %s was rehearsed (%d cases, called %d times)\n",
					name, wanted[name], called[name]
		}
	}' "$calls"

# How many lines of each callback were reached, by gcov's counters.
for module in "$dir"/*/lab_*.ko; do
	driver=${module##*/lab_}
	driver=${driver%.ko}
	sed -n "/^LAB-GCDA-BEGIN $driver\$/,/^LAB-GCDA-END\$/{/^LAB-/!p}" "$out/lines" |
		base64 -d 2>/dev/null | gunzip -c >"$out/$driver.gcda" 2>/dev/null || continue
	cp "$dir/$driver/$driver.gcno" "$out/"
	# The driver's source is included by ours, or by a file of a name of its own.
	(cd "$out" && gcov --json-format --stdout "$driver.gcda") 2>/dev/null |
		"$top/lab/coverage.py" .c each |
		awk -v driver="$driver" '{ print "LAB-LINES", driver, $1, $2 "%", $3 }' >>"$calls"
done

if [ "$variant" = series ]; then
	if "$top/scripts/lib/check-console.sh" "$console"; then
		ok "drivers: nothing bad on the console"
	else
		not_ok "drivers: nothing bad on the console (see $console)"
	fi
fi
