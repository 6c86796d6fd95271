#!/usr/bin/python3
"""How many lines of functions were reached, each line counted once.

usage: gcov --json-format --stdout FILE.gcda | coverage.py SOURCE each
       gcov --json-format --stdout FILE.gcda | coverage.py SOURCE sum [REGEX]

SOURCE is how the name of the source file ends. "each" prints NAME PERCENT LINES
for each function of it. "sum" prints PERCENT LINES for those whose name the
regular expression matches as a whole (default: all), and then the numbers of the
lines that were not reached.
"""
import json
import re
import sys


def main():
    if len(sys.argv) not in (3, 4) or sys.argv[2] not in ("each", "sum"):
        sys.exit(__doc__)
    source, mode = sys.argv[1:3]
    wanted = re.compile(sys.argv[3] if len(sys.argv) == 4 else ".*")

    seen, reached = {}, {}
    for document in filter(None, sys.stdin.read().split("\n")):
        for file in json.loads(document)["files"]:
            if not file["file"].endswith(source):
                continue
            counts = {}
            for line in file["lines"]:
                number = line["line_number"]
                counts[number] = max(counts.get(number, 0), line["count"])
            for function in file["functions"]:
                name = function["name"]
                if not wanted.fullmatch(name):
                    continue
                own = [n for n in counts
                       if function["start_line"] <= n <= function["end_line"]]
                seen.setdefault(name, set()).update(own)
                reached.setdefault(name, set()).update(
                    n for n in own if counts[n])

    if mode == "each":
        for name, lines in seen.items():
            if lines:
                print(name, "%.2f" % (100 * len(reached[name]) / len(lines)),
                      len(lines))
        return
    lines = set().union(*seen.values())
    if lines:
        hit = set().union(*reached.values())
        print("%.2f" % (100 * len(hit) / len(lines)), len(lines),
              *sorted(lines - hit))


main()
