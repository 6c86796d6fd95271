#!/bin/sh
# Fails if a VM's console has a report of one of the kernel's checkers, and
# shows it. What a test provokes on purpose does not count: it stands between
# lines "LAB-EXPECT-SPLAT-BEGIN <why>" and "LAB-EXPECT-SPLAT-END", or it is a
# callback that sleeps in a KUnit case whose name ends in _is_reported.
# usage: check-console.sh LOG
[ -f "$1" ] || { echo "check-console: $1 is missing" >&2; exit 1; }

tr -d '\r' <"$1" | awk '
	function flush() {
		if (pending == "")
			return
		printf "%s", pending
		pending = ""
		found = 1
	}
	/LAB-EXPECT-SPLAT-BEGIN/ { expected = 1 }
	/LAB-EXPECT-SPLAT-END/ { expected = 0; next }
	expected { next }
	# KUnit names a case when it is over.
	/^(\[[^]]*\] )?    (not )?ok [0-9]+ / {
		if (!/^(\[[^]]*\] )?    ok [0-9]+ [a-z0-9_]*_is_reported$/)
			flush()
		pending = ""
	}
	/BUG: sleeping function called/ {
		pending = pending "  | " NR ": " $0 "\n"
		next
	}
	/WARNING: |BUG: |Oops: |KASAN: |Kernel panic|general protection fault/ ||
	/possible circular locking|possible recursive locking|inconsistent lock state/ ||
	/suspicious RCU usage|blocked for more than/ ||
	/rcu.*detected( expedited)? stalls|self-detected stall|soft lockup|hard LOCKUP/ ||
	/held lock freed|lock held when returning|bad unlock balance|scheduling while atomic/ {
		print "  | " NR ": " $0
		found = 1
	}
	END {
		flush()
		if (expected) {
			print "  | LAB-EXPECT-SPLAT-BEGIN without an end"
			found = 1
		}
		exit found
	}' >&2
