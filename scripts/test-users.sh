#!/bin/sh
# Runs the KUnit modules of lab/drivers in a VM with the debug kernel of the
# series and prints a line "ok ..." or "not ok ..." for each case. What the
# callbacks did, and how many of their lines were reached, goes to
# build/log/BASE/users-VARIANT/calls.
# usage: test-users.sh base|series [USER...]
. "$(dirname "$0")/lib/common.sh"

variant=$1
dir=$("$top/scripts/lib/build-users.sh" "$@") || exit 1
shift
out=$logs/users-$variant${1:+-$1}
console=$out/console.log
rm -rf "$out"
mkdir -p "$out"

"$top/scripts/lib/initramfs.sh" series debug "$out/initramfs.cpio" \
	"$top/lab/guest/run/run-users" "$top/lab/guest/rehearsals" "$dir/users.ko" "$dir"/*/lab_*.ko
if "$top/scripts/lib/boot.sh" -t 1200 -a "lab.run=/bin/run-users kunit.enable=1 log_buf_len=4M" \
		"$tree/o-debug/arch/x86/boot/bzImage" "$out/initramfs.cpio" "$console"; then
	ok "users: the VM boots and ends"
else
	not_ok "users: the VM boots and ends (see $console)"
fi
tr -d '\r' <"$console" | sed 's/^\[[^]]*\] //' >"$out/lines"

# KUnit's results, and modules that did not load or lost a case
python3 "$top/lab/report" modules "$console" users

calls=$out/calls
sed -n 's/.*\(LAB-\(USER\|REHEARSED\|CALLED\|POINTS\|FAILURE\) [a-z].*\)/\1/p' "$out/lines" >"$calls"

# Every callback has to have been rehearsed, at least as often as a case wanted it:
# where the kernel does not do that the cases would be silent, too.
awk '
	$1 == "LAB-USER" && !seen[$2]++ { callback[++count] = $2 }
	$1 == "LAB-REHEARSED" { wanted[$2]++ }
	$1 == "LAB-CALLED" { called[$2] += $3 }
	END {
		for (i = 1; i <= count; i++) {
			name = callback[i]
			if (wanted[name] && called[name] >= wanted[name])
				print "ok users: " name " was rehearsed"
			else
				printf "not ok users: %s was rehearsed (%d cases, called %d times)\n",
					name, wanted[name], called[name]
		}
	}' "$calls"

# How many lines of each callback were reached, by gcov's counters.
for module in "$dir"/*/lab_*.ko; do
	user=${module##*/lab_}
	user=${user%.ko}
	sed -n "/^LAB-GCDA-BEGIN $user\$/,/^LAB-GCDA-END\$/{/^LAB-/!p}" "$out/lines" |
		base64 -d 2>/dev/null | gunzip -c >"$out/$user.gcda" 2>/dev/null || continue
	cp "$dir/$user/$user.gcno" "$out/"
	# The driver's source is included by ours, or by a file of a name of its own.
	(cd "$out" && gcov --json-format --stdout "$user.gcda") 2>/dev/null |
		"$top/lab/coverage.py" .c each |
		awk -v user="$user" '{ print "LAB-LINES", user, $1, $2 "%", $3 }' >>"$calls"
done

if [ "$variant" = series ]; then
	if "$top/scripts/lib/check-console.sh" "$console"; then
		ok "users: nothing bad on the console"
	else
		not_ok "users: nothing bad on the console (see $console)"
	fi
fi
