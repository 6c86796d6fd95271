"""A chart for the terminal: what a victim holds over time on both kernels."""

COLUMNS, ROWS, LAST_MS = 64, 8, 8000
GAP = " " * 14


def chart(title, samples):
    """samples: (kernel, ms since the kill, KiB), kernel unpatched or patched."""
    held, end, top = {}, {}, 0
    for kernel, ms, kib in samples:
        # The last value that was seen by then, as sampling is not regular
        begin = 0 if ms < 0 else ms * COLUMNS // LAST_MS
        for i in range(begin, COLUMNS + 1):
            held[kernel, i] = kib
        end[kernel] = begin
        top = max(top, kib)
    if not top:
        return ""

    def at(kernel, i, row):
        return i <= end.get(kernel, 0) and (kernel, i) in held and \
            int(held[kernel, i] * ROWS / top + 0.5) == row

    lines = [title]
    for row in range(ROWS, -1, -1):
        line = "%9d MiB |" % int(top * row / ROWS / 1024 + 0.5) \
            if row in (ROWS, ROWS / 2, 0) else GAP + "|"
        for i in range(COLUMNS + 1):
            seen = at("unpatched", i, row), at("patched", i, row)
            line += {(True, True): "*", (True, False): "u", (False, True): "p"}.get(seen, " ")
        lines.append(line.rstrip(" "))
    lines.append(GAP + "+" + "".join("-" if i % (COLUMNS // 8) else "+"
                                     for i in range(COLUMNS + 1)))
    lines.append(GAP + " 0" + "".join("%8d" % i for i in range(1, 9)) + " s after the kill")
    lines.append(GAP + " u unpatched   p patched   * both")
    return "\n".join(lines) + "\n"
