#!/bin/sh
# Fails if a VM's console has a report of one of the kernel's checkers, and
# shows it. What a test provokes on purpose does not count: it stands between
# lines "LAB-EXPECT-SPLAT-BEGIN <why>" and "LAB-EXPECT-SPLAT-END".
# usage: check-console.sh LOG
[ -f "$1" ] || { echo "check-console: $1 is missing" >&2; exit 1; }

tr -d '\r' <"$1" | awk '
	/LAB-EXPECT-SPLAT-BEGIN/ { expected = 1 }
	/LAB-EXPECT-SPLAT-END/ { expected = 0; next }
	expected { next }
	/WARNING: |BUG: |Oops: |KASAN: |KCSAN: |UBSAN: |KFENCE: |Kernel panic/ ||
	/general protection fault|refcount_t: |list_(add|del) corruption/ ||
	/BUG: Bad |Bad rss-counter|unable to handle/ ||
	/possible circular locking|possible recursive locking|inconsistent lock state/ ||
	/suspicious RCU usage|Invalid wait context|possible irq lock inversion/ ||
	/blocked for more than|rcu.*detected( expedited)? stalls|self-detected stall/ ||
	/soft lockup|hard LOCKUP|workqueue lockup/ ||
	/held lock freed|lock held when returning|locks? held at|bad unlock balance/ ||
	/scheduling while atomic|DEBUG_LOCKS|trying to register non-static key/ ||
	/turning off the locking correctness validator/ {
		print "  | " NR ": " $0
		found = 1
	}
	END {
		if (expected) {
			print "  | LAB-EXPECT-SPLAT-BEGIN without an end"
			found = 1
		}
		exit found
	}' >&2
