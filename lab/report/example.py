"""The worked example's document: what it tells its reader to run, and whether what
it shows is what came of it.

In a block of the document the commands come first; all that follows is the output of
the last one. A line "[...]" there stands for any number of lines. What may be in a
call trace ("?") differs from run to run, and is left out."""
import re

# What differs from run to run, or between kernels and says nothing about the driver:
# where in the kernel's own source a line is, how lockdep numbers its types of waits
NORMAL = [(re.compile(pattern), replacement) for pattern, replacement in (
    (r"^\[ *[0-9]+\.[0-9]+\]", "[time]"),
    (r"0x[0-9a-f]+", "0xX"),
    (r"[0-9a-f]{8,}", "X"),
    (r"pid:? [0-9]+", "pid N"),
    (r"PID: [0-9]+", "PID: N"),
    (r"CPU: [0-9]+", "CPU: N"),
    (r"use_mirror-[0-9]+", "use_mirror-N"),
    (r"use_mirror/[0-9]+", "use_mirror/N"),
    (r"kworker/[^ ]+", "kworker"),
    (r"\[00[0-9]\] [^ ]+ +[0-9.]+:", "cpu time:"),
    (r" at (?!samples/)([^ ]+\.[ch]):[0-9]+", r" at \1:N"),
    (r"\}-\{[0-9]+:[0-9]+\}", "}-{N:N}"),
    (r"pfn:[^ ]*", "pfn:X"),
    (r"index:[^ ]*", "index:X"),
    (r"of [0-9]+ KiB of private", "of N KiB of private"),
    (r"cache: [0-9]+ KiB before, [0-9]+ KiB", "cache: N KiB before, N KiB"),
    (r"pid N: [0-9]+, without mmap_lock: [0-9]+", "pid N: N, without mmap_lock: N"),
    (r"refused [0-9]+ times", "refused N times"),
    (r"hitcount: +[0-9]+", "hitcount: N"),
    (r"Hits: [0-9]+", "Hits: N"),
    (r"Tainted: [^0-9]* [0-9].*", "Tainted"),
    (r"[ \t]+", " "),
    (r" $", ""),
)]


def normal(line):
    for pattern, replacement in NORMAL:
        line = pattern.sub(replacement, line)
    return line


def commands(lines):
    """[command with its "# " or "$ ", the lines that the document shows]"""
    found, block, output, more = [], False, False, False
    for line in lines:
        if re.match(r"[^ ]", line):
            block = line.endswith("::") and not line.startswith(".. ")
            output = more = False
            continue
        if not block or not line:
            continue
        line = line[2:]
        if more:
            found[-1][0] += " " + line.lstrip(" ")
        elif not output and re.match(r"[#$] ", line):
            found.append([line, []])
        else:
            output = True
            if found:
                found[-1][1].append(line)
            continue
        more = found[-1][0].endswith(" \\")
        if more:
            found[-1][0] = found[-1][0][:-2]
    return found


def extract(lines):
    """(part, command): root's ("# ...") are in part 1, after a "# reboot" in part 2,
    and so on; the builder's ("$ ...") in part 0."""
    part = 1
    for command, _ in commands(lines):
        if command == "# reboot":
            part += 1
        else:
            yield (0 if command.startswith("$") else part), command[2:]


def read_said(lines):
    """[command, what it said] from lines "# COMMAND" or "$ COMMAND", each followed by
    its output, "| LINE"."""
    said = []
    for line in lines:
        if re.match(r"[#$] ", line):
            said.append((line, []))
        elif said and re.match(r"\| *[^ ]", line) and not re.search(r"\]  \? ", line):
            said[-1][1].append(line[2:])
    return said


def differs(said, shown):
    """Why it is not what is shown; "" if it is."""
    i, skip = 0, False
    for line in shown:
        if line == "[...]":
            skip = True
            continue
        while skip and i < len(said) and normal(said[i]) != normal(line):
            i += 1
        if i >= len(said):
            return f'nothing said "{line}"'
        if normal(said[i]) != normal(line):
            return f'"{said[i]}", not "{line}"'
        skip = False
        i += 1
    if not skip and i < len(said):
        return f'there was also "{said[i]}"'
    return ""


def compare(document, said, label):
    """A line "ok ..." or "not ok ..." for each command that was run."""
    ran = {}
    for command, lines in said:
        ran.setdefault(command, []).append(lines)
    compared = 0
    for command, shown in commands(document):
        if ran.get(command):
            compared += 1
            why = differs(ran[command].pop(0), shown)
            yield f"{'not ok' if why else 'ok'} {label}: the document shows what is said to: " + \
                command[2:] + (f" ({why})" if why else "")
        elif command.startswith("#") and command != "# reboot":
            yield f"not ok {label}: the document's command is run: {command[2:]}"
    if not compared:
        yield f"not ok {label}: nothing was compared"


def checks(wanted, said, label):
    """wanted: lines of example.checks; said: the lines of that part, in the order in
    which they were run, "= CODE" behind each."""
    rows = [line.split("\t") for line in wanted if line and not line.startswith("#")]
    seen, codes, done, at = set(), {}, 0, None
    for line in said:
        if line.startswith("# "):
            at = done if done < len(rows) and line[2:] == rows[done][3] else None
            done += at is not None
        elif at is not None and line.startswith("| ") and re.search(rows[at][2], line[2:]):
            seen.add(at)
        elif at is not None and line.startswith("= "):
            codes[at] = line[2:]
    for i, (name, code, text, _) in enumerate(rows):
        if i not in codes:
            yield f"not ok {label}: {name} (was not run)"
        elif codes[i] != code:
            yield f"not ok {label}: {name} (exit code {codes[i]}, not {code})"
        elif i not in seen:
            yield f"not ok {label}: {name} (nothing said {text})"
        else:
            yield f"ok {label}: {name}"
