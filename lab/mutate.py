#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Makes mutants of the patches: a driver, or mm/, as it is, but for one line.

usage: mutate.py TREE BASE LAB|mm OUT

Takes the lines of C that TREE (a git tree, its files as they are) has more than
BASE (a commit), in files that the modules of LAB/DRIVER include; or those of mm/,
include/ and two more files, see CORE. Each condition is decided, each of its parts
dropped; each statement is dropped, swapped with its neighbours, and moved behind the
condition that follows (not in mm/); a trylock waits; results, constants and operators
are changed; lines
that were taken out are put back. lab/mutants.hand has more, for drivers.

All mutants of a file are in the one that is written, OUT/tree/FILE: in the place
of a statement there is a choice by lab_mutant, which lab/drivers/drivers.c has; for
mm/ it is a parameter of the kernel, which mm/oom_kill.c gets. The rest of OUT/tree
are links to TREE. OUT/list has a line for each mutant: NUMBER DRIVER FILE:LINE, a
tab, OLD => NEW. In mm/ DRIVER is the file. Where DRIVER is "nobody" no module includes
the file, and the mutant is not made: it counts as not run.
"""

import os
import re
import subprocess
import sys
import zlib
from pathlib import Path

# What mm stands for, as far as the queue changes it
CORE = "mm", "include", "fs/userfaultfd.c", "kernel/cgroup/cgroup.c"
NOT_CODE = re.compile(r"^\s*(#|/\*|\*[ /]|\*$|//|\w+:$|[{}]+;?$|$)")
DECLARATION = re.compile(
    r"^\s*(static|const|extern|inline|struct|enum|union|unsigned|signed|bool|int|long|"
    r"u8|u16|u32|u64|char|void|size_t|\w+_t)\s+\*?\w")

# What is changed to what, wherever it stands in a line of code
REPLACED = [
    (r"\btrue\b", "false"), (r"\bfalse\b", "true"),
    (r" && ", " || "), (r" \|\| ", " && "),
    (r"!(?=[\w(])", ""),
    (r" < ", " <= "), (r" > ", " >= "), (r" <= ", " < "), (r" >= ", " > "),
    (r" == ", " != "), (r" != ", " == "),
    (r" \+= ", " = "), (r" -= ", " += "), (r" \| ", " & "), (r" & ~", " | "), (r" & (?!~)", " | "),
    (r" \+ ", " - "), (r" - ", " + "), (r"\+\+", "--"), (r"--(?!>)", "++"),
    (r" << ", " >> "), (r" >> ", " << "),
    (r"\bmax(_t)?\(", r"min\1("), (r"\bmin(_t)?\(", r"max\1("),
    (r"USAGE_READ\b", "USAGE_WRITE"), (r"USAGE_READ\b", "USAGE_BOOKKEEP"),
    (r"USAGE_BOOKKEEP\b", "USAGE_READ"), (r"USAGE_KERNEL\b", "USAGE_BOOKKEEP"),
    (r"(?<== )0\b", "1"), (r"(?<=, )0(?=\))", "1"),
    (r"\bALIGN_DOWN\((\w+), \w+\)", r"\1"), (r"\bALIGN_DOWN\b", "ALIGN"),
    (r"(\w+)_end\(", r"\1_start("), (r"(\w+)_start\(", r"\1_end("),
    (r"->end\b", "->start"), (r"(?<!prange)(?<!node)->start\b", "->end"),
    (r"(?<=prange)->start\b", "->last"), (r"(?<=prange)->last\b", "->start"),
    (r"(?<=node)->start\b", "->last"), (r"(?<=node)->last\b", "->start"),
    (r"\bdown_read\(", "down_write("), (r"\bdown_write\(", "down_read("),
    (r"\bup_read\(", "up_write("), (r"\bup_write\(", "up_read("),
    (r"_used_list\b", "_group_list"), (r"_group_list\b", "_used_list"),
    (r"\b(mutex|svm_range|down_write|down_read)_trylock\(", None),
    # Whoever unmaps may have been killed. (What is returned is not looked at.)
    (r"\b(mutex_lock|down_read|down_write)\(", r"(void)!\1_killable("),
    (r"\bBIT\(\w+(->\w+)*->id\)", "BIT(0)"),
]
# And in mm/, where numbers and flags are what the tests have to know
REPLACED_MM = [
    (r"\b(\d+)(?=U?L?\b)", lambda m: str(int(m.group()) + 1)),
    (r"\b([1-9]\d+)(?=U?L?\b)", lambda m: str(int(m.group()) // 2)),
    (r" \* ", " / "), (r" / ", " * "), (r" \|= ", " = "), (r" &= ~", " |= "),
    (r" \| [\w~]+", ""), (r"(?<![\w.>])[\w~]+ \| ", ""),
    (r"\bMMU_NOTIFY_CLEAR\b", "MMU_NOTIFY_UNMAP"), (r"\bMM_ANONPAGES\b", "MM_FILEPAGES"),
    (r"\bMM_FILEPAGES\b", "MM_SHMEMPAGES"), (r"\bMM_(SWAPENTS|SHMEMPAGES)\b", "MM_ANONPAGES"),
    (r"\bULONG_MAX\b", "0"), (r"\bOOM_REAP_RETRY\b", "OOM_REAP_DONE"),
    (r"\bOOM_REAP_DONE\b", "OOM_REAP_GIVE_UP"), (r"\bOOM_REAP_GIVE_UP\b", "OOM_REAP_RETRY"),
    (r"\bIS_ENABLED\(\w+\)", "1"), (r"\bIS_ENABLED\(\w+\)", "0"),
    (r" & PAGE_MASK", ""), (r" \| ~PAGE_MASK", ""),
]


def git(tree, *args):
    return subprocess.run(["git", "-C", tree, *args], check=True,
                          capture_output=True, text=True).stdout


def changed(tree, base, name):
    """Line numbers, from 0, that were added, and (number, lines) taken out."""
    added, gone, taken = set(), [], []
    for line in git(tree, "diff", "-U0", base, "--", name).split("\n"):
        if line.startswith("@@"):
            new = re.match(r"@@ -\S+ \+(\d+(?:,\d+)?) @@", line).group(1)
            start, _, count = new.partition(",")
            start, count = int(start), int(count or 1)
            added.update(range(start - 1, start - 1 + count))
            taken = []
            if count == 0:
                gone.append((start, taken))
        elif line.startswith("-") and not line.startswith("---"):
            taken.append(line[1:])
    return added, gone


def uncommented(lines):
    """The lines without comments, with as many lines."""
    text = "\n".join(lines)
    text = re.sub(r"/\*.*?\*/", lambda m: re.sub(r"[^\n]", " ", m.group()), text, flags=re.S)
    return text.split("\n")


def closing(code, i, at):
    """Where the parenthesis at column @at of line @i is closed: (line, column)"""
    depth = 0
    while i < len(code):
        for j in range(at, len(code[i])):
            depth += {"(": 1, ")": -1}.get(code[i][j], 0)
            if depth == 0 and code[i][j] == ")":
                return i, j
        i, at = i + 1, 0
    return None


def parts(condition):
    """What stands between && or || of the outermost level, with these"""
    out, depth, last, i = [], 0, 0, 0
    while i < len(condition):
        depth += {"(": 1, ")": -1}.get(condition[i], 0)
        if depth == 0 and condition[i:i + 2] in ("&&", "||"):
            out += [condition[last:i], condition[i:i + 2]]
            last = i + 2
            i += 1
        i += 1
    return out + [condition[last:]]


def changed_words(text):
    """The ways to change one word of @text"""
    for pattern, new in REPLACED:
        for match in re.finditer(pattern, text):
            if match.group() == "!" and text[match.start():match.start() + 2] == "!=":
                continue
            if new is not None:
                yield text[:match.start()] + (new(match) if callable(new) else match.expand(new)) + text[match.end():]
                continue
            end = closing([text], 0, match.end() - 1)	# as if it had been had, or not; or waited for
            if end:
                name = match.group(1)
                lock = name if name.startswith("down_") else f"{name}_lock"
                waits = f"({{ {lock}{text[match.end() - 1:end[1] + 1]}; true; }})"
                for result in ("true", "false", waits):
                    yield text[:match.start()] + result + text[end[1] + 1:]


class File:
    """A file with the choices that were put into it"""
    swaps, constants = True, False

    def __init__(self, name, lines, added, gone, mutants, first, hand=None):
        self.name, self.lines, self.code = name, lines, uncommented(lines)
        self.added, self.gone, self.mutants = added, gone, mutants
        self.choices = {}	# first line of a statement: (last line, [(number, new)])
        self.behind = []	# (last line of a statement, what comes behind it)
        self.next, self.next_hand = first, first + 900
        self.hand = hand	# old: [new], those that are taken are taken out

    def number(self, i, old, new):
        self.mutants.append((self.next, self.name, i + 1, f"{old} => {new or '(nothing)'}"))
        self.next += 1
        return self.next - 1

    def by_hand(self, i, old):
        """(number, new) of those that a human has thought of"""
        left = self.hand.get(old, [])
        for new in dict.fromkeys(left):
            left.remove(new)	# a line that is there twice is for two places
            self.mutants.append((self.next_hand, self.name, i + 1, f"{old} => {new}"))
            self.next_hand += 1
            yield self.next_hand - 1, new

    def first(self, i):
        """The first line of what the changed line @i is the rest of, or None (drivers)"""
        k = i
        while self.swaps and k > 0 and not self.begins(k) and self.code[k].strip() and i - k < 8:
            k -= 1
        if k == i or not self.begins(k):
            return None
        match = re.search(r"\bif \(", self.code[k])
        end = closing(self.code, k, match.end() - 1) if match else [self.ends(k)]
        return k if end and end[0] is not None and end[0] >= i else None

    def text(self, i, j):
        return " ".join(x.strip() for x in self.code[i:j + 1]).strip()

    def begins(self, i):
        """Does a statement begin on line @i?"""
        k = i - 1
        while k >= 0 and not self.code[k].strip():
            k -= 1
        before = self.code[k].strip()
        if before.startswith("#") or not self.code[i].startswith("\t") or self.in_loop(i):
            return False
        if before.endswith(")"):	# of a condition, not of a call that goes on
            while k > 0 and not re.match(r"\s*(\} )?(else )?(if|while|for)\b|.*for_each", self.code[k]):
                if re.search(r"[;{}]$", self.code[k - 1].strip()):
                    return False
                k -= 1
            return True
        return bool(re.search(r"([;{}]|\belse|^\w+:|^case .*:)$", before))

    def in_loop(self, i):
        """Is line @i a later one of for (...)?"""
        for k in range(i - 1, max(i - 4, -1), -1):
            match = re.match(r"\s*for \(", self.code[k])
            if match:
                where = closing(self.code, k, match.end() - 1)
                return bool(where) and where[0] >= i
        return False

    def inside(self, i):
        """Is line @i in a function, or what an event assigns?"""
        for line in reversed(self.code[:i]):
            if line == "{" or line.strip() == "TP_fast_assign(":
                return True
            if line.startswith("}") or line.strip() == "),":
                return False
        return False

    def ends(self, i):
        """The line that the statement on line @i ends with"""
        depth = 0
        for j in range(i, min(i + 12, len(self.code))):
            depth += self.code[j].count("(") - self.code[j].count(")")
            text = self.code[j].strip()
            if depth == 0 and text.endswith(";"):
                return j
            if depth == 0 and text.endswith("{"):
                return None
        return None

    def statement(self, i):
        """The last line of the plain statement that begins on line @i, or None"""
        text = self.code[i].strip()
        if text.startswith((".", "MA_STATE(", "VMA_ITERATOR(", "DECLARE_", "DEFINE_", "LIST_HEAD(")):
            return None
        if (NOT_CODE.match(text) or DECLARATION.match(self.code[i]) or not self.begins(i) or
                re.match(r"(\} )?(if|else|for|while|do|switch|case|default)\b", text)):
            return None
        return self.ends(i)

    def choose(self, i, j, number, new):
        self.choices.setdefault(i, (j, []))[1].append((number, new))

    def plain(self, i, j):
        old = self.text(i, j)
        ways = list(changed_words(old))
        # Nothing may fall off the end of a function.
        if not (old.startswith("return ") and self.code[j + 1].startswith("}")):
            ways.insert(0, ";")
        match = re.match(r"return (.+);$", old)
        if match and not re.match(r"true$|false$|OOM_REAP_", match.group(1)):
            ways += ["return 0;", "return 1;"]
        match = re.search(r" \?(?!:) ([^:]+) : ([^;:]+?)([;,)]+)$", old)
        if match:
            ways.append(old[:match.start()] + f" ? {match.group(2)} : {match.group(1)}" + match.group(3))
        match = re.search(r"(\S+) \?: (\S+);", old)
        if match:
            ways += [old.replace(match.group(), one + ";") for one in match.groups()]
        for new in dict.fromkeys(ways):
            if new != old:
                self.choose(i, j, self.number(i, old, "" if new == ";" else new), new)
        for number, new in self.by_hand(i, old):
            self.choose(i, j, number, new)

    def swap(self, i, j, k):
        """The statement on lines @i to @j with the next one, to line @k"""
        first, second = self.text(i, j), self.text(j + 1, k)
        if re.match(r"(return|break|goto|continue)\b", first) or first == second:
            return
        number = self.number(i, f"{first} {second}", f"{second} {first}")
        self.choose(i, j, number, ";")
        self.choose(j + 1, k, number, f"{second} {first}")

    def conditional(self, i):
        """The last line of the if without else that begins on line @i, or None"""
        match = re.match(r"\s*if \(", self.code[i])
        where = match and closing(self.code, i, match.end() - 1)
        if not where:
            return None
        j = where[0]
        if self.code[j].rstrip().endswith("{"):
            indent = re.match(r"\s*", self.code[i]).group()
            while j + 1 < len(self.code) and not self.code[j].startswith(indent + "}"):
                j += 1
            return j if self.code[j] == indent + "}" else None
        j = self.ends(j + 1) if self.code[j].rstrip().endswith(")") else None
        return None if j is None or self.code[j + 1].strip().startswith("else") else j

    def move(self, i, j):
        """The statement on lines @i to @j behind the if that follows"""
        k = j + 1
        while k < len(self.code) and not self.code[k].strip():
            k += 1
        end = self.conditional(k)
        text = self.text(i, j)
        if end is None or re.match(r"(return|break|goto|continue)\b", text):
            return
        number = self.number(i, text, f"the same behind {self.code[k].strip()}")
        self.choose(i, j, number, ";")
        self.behind.append((end, f"\tif (lab_mutant == {number}) {{ {text} }}"))

    def condition(self, i):
        """if (...) and while (...): the choice is inside of the parentheses"""
        match = re.search(r"\b(if|while) \(", self.code[i])
        where = match and closing(self.code, i, match.end() - 1)
        if not where:
            return
        j, to = where
        at = match.end() - 1
        if i == j:
            inner = self.code[i][at + 1:to]
        else:
            inner = " ".join([self.code[i][at + 1:].strip()] +
                             [x.strip() for x in self.code[i + 1:j]] + [self.code[j][:to].strip()])
        # Who finds it decided in the wrong way finds it negated, too.
        ways = ["false", "true"] if match.group(1) == "if" else [f"!({inner})"]
        found = parts(inner)
        for k in range(0, len(found), 2):
            if len(found) > 1:
                rest = found[:k] + found[k + 2:] if k + 1 < len(found) else found[:k - 1]
                ways.append("".join(rest).strip())
        ways += changed_words(inner)
        chosen = f"({inner})"
        for new in dict.fromkeys(ways):
            if new not in (inner, f"!{inner}") and f"!{new}" != inner:
                number = self.number(i, f"{match.group(1)} ({inner})", f"{match.group(1)} ({new})")
                chosen = f"lab_mutant == {number} ? ({new}) : {chosen}"
        for number, new in self.by_hand(i, f"{match.group(1)} ({inner})"):
            chosen = f"lab_mutant == {number} ? ({new[len(match.group(1)) + 2:-1]}) : {chosen}"
        self.put(i, j, self.code[i][:at + 1] + chosen + self.code[j][to:])

    def loop(self, i):
        """for (...)"""
        where = closing(self.code, i, self.code[i].index("("))
        if not where:
            return
        j, end = where
        code = self.text(i, j)
        rest = self.code[j][end:]
        match = re.match(r"for \((.*?); (.*?); (.*)$", code[:len(code) - len(rest.rstrip())])
        if not match:
            return
        pieces = list(match.groups())
        for k, old in enumerate(pieces):
            chosen = old
            for new in dict.fromkeys(changed_words(old)):
                number = self.number(i, f"for (.. {old} ..)", f"for (.. {new} ..)")
                chosen = f"lab_mutant == {number} ? ({new}) : ({chosen})"
            pieces[k] = chosen
        indent = re.match(r"\s*", self.code[i]).group()
        self.put(i, j, f"{indent}for ({'; '.join(pieces)}{rest}")

    def chosen(self, i, old, ways, what="{}"):
        """@old or one of @ways, as an expression; @what is around it"""
        out = f"({old})"
        for new in dict.fromkeys(ways):
            if new != old:
                number = self.number(i, what.format(old), what.format(new))
                out = f"(lab_mutant == {number} ? ({new}) : {out})"
        return out

    def initial(self, i):
        """A declaration with values, on one line"""
        match = re.match(r"(\s*[\w* ]+ = )(.+)(;)$", self.code[i])
        if not match or not DECLARATION.match(self.code[i]) or "{" in match.group(2):
            return
        # Of each variable the value
        values = re.split(r"(, \**\w+ = )", match.group(2))
        for k in range(0, len(values), 2):
            more = re.search(r"(, \**\w+)*$", values[k]).group()	# those that have none
            value = values[k].removesuffix(more)
            ways = [new[3:] for new in changed_words(f" = {value}") if new[:3] == " = "]
            name = (match.group(1) if k == 0 else values[k - 1][2:]).strip()
            values[k] = self.chosen(i, value, ways, name.replace("{", "{{") + " {};") + more
        self.put(i, i, match.group(1) + "".join(values) + match.group(3))

    def field(self, i):
        """.name = value, of a structure that a function has; or a state"""
        match = re.match(r"(\tMA_STATE\(\w+, [^,]+, )([^,]+)(, )([^,]+)(\);)$", self.code[i])
        if match:
            text = list(match.groups())
            for k in (1, 3):
                what = "MA_STATE({}, .., ..)" if k == 1 else "MA_STATE(.., .., {})"
                text[k] = self.chosen(i, text[k], changed_words(text[k]), what)
            self.put(i, i, "".join(text))
            return
        match = re.match(r"(\t+\.[\w.]+ = )(.+)(,)$", self.code[i])
        if match:
            ways = list(changed_words(match.group(2))) + ["0"]
            what = match.group(1).strip() + " {},"
            self.put(i, i, match.group(1) + self.chosen(i, match.group(2), ways, what) + match.group(3))

    def define(self, i):
        """#define NAME VALUE"""
        match = re.match(r"(#define\s+\w+\s+)(\S.*)$", self.code[i])
        if match and "\\" not in match.group(2) and "BIT(" not in match.group(2):
            ways = list(changed_words(match.group(2)))
            if ways:
                self.lines[i] = match.group(1) + self.chosen(i, match.group(2), ways, match.group(1) + "{}")

    def put(self, i, j, text):
        if any(self.lines[k] is None for k in range(i, j + 1)):
            return
        self.lines[i] = text
        for k in range(i + 1, j + 1):
            self.lines[k] = None

    def run(self):
        for i in sorted(self.added | set(filter(None, map(self.first, self.added)))):
            if self.constants:
                self.define(i)
            if NOT_CODE.match(self.code[i]) or not self.code[i].startswith("\t"):
                continue
            if self.constants and not self.inside(i):
                continue
            j = self.statement(i)
            if j is None:
                if re.search(r"\b(if|while) \(", self.code[i]):
                    self.condition(i)
                elif re.match(r"\s*for \(", self.code[i]):
                    self.loop(i)
                elif self.constants and re.match(r"\t+(\.|MA_STATE\()", self.code[i]):
                    self.field(i)
                else:
                    self.initial(i)
                continue
            self.plain(i, j)
            k = self.statement(j + 1)
            if k is not None and self.swaps:
                self.swap(i, j, k)
            if self.swaps:
                self.move(i, j)
            k = i - 1
            if self.swaps and k not in self.added and self.statement(k) == k:
                self.swap(k, k, j)
        for i, (j, ways) in self.choices.items():
            text = self.text(i, j)
            indent = re.match(r"\s*", self.code[i]).group()
            chosen = " else ".join(f"if (lab_mutant == {n}) {{ {new} }}" for n, new in ways)
            self.put(i, j, f"{indent}{{ {chosen} else {{ {text} }} }}")
        for at, text in self.behind:
            while self.lines[at] is None:	# part of what was put before it
                at -= 1
            self.lines[at] += "\n" + text
        for at, taken in self.gone:
            code = " ".join(x.strip() for x in uncommented(taken) if x.strip())
            if not code.endswith(";") or "goto " in code or DECLARATION.match(code + " ") or not self.lines[at - 1]:
                continue
            left = re.match(r"(\w+) = ", code)
            if left and not re.search(rf"\b{left.group(1)}\b", "\n".join(self.code)):
                continue	# the variable is gone, too
            number = self.number(at, "(nothing)", code)
            self.lines[at - 1] += f"\n\tif (lab_mutant == {number}) {{ {code} }}"
        return "\n".join(x for x in self.lines if x is not None)


def sources_of(driver, kernel):
    """
    The text of a module, as scripts/lib/build-drivers.sh builds it for a kernel: what is in
    its own files, with what they include of its directory, one level deep
    """
    def text(part):
        for path in (driver / kernel / part, driver / part):
            if path.exists():
                return path.read_text()
        return ""

    for part in (f"{driver.name}.c", "sources.h"):
        yield text(part)
        for inner in re.findall(r'^#include "([^"]+)"', text(part), re.M):
            if inner != "sources.h":
                yield text(inner)


def drivers_of(lab, kernel):
    """Which module includes which file of the kernel"""
    out = {}
    for driver in sorted(p.name for p in Path(lab).iterdir() if p.is_dir()):
        if not any((Path(lab) / driver / x / "Kbuild").exists() for x in (kernel, ".")):
            continue
        text = "".join(sources_of(Path(lab) / driver, kernel))
        for name in re.findall(r"#include <((?:drivers|virt)/\S+\.c)>", text):
            out.setdefault(name, []).append(driver)
            # and the headers beside it
            out.setdefault(str(Path(name).parent) + "/", []).append(driver)
    return out


def by_hand(lab, kernel):
    """What is in lab/mutants.hand for a kernel: {file: {old: [new]}}"""
    out = {}
    for line in (Path(lab).parent / "mutants.hand").read_text().split("\n"):
        if line and not line.startswith("#"):
            name, old, new = line.split("\t")
            only, _, name = name.rpartition(":")
            if only in ("", kernel):
                out.setdefault(name, {}).setdefault(old, []).append(new)
    return out


def overlay(tree, out, names):
    """Links to all that is in @tree, but for files @names"""
    def link(there, here, names):
        here.mkdir(parents=True)
        inside = {}
        for name in names:
            head, _, rest = name.partition("/")
            inside.setdefault(head, []).append(rest)
        for entry in sorted(there.iterdir()):
            if entry.name not in inside:
                (here / entry.name).symlink_to(entry)
            elif inside[entry.name] != [""]:
                link(entry, here / entry.name, inside[entry.name])
    link(Path(tree).resolve(), out, names)


def mm_files(tree, base):
    """Which file is a driver of its own"""
    for name in git(tree, "diff", "--name-only", base, "--", *CORE).split():
        if name.endswith((".c", ".h")) and not name.startswith("mm/tests/"):
            yield name, [name]


def driver_files(tree, base, lab, kernel):
    """Which file has which drivers"""
    drivers = drivers_of(lab, kernel)
    for name in git(tree, "diff", "--name-only", base, "--", "drivers", "virt").split():
        mine = drivers.get(name) if name.endswith(".c") else drivers.get(str(Path(name).parent) + "/")
        if name.endswith((".c", ".h")):
            yield name, sorted(set(mine or []))


def finish_mm(tree, texts):
    """Adds to @texts what the kernel needs to be told which mutant it is"""
    for name in texts:
        texts[name] = "extern int lab_mutant; " + texts[name]
    texts["mm/oom_kill.c"] += """
int lab_mutant;
EXPORT_SYMBOL(lab_mutant);
core_param(lab_mutant, lab_mutant, int, 0644);
"""
    # So that "../internal.h" of the tests is this one
    texts["mm/tests/.kunitconfig"] = (Path(tree) / "mm/tests/.kunitconfig").read_text()


def main():
    tree, base, lab, out = sys.argv[1:]
    kernel = os.environ.get("BASE") or (Path(__file__).parent.parent / "patches/default").read_text().strip()
    mutants, texts, of = [], {}, {}
    hand = {} if lab == "mm" else by_hand(lab, kernel)
    if lab == "mm":
        REPLACED[:] = [x for x in REPLACED if not re.search("_end|_start", x[0]) and
                       not re.search("killable", x[1] or "")] + REPLACED_MM
        File.swaps, File.constants = False, True
    for name, drivers in mm_files(tree, base) if lab == "mm" else driver_files(tree, base, lab, kernel):
        before = len(mutants)
        lines = (Path(tree) / name).read_text().split("\n")
        # Results are kept by number: those of a driver's file do not depend on others.
        first = before + 1 if lab == "mm" else zlib.crc32(name.encode()) % 100000 * 1000 + 1
        text = File(name, lines, *changed(tree, base, name), mutants, first, hand.get(name, {})).run()
        if len(mutants) == before:
            continue
        of[name] = drivers or ["nobody"]
        if drivers:
            texts[name] = text
    for name, ways in hand.items():
        for old, left in ways.items():
            for new in left:
                print(f"mutate.py: mutants.hand: {name} has no {old} => {new}", file=sys.stderr)
    if lab == "mm":
        finish_mm(tree, texts)
    overlay(tree, Path(out) / "tree", texts)
    for name, text in texts.items():
        (Path(out) / "tree" / name).write_text(text)
    with open(Path(out) / "list", "w") as file:
        for number, name, line, what in mutants:
            for driver in of[name]:
                file.write(f"{number} {driver} {name}:{line}\t{what}\n")


if __name__ == "__main__":
    main()
