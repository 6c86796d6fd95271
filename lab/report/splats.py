"""Reports of the kernel's checkers on a VM's console: the one list of them."""
import re

SPLAT = re.compile("|".join((
    r"WARNING: |BUG: |Oops: |KASAN: |KCSAN: |UBSAN: |KFENCE: |Kernel panic",
    r"general protection fault|refcount_t: |list_(add|del) corruption",
    r"Bad rss-counter|unable to handle",
    r"possible circular locking|possible recursive locking|inconsistent lock state",
    r"suspicious RCU usage|Invalid wait context|possible irq lock inversion",
    r"blocked for more than|rcu.*detected( expedited)? stalls|self-detected stall",
    r"soft lockup|hard LOCKUP|workqueue lockup",
    r"held lock freed|lock held when returning|locks? held at|bad unlock balance",
    r"scheduling while atomic|DEBUG_LOCKS|trying to register non-static key",
    r"turning off the locking correctness validator",
)))


def splats(lines):
    """(number, line) of each. What a test provokes on purpose does not count: it
    stands between lines "LAB-EXPECT-SPLAT-BEGIN <why>" and "LAB-EXPECT-SPLAT-END"."""
    expected = False
    for number, line in enumerate(lines, 1):
        if "LAB-EXPECT-SPLAT-BEGIN" in line:
            expected = True
        if "LAB-EXPECT-SPLAT-END" in line:
            expected = False
        elif not expected and SPLAT.search(line):
            yield number, line
    if expected:
        yield 0, "LAB-EXPECT-SPLAT-BEGIN without an end"
