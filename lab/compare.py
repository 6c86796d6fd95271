#!/usr/bin/python3
"""Compares two queues patch by patch and writes a table in Markdown.

usage: compare.py QUEUE OTHER NOTES

A patch is the same if its changelog and all lines that it adds and removes are.
NOTES has lines "SLUG.patch: why" for what is not. Exit code: 1 if a reason is
missing there, or is given for what does not differ.
"""

import collections
import os
import re
import sys

Patch = collections.namedtuple("Patch", "subject text changes")


def read_patch(path):
    """The changelog without its subject, and the changed lines of each file."""
    with open(path, encoding="utf-8") as file:
        head, _, body = file.read().partition("\n---\n")
    fields, _, text = head.partition("\n\n")
    subject = re.sub(r"\n ", " ", fields).split("Subject: [PATCH] ")[1].split("\n")[0]
    changes = collections.Counter()
    name = None
    for line in body.splitlines():
        if line.startswith("diff --git "):
            name = line.split(" b/")[-1]
        elif name and line[:1] in "+-" and line[:4] not in ("+++ ", "--- "):
            changes[name, line] += 1
    return Patch(subject, text.strip(), changes)


def read_queue(directory):
    with open(os.path.join(directory, "series"), encoding="utf-8") as file:
        names = [line.split()[0] for line in file if line.strip() and line[0] != "#"]
    return {name: read_patch(os.path.join(directory, name)) for name in names}


def read_notes(path):
    notes = {}
    if os.path.exists(path):
        with open(path, encoding="utf-8") as file:
            for line in file:
                if line.strip() and line[0] != "#":
                    slug, _, why = line.partition(": ")
                    notes[slug] = why.strip()
    return notes


def difference(one, two):
    """None if they are the same, else what differs."""
    lines = sum(((one.changes - two.changes) + (two.changes - one.changes)).values())
    if not lines and one.text == two.text:
        return None
    said = []
    if lines:
        said.append(f"{lines} of {sum((one.changes | two.changes).values())} lines")
    if one.text != two.text:
        said.append("changelog")
    return "ported: " + ", ".join(said)


def merged(one, two):
    """The names of both, in the order of the first."""
    names = list(one)
    for name in two:
        if name not in one:
            before = [other for other in two if other in one]
            before = [other for other in before
                      if list(two).index(other) < list(two).index(name)]
            where = names.index(before[-1]) + 1 if before else 0
            while where < len(names) and names[where] not in one:
                where += 1
            names.insert(where, name)
    return names


def main():
    queue, other, notes_path = sys.argv[1:]
    base, other_base = (os.path.basename(path.rstrip("/")) for path in (queue, other))
    one, two, notes = read_queue(queue), read_queue(other), read_notes(notes_path)
    same, total = collections.Counter(), collections.Counter()
    rows = []
    missing = []
    for name in merged(one, two):
        slug = os.path.basename(name)
        total[os.path.dirname(name)] += 1
        if name in one and name in two:
            what = difference(one[name], two[name])
            if not what:
                same[os.path.dirname(name)] += 1
                if slug in notes:
                    missing.append(f"{name} is the same, but has a reason in {notes_path}")
                continue
        else:
            what = f"only {base if name in one else other_base}"
        if not notes.get(slug):
            missing.append(f"{name}: {what}, and {notes_path} does not say why")
        subject = (one.get(name) or two[name]).subject
        rows.append(f"| {os.path.dirname(name)} | {subject} | {what} | {notes.get(slug, '')} |")

    names = {os.path.basename(name) for name in merged(one, two)}
    missing += [f"{notes_path} has a reason for {slug}, which no queue has"
                for slug in notes if slug not in names]

    print(f"# The queues for Linux {base} and {other_base}")
    print()
    print("Written by scripts/compare.sh. The same text:",
          ", ".join(f"{same[series]} of {count} in {series}"
                    for series, count in total.items()) + ".")
    print()
    print(f"What is not, of {len(one)} patches for {base} and {len(two)} for {other_base}:")
    print()
    print("| series | patch | | why |")
    print("|---|---|---|---|")
    print("\n".join(rows))
    for line in missing:
        print(f"compare: {line}", file=sys.stderr)
    sys.exit(bool(missing))


main()
