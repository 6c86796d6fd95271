"""The table of the drivers' notifiers: what each callback does, unpatched and
patched, and what a rehearsal finds."""
import re
import table

HEAD = ["notifier", "callback", "unpatched", "patched", "non-blocking calls",
        "states tried", "points visited (paths)", "failures injected (kinds)",
        "lines reached", "what is still refused although idle"]
VARIANTS = ("base", "series")


class Callback:
    """What was seen of one callback on one kernel."""

    def __init__(self):
        self.seen = self.calls = self.idle = self.progressed = self.rehearsed = 0
        self.slept = self.lied = self.caught = self.unexplained = False
        self.lines = ""
        self.percent = 0.0
        self.reasons = []
        self.states = set()
        self.points = self.paths = self.interrupted = 0
        self.failures = []

    def note(self, state, result, why):
        self.seen += 1
        self.states.add(state)
        self.calls += state != "blocking"
        self.idle += state == "idle"
        if result == "slept":
            self.slept = True
        elif state == "busy" and result == "succeeded":
            self.lied = True
        elif state == "idle" and result == "succeeded":
            self.progressed += 1
        if state == "idle" and result == "refused":
            if not why:
                self.unexplained = True
            elif not any(why in reason for reason in self.reasons):
                self.reasons.append(why)

    def verdict(self):
        if not self.seen:
            return "not seen"
        if self.slept:
            return "**violates**: sleeps"
        if self.lied:
            return "**violates**: wrongly succeeds"
        if not self.progressed:
            return "refuses"
        if self.progressed == self.idle:
            return "progresses when idle"
        return f"progresses in {self.progressed} of {self.idle} idle calls"


def read_calls(lines):
    """{callback: Callback} from LAB-DRIVER CALLBACK STATE RESULT [REASON...],
    LAB-LINES DRIVER CALLBACK PERCENT OF, LAB-REHEARSED CALLBACK slept|silent,
    LAB-CALLED CALLBACK TIMES, LAB-POINTS CALLBACK POINTS CALLS BARRED HOLES PATH...
    and LAB-FAILURE CALLBACK WHAT..."""
    callbacks = {}
    for line in lines:
        words = line.split()
        if not words:
            continue
        name = words[2] if words[0] == "LAB-LINES" else words[1]
        callback = callbacks.setdefault(name, Callback())
        if words[0] == "LAB-DRIVER":
            why = re.sub(r"^LAB-DRIVER [^ ]+ [^ ]+ [^ ]+ ?", "", line)
            callback.note(words[2], words[3], why)
        elif words[0] == "LAB-POINTS":
            callback.points += int(words[2])
            callback.paths += 1
            callback.interrupted += int(words[3]) - int(words[4])
        elif words[0] == "LAB-FAILURE":
            callback.failures.append(" ".join(words[2:]))
        elif words[0] == "LAB-CALLED":
            callback.rehearsed += int(words[2])
        elif words[0] == "LAB-REHEARSED" and words[2] == "slept":
            callback.caught = True
        elif words[0] == "LAB-LINES":
            # A library's source may be in the modules of more drivers than one.
            percent = float(words[3].rstrip("%"))
            if percent >= callback.percent:
                callback.percent = percent
                callback.lines = f"{words[3]} of {words[4]}"
    return callbacks


def judge(notifiers, base, series):
    """notifiers: lines of list-notifiers.sh (FILE KIND CALLBACK); base, series: lines
    of calls. Returns the text and a list of complaints: a callback that was not
    tested or violates the contract in the series, or a rehearsal that does not find
    those that sleep, and only those."""
    calls = {"base": read_calls(base), "series": read_calls(series)}
    rows, others, complaints = [], [], []
    rehearsed = {variant: 0 for variant in VARIANTS}
    caught = {variant: [] for variant in VARIANTS}
    violations = {variant: 0 for variant in VARIANTS}
    interrupted = 0

    for line in notifiers:
        if not line.split():
            continue
        file, kind, name = line.split()[:3]
        file = re.sub(r"^drivers/", "", file)
        if name == "-":
            others.append(file)
            continue
        of = {variant: calls[variant].get(name, Callback()) for variant in VARIANTS}
        series = of["series"]
        rows.append([f"{file} ({kind})", f"`{name}`", of["base"].verdict(), series.verdict(),
                     str(series.calls), str(len(series.states)),
                     f"{series.points} ({series.paths})" if series.points else "none",
                     f"{len(series.failures)} ({len(set(series.failures))})"
                     if series.failures else "none",
                     series.lines, "; ".join(series.reasons)])
        interrupted += series.interrupted
        for variant in VARIANTS:
            callback = of[variant]
            violations[variant] += "violates" in callback.verdict()
            if callback.rehearsed:
                rehearsed[variant] += 1
                if callback.caught:
                    caught[variant].append(f"`{name}`")
            elif variant == "series":
                complaints.append(f"{variant}: {name} was not rehearsed")
            if callback.slept != callback.caught:
                complaints.append(f"{variant}: {name} " + (
                    "slept in a rehearsal only" if callback.caught else
                    "sleeps, and was not caught in a rehearsal"))
        if not series.seen:
            complaints.append(f"series: {name} was not tested")
        elif "violates" in series.verdict():
            complaints.append(f"series: {name} {series.verdict()}")
        if series.unexplained:
            complaints.append(f"series: {name} is refused while idle, and no case says why")

    def found(variant):
        return f"{len(caught[variant])} of {rehearsed[variant]}" + (
            f" ({', '.join(caught[variant])})" if caught[variant] else "")

    text = table.markdown(HEAD, rows, merge=False) + f"""
Callbacks that violate the contract: {violations["base"]} unpatched, {violations["series"]} patched.
At each point of the drivers' own paths where a lock is taken or released, something is \
waited for, or pages are looked up, the callback was called with and without blocking, and \
the judge looked: {interrupted} calls, but for points at which the path holds the mmap_lock \
for writing.
Caught by a rehearsal on a living process, without any OOM: unpatched {found("base")}, \
patched {found("series")}. The drivers of both trees are rehearsed by the patched kernel; \
KVM, which is a part of the kernel that it runs in, by the patched one alone.
Not on this path, as they have neither callback: {", ".join(others)}.
"""
    return text, complaints
