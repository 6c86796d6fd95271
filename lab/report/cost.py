"""What reaping costs on both kernels, in instructions."""
import table

HEAD = ["one pass over a victim, million instructions", "unpatched", "patched", "ratio",
        "promised"]


def median(values):
    """The lower one of two for an even number."""
    return sorted(values)[(len(values) + 1) // 2 - 1]


def judge(lines, text, tracepoints):
    """lines: "base|series VICTIM instructions|calls NUMBER". text, tracepoints: bytes
    by which functions grow, and the share of tracepoints; stated, not judged.
    Returns the table and whether all of it is as promised."""
    counts, calls, victims = {}, {}, []
    for line in lines:
        kernel, victim, figure, number = line.split()
        if figure == "instructions":
            counts.setdefault((kernel, victim), []).append(int(number))
            if victim not in victims:
                victims.append(victim)
        elif figure == "calls":
            calls[kernel, victim] = max(int(number), calls.get((kernel, victim), 0))
    million = {key: median(values) / 1e6 for key, values in counts.items()}

    rows, met = [], True

    def row(what, old, new, ratio, promise, good):
        nonlocal met
        met = met and good
        rows.append([what, old, new, ratio, promise + ("" if good else " (not met)")])

    for victim in victims:
        old, new = (million.get((kernel, victim), 0) for kernel in ("base", "series"))
        parts = victim.split("-")
        mib = parts[-1]
        if victim.startswith("none"):
            row(mib + " MiB, no notifier", "%.2f" % old, "%.2f" % new,
                "%.4f of unpatched" % (new / old), "<= 1.0015", new / old <= 1.0015)
            continue
        plain = million["series", "none-" + mib]
        limit = 2 if victim.startswith("4096") else 1.05
        who = f"{parts[0]} that {parts[1]}"
        if parts[0] == "1":
            who = "1 that " + ("accepts" if parts[1].startswith("accept") else "refuses")
        row(f"{mib} MiB, {who}", "frees nothing" if "refuse" in victim else "%.2f" % old,
            "%.2f" % new, "%.4f of no notifier" % (new / plain), "<= " + table.num(limit),
            new / plain <= limit)
        rows.append(["&nbsp;&nbsp;calls of one notifier",
                     *(str(calls.get((kernel, victim), "")) for kernel in ("base", "series")),
                     "", "1"])
        if calls.get(("series", victim)) != 1:
            rows[-1][-1] += " (not met)"
            met = False
    rows.append(["text of the kernel, bytes", "", "%+d" % text,
                 f"{tracepoints:+d} of these for tracepoints", "stated"])
    out = table.markdown(HEAD, rows, merge=False)
    return out.replace("bytes |  |", "bytes | |"), met
