"""Rows of text as tables."""


def num(value):
    """A number as short as it goes: 3, not 3.0."""
    return str(int(value)) if value == int(value) else "%.6g" % value


def markdown(head, rows, merge=True):
    """A table in markdown; merge: a first cell that repeats the one above is left
    empty."""
    lines = ["| " + " | ".join(head).replace("|  |", "| |") + " |", "|" + "---|" * len(head)]
    last = None
    for row in rows:
        first = "" if merge and row[0] == last else row[0]
        lines.append("| " + " | ".join([first] + list(row[1:])) + " |")
        last = row[0]
    return "\n".join(lines) + "\n"


def text(head, rows):
    """The same for a terminal: the first cell is a line of its own."""
    lines = [head] + [row[1:] for row in rows]
    width = [max(len(line[i]) for line in lines) for i in range(len(head))]
    out, last = [], ""
    for title, line in zip([""] + [row[0] for row in rows], lines):
        if title != last:
            out += ["", title]
            last = title
        out.append("".join("  " + cell.ljust(n) for cell, n in zip(line, width)).rstrip(" "))
    return "\n".join(out) + "\n"
