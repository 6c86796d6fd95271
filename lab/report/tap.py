"""One reader of TAP: what KUnit prints as the kernel boots or as a module is loaded,
and what guest programs print between lines "run ..." and "exit CODE"."""
import re


class Result:
    """One line "ok 1 name" or "not ok 1 - name # SKIP why"."""

    def __init__(self, good, text):
        self.good = good
        self.text = text
        # the name of a case has no blanks, that of a test may
        self.name = text.split(" ")[0]
        self.skip = "# SKIP" in text
        self.why = text[text.index("# SKIP"):] if self.skip else ""
        self.reason = re.sub(r".*# SKIP[ -]*", "", text) if self.skip else ""

    @property
    def word(self):
        return "ok" if self.good else "not ok"

    @property
    def verdict(self):
        return "fail" if not self.good else "skip" if self.skip else "pass"


def result(line, indent=""):
    match = re.match(indent + r"(not )?ok [0-9]+ (?:- )?(.*)", line)
    return Result(not match[1], match[2]) if match else None


def kunit(lines, label, begin=None, end=None):
    """Results of the cases, which are indented by four; what is deeper are their
    parameters. A case that was planned and has no result did not come to its end.
    begin, end: regular expressions of the lines around each module; only what stands
    behind the first one counts, and each has to have a case."""
    out, suite, module = [], "", None
    planned = done = total = 0

    def finish():
        nonlocal planned, done
        missing = max(0, planned - done)
        if begin and missing:
            missing = 1
        out.extend([f"not ok {label}: {suite}: a case without a result"] * missing)
        planned = done = 0

    for line in lines:
        match = begin and re.match(begin, line)
        if match:
            finish()
            module, suite = match[1], ""
        elif end and re.match(end, line):
            if not suite:
                out.append(f"not ok {label}: {module}: no case was run")
        elif line.startswith("    # Subtest: "):
            if not begin:
                finish()
            suite = line.split()[2]
        elif re.fullmatch(r"    1\.\.[0-9]+", line) and (not begin or module and suite):
            planned, done = int(line.strip()[3:]), 0
        elif not begin or module:
            case = result(line, "    ")
            if case:
                done += 1
                total += 1
                out.append(f"{case.word} {label}: {suite}.{case.name}" +
                           (f" {case.why}" if case.skip else ""))
    finish()
    if not total:
        out.append(f"not ok {label}: no case was run")
    return out


class Run:
    """A program that was run: its kind (or ""), name, results and exit code."""

    def __init__(self, kind, name):
        self.kind, self.name = kind, name
        self.lines, self.results, self.code = [], [], None

    def failed(self):
        return [r for r in self.results if not r.good]


def runs(lines, kinds=False):
    """Programs between "run [KIND] NAME" and "exit CODE"; code None: no exit."""
    found = []
    for line in lines:
        if line.startswith("run "):
            words = line.split(" ", 2 if kinds else 1)
            found.append(Run(words[1] if kinds else "", words[-1]))
        elif not found:
            continue
        elif line.startswith("exit "):
            if found[-1].code is not None:
                found.append(Run("", "a program whose begin is not in the log"))
                line = "exit -1"
            found[-1].code = int(line.split()[1])
        else:
            found[-1].lines.append(line)
            one = result(line)
            if one:
                found[-1].results.append(one)
    return found


def selftests(lines):
    """A program's results, and whether its exit code agrees (4: all skipped) and they are
    as many as it has planned."""
    out, label = [], "selftests"
    programs = runs(lines)
    for run in programs:
        if "-without-" in run.name:
            skips = [line for line in run.lines if "SKIP" in line]
            reason = skips[-1][skips[-1].index("SKIP") + 5:] if skips else ""
            if run.code == 4:
                out.append(f"ok {label}: {run.name} skips ({reason})")
            elif run.code is not None:
                out.append(f"not ok {label}: {run.name} skips (exit code {run.code})")
            continue
        out += [f"{r.word} {label}: {run.name}.{r.text}" for r in run.results]
        if run.code == 0:
            out += fewer(run, label)
        if run.code not in (None, 0) and not run.failed():
            out.append(f"not ok {label}: {run.name} ends with exit code 0 ({run.code})")
    out += unfinished(programs, label)
    return out


def fewer(run, label, under=""):
    """A complaint if it has fewer results than it has planned."""
    planned = sum(int(line[3:]) for line in run.lines if re.fullmatch(r"1\.\.[0-9]+", line))
    if len(run.results) >= planned:
        return []
    return [f"not ok {label}: {run.name}{under}: {len(run.results)} results, "
            f"{planned} were planned"]


def unfinished(programs, label, under="", on=""):
    out = []
    if programs and programs[-1].code is None:
        out.append(f"not ok {label}: {programs[-1].name}{under} did not come to its end")
    if not programs:
        out.append(f"not ok {label}: nothing was run{on}")
    return out


def real(lines, label, words):
    """Programs of run-real: (results, what the tree's own tests came to)."""
    out, own = [], []
    under = " under rehearsal" if words == "rehearsal" else ""
    programs = runs(lines, kinds=True)
    for run in programs:
        for r in run.results:
            if run.kind == "exit":
                break
            if run.kind == "sum":
                own.append(f"{r.verdict} {r.text}")
            if run.kind == "tap" or not r.good:
                out.append(f"{r.word} {label}: {run.name}.{r.text}{under}")
        if run.code is None:
            continue
        if run.kind == "tap":
            out += fewer(run, label, under)
        if run.kind == "exit":
            skip = [result("ok 1 " + line) for line in run.lines if "# SKIP" in line]
            own.append(f"{ {0: 'pass', 4: 'skip'}.get(run.code, 'fail')} {run.name}")
            good = "ok" if run.code in (0, 4) else "not ok"
            out.append(f"{good} {label}: {run.name}{under}" +
                       (f" # SKIP {skip[-1].reason if skip else ''}" if run.code == 4 else ""))
        elif run.kind == "sum":
            nr = {v: sum(r.verdict == v for r in run.results) for v in ("pass", "fail", "skip")}
            good = not nr["fail"] and nr["pass"] and run.code == 0
            out.append(f"{'ok' if good else 'not ok'} {label}: {run.name}: {nr['pass']} pass, "
                       f"{nr['fail']} fail, {nr['skip']} skip")
        elif run.code and not run.failed() or not any(r.verdict != "skip" for r in run.results):
            out.append(f"not ok {label}: {run.name}{under}: exit code {run.code}")
    out += unfinished(programs, label, under, f" ({words})" if words else "")
    return out, own


# In a VM where fewer tests of a version of rdma-core pass, something is wrong.
PYVERBS_FEWEST = 5


def pyverbs(lines, label):
    """Those of run-pyverbs: (results of the runs, {RUN.TEST: "ok", "not ok", "skip: why"})."""
    out, verdicts = [], {}
    programs = runs(lines, kinds=True)
    for run in programs:
        for r in run.results:
            name = f"{run.name}.{r.name}"
            # One that fails also as it cleans up has two
            if verdicts.get(name) != "not ok":
                verdicts[name] = r.word if r.verdict != "skip" else f"skip: {r.reason}"
        if run.code is None:
            continue
        passed = sum(r.verdict == "pass" for r in run.results)
        good = passed >= PYVERBS_FEWEST and not run.code
        out.append(f"{'ok' if good else 'not ok'} {label}: {run.name}: {passed} of "
                   f"{len(run.results)} tests pass, exit code {run.code}")
        out += fewer(run, label)
    return out + unfinished(programs, label), verdicts


def pyverbs_compare(label, base, here, rehearsed):
    """Results of the tests, here or as rehearsed: what passes on the base has to, and
    what has no result there, too."""
    out = []
    for name in sorted(set(base) | {name for name in here if "-rehearsed." not in name}):
        before = base.get(name, "without a result")
        if rehearsed:
            name = name.replace(".", "-rehearsed.", 1)
        now = here.get(name, "without a result")
        if now == "ok":
            out.append(f"ok {label}: {name}")
        elif before in ("ok", "without a result"):
            out.append(f"not ok {label}: {name}: {now}, and {before} on the base")
        else:
            out.append(f"ok {label}: {name} # SKIP on the base: {before}")
    return out


def foreign(lines):
    """Verdicts "ok|skip|not ok PROGRAM.TEST" of run-foreign, sorted by name. A program
    that has run more than once: a test that has passed once passes."""
    out, program, seen = {}, "", 0
    for line in lines:
        words = line.split()
        if words[:1] == ["LAB-RUN"]:
            program, seen = words[1], 0
        elif words[:1] == ["LAB-DONE"] and not seen:
            # mrelease_test says it with its exit code only
            out[program] = {"0": "ok", "4": "skip"}.get(words[1], "not ok")
        elif result(line):
            one = result(line)
            # "ok 1 # SKIP name", or "ok 1 name"
            name = one.reason.split(" ")[0] if one.name == "#" else one.name
            name = f"{program}.{name}"
            if out.get(name) != "ok":
                out[name] = {"pass": "ok", "fail": "not ok", "skip": "skip"}[one.verdict]
            seen += 1
    return [f"{out[name]} {name}" for name in sorted(out)]
