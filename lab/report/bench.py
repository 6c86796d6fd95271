"""What make bench comes to: medians, the judged rows, their tables and plots."""
import re
import table
from table import num

HEAD = ["scenario", "", "measure", "unpatched", "patched", "ratio", "promised", "met"]
# What the refusing interval covers
HULL_KIB = 4


def number(value):
    return "%.2f M" % (value / 1e6) if value >= 1e6 else num(value)


def percent(value):
    return "%.2f %%" % value


def limit_text(limit):
    """1.005 is what rounds to 1.00"""
    if limit == 1.005:
        return "1.00"
    return ("%.2f" if limit * 100 == int(limit * 100) else "%.4f") % limit


class Bench:
    """lines: round,kernel,scenario,figure,value; kernel is old or new."""

    def __init__(self, lines):
        self.samples, self.scenarios, self.figures, self.rows = {}, [], [], []
        for line in lines[1:]:
            cells = line.split(",")
            if len(cells) != 5:
                continue
            _, kernel, scenario, figure, value = cells
            self.samples.setdefault((kernel, scenario, figure), []).append(int(value))
            if (scenario, figure) not in self.figures:
                self.figures.append((scenario, figure))
            if scenario not in self.scenarios:
                self.scenarios.append(scenario)
        for values in self.samples.values():
            values.sort()

    def has(self, *key):
        return key in self.samples

    def med(self, *key):
        """The median; of an even number the lower one of two."""
        values = self.samples.get(key)
        return values[(len(values) + 1) // 2 - 1] if values else 0

    def range(self, *key):
        return self.samples[key][0], self.samples[key][-1]

    def spread(self, *key):
        middle = self.med(*key)
        if not middle:
            return 0
        least, most = self.range(*key)
        return (most - least) / middle

    def shown(self, *key):
        if not self.has(*key):
            return "not played"
        least, most = self.range(*key)
        text = number(self.med(*key))
        return text if least == most else f"{text} ({number(least)} to {number(most)})"

    def both(self, scenario, figure):
        return [self.shown(kernel, scenario, figure) for kernel in ("old", "new")]

    def beginning(self, prefix):
        return [s for s in self.scenarios if s.startswith(prefix)]

    def row(self, group, scenario, measure, old, new, ratio, promise, met):
        self.rows.append([str(cell) for cell in (
            group, scenario, measure, old, new, ratio, promise, met)])

    def percent_freed(self, kernel, scenario, keep):
        before = self.med(kernel, scenario, "before_kib")
        return 100 * (before - self.med(kernel, scenario, "left_kib")) / (before - keep) \
            if before > keep else 0

    def cost(self, kernel, scenario, keep):
        """What a kernel does quickly because it does nothing"""
        if self.has(kernel, scenario, "left_kib") and \
                self.percent_freed(kernel, scenario, keep) < 1:
            return "frees nothing"
        return self.shown(kernel, scenario, "instructions")

    def ratio_row(self, group, scenario, what, first, second, limit, margin, of,
                  figure="instructions"):
        """A ratio that must not be above limit; first and second are (kernel,
        scenario). Samples of one kernel that are further apart than what is allowed
        between two say nothing."""
        one, two = (*first, figure), (*second, figure)
        shown = self.both(second[1], figure)
        if not self.has(*one) or not self.has(*two):
            self.row(group, scenario, what, *shown, "", "", "no")
            return
        if not self.med(*one):
            self.row(group, scenario, what, *shown, "nothing to compare with", "", "no")
            return
        ratio = self.med(*two) / self.med(*one)
        met = "yes" if ratio <= limit else "no"
        if self.spread(*one) > margin or self.spread(*two) > margin:
            met = "noisy"
        if first[1] != second[1]:
            shown[0] = self.cost("old", second[1], HULL_KIB)
        self.row(group, scenario, what, *shown, "%.4f of %s" % (ratio, of),
                 "<= " + limit_text(limit), met)

    def judge_reaper(self):
        for scenario in self.beginning("reaper-none-"):
            mib = scenario[len("reaper-none-"):]
            self.ratio_row("reaper, no notifier", mib + " MiB", "instructions",
                           ("old", scenario), ("new", scenario), 1.0015,
                           0.005 if int(mib) < 256 else 0.0015, "unpatched")
        for scenario in self.beginning("reaper-refused-"):
            mib = scenario[len("reaper-refused-"):]
            freed = self.percent_freed("new", scenario, HULL_KIB)
            self.row("reaper, one refuses 4 KiB", mib + " MiB", "freed by the first pass",
                     percent(self.percent_freed("old", scenario, HULL_KIB)), percent(freed),
                     "", ">= 99 % outside", "yes" if freed >= 99 else "no")
            self.ratio_row("reaper, one refuses 4 KiB, time", mib + " MiB", "instructions",
                           ("new", "reaper-none-" + mib), ("new", scenario), 1.05, 0.05,
                           "no notifier")

    def judge_intervals(self):
        at = 0
        for kind in ("none", "half", "all"):
            worst = most = 0
            noisy = False
            n = 1
            while self.has("new", f"intervals-{kind}-{n}", "instructions"):
                key = "new", f"intervals-{kind}-{n}"
                most = max(most, self.med(*key, "calls_max"))
                noisy = noisy or self.spread(*key, "instructions") > 0.2
                if n > 1:
                    ratio = self.med(*key, "instructions") / self.med(
                        "new", f"intervals-{kind}-{n // 2}", "instructions")
                    if ratio > worst:
                        worst, at = ratio, n
                n *= 2
            n = num(n / 2)
            scenario = f"intervals-{kind}-{n}"
            self.row(f"1 to {n} intervals", kind + " refusing", f"instructions for {n}",
                     self.cost("old", scenario, 0), self.shown("new", scenario, "instructions"),
                     "doubling: %.2f at most (to %d)" % (worst, at), "<= 2.40",
                     "noisy" if noisy else "yes" if 0 < worst <= 2.4 else "no")
            self.row(f"1 to {n} intervals, calls", kind + " refusing", f"calls for {n}",
                     *self.both(scenario, "calls"), f"{most} an interval at most",
                     "1 an interval", "yes" if most == 1 else "no")
        self.judge_wide()

    def judge_wide(self):
        scenario, group = "wide-1000", "1,000 intervals over 64 GiB"
        half = self.med("new", "wide-500", "instructions")
        ratio = self.med("new", scenario, "instructions") / half if half else 0
        noisy = self.spread("new", scenario, "instructions") > 0.2
        self.row(group + ", a list notifier", "none refusing", "instructions",
                 *self.both(scenario, "instructions"), "doubling: %.2f" % ratio, "<= 2.40",
                 "noisy" if noisy else "yes" if 0 < ratio <= 2.4 else "no")
        most = self.med("new", scenario, "calls_max")
        self.row(group + ", calls", "none refusing", "calls", *self.both(scenario, "calls"),
                 f"{most} an interval at most", "1 an interval", "yes" if most == 1 else "no")
        # Unpatched one for each VMA, of which one is 64 GiB and the rest are small, and
        # some empty: they are not called for these.
        vmas, calls = (self.med(kernel, scenario, "list_calls") for kernel in ("old", "new"))
        self.row(group + ", calls", "the list notifier", "calls",
                 *self.both(scenario, "list_calls"), "",
                 "1 at most for each 128 MiB and VMA",
                 "yes" if 512 <= calls <= vmas - 1 + 512 else "no")

    def judge_kvm(self):
        group = "longest callback of KVM"
        sections, largest = {"old": [], "new": []}, {"old": 0, "new": 0}
        noisy = False
        for scenario in self.beginning("kvm-"):
            for kernel in ("old", "new"):
                sections[kernel].append(self.med(kernel, scenario, "section"))
                largest[kernel] = max(largest[kernel], self.med(kernel, scenario, "section_kib"))
            self.row(group, scenario[len("kvm-"):] + " MiB guest", "instructions",
                     *self.both(scenario, "section"), "%.4f of unpatched" % (
                         sections["new"][-1] / sections["old"][-1]), "", "")
            noisy = noisy or self.spread("new", scenario, "section") > 0.05
        if not any(sections["new"]):
            self.row(group, "", "", "not played", "not played", "", "does not grow", "no")
            return
        ratio = {kernel: max(values) / min(values) for kernel, values in sections.items()}
        self.row(group, "all guests", "longest to shortest", "%.2f" % ratio["old"],
                 "%.2f" % ratio["new"], "", "<= 1.05",
                 "noisy" if noisy else "yes" if ratio["new"] <= 1.05 else "no")
        self.row(group, "all guests", "MiB per call", num(largest["old"] / 1024),
                 num(largest["new"] / 1024), "", "<= 128",
                 "yes" if largest["new"] <= 131072 else "no")

    def judge_bystanders(self):
        played = self.beginning("bystanders-")
        runs = len(played)
        total = {(kernel, figure): sum(self.med(kernel, s, figure) for s in played)
                 for kernel in ("old", "new") for figure in ("killed", "served")}
        what = f"{runs} runs, 3 bystanders each"
        self.row("bystanders", what, "killed", total["old", "killed"], total["new", "killed"],
                 "", "0", "yes" if runs and not total["new", "killed"] else "no")
        self.row("bystanders", what, "runs whose service got its memory",
                 total["old", "served"], total["new", "served"], "", runs,
                 "yes" if runs and total["new", "served"] == runs else "no")

    def judge_mrelease(self):
        by_call = self.percent_freed("new", "mrelease-refused", 0)
        other = "reaper-refused-256" if self.has("new", "reaper-refused-256", "left_kib") \
            else "reaper-refused-64"
        by_reaper = self.percent_freed("new", other, 0)
        self.row("process_mrelease()", "256 MiB, one refuses 4 KiB", "freed by the first call",
                 percent(self.percent_freed("old", "mrelease-refused", 0)), percent(by_call),
                 "the reaper: " + percent(by_reaper), "as the reaper",
                 "yes" if by_reaper and by_call >= by_reaper - 0.01 else "no")

    def judge_scattered(self):
        for scenario in self.beginning("scattered-"):
            refusals = int(scenario[len("scattered-"):])
            left = self.med("new", scenario, "left_kib")
            group = "process_mrelease(), one 4 KiB refused in each 2 MiB"
            self.row(group, f"{refusals} refusals", "KiB left", *self.both(scenario, "left_kib"),
                     "", f"<= {HULL_KIB * refusals}",
                     "yes" if self.has("new", scenario, "left_kib") and
                     left <= HULL_KIB * refusals else "no")
            calls = self.med("new", scenario, "calls_over_all_max")
            self.row(group + ", calls", "the interval over all that accepts", "calls",
                     *self.both(scenario, "calls_over_all"), "", "1",
                     "yes" if calls == 1 else "no")

    def judge_calls(self):
        names = {"fork": "fork and exit", "madvise": "madvise(DONTNEED)",
                 "munmap": "munmap()", "mprotect": "mprotect()"}
        for scenario in self.scenarios:
            call, _, rest = scenario.partition("-")
            if call not in names or not rest:
                continue
            intervals, lists = (rest.split("-") + [""])[:2]
            quiet = intervals in ("", "0") and lists in ("", "0")
            # Of the median some percent are the batches of the page and slab allocators
            self.ratio_row(names[call], "no notifier" if quiet else
                           f"{intervals} interval, {lists} list", "instructions a call",
                           ("old", scenario), ("new", scenario), 1.005 if quiet else 1.01,
                           0.005 if quiet else 0.01, "unpatched", "least")

    def judge_memory(self):
        for kind in ("interval", "list"):
            key = "memory-" + kind, "bytes"
            new = self.med("new", *key)
            self.row("memory", f"a registered {kind} notifier", "bytes", *self.both(*key), "",
                     "no growth", "yes" if new and new <= self.med("old", *key) else "no")
        # Stated, not judged
        self.row("memory", "functions", "bytes", "", "%+d" % self.med("new", "growth", "text"),
                 f"{self.med('new', 'growth', 'tracepoints')} of these for tracepoints", "", "")
        self.row("memory", "data", "bytes", "", "%+d" % self.med("new", "growth", "data"),
                 "", "", "")

    def judge(self):
        self.judge_reaper()
        self.judge_intervals()
        self.judge_kvm()
        self.judge_bystanders()
        self.judge_mrelease()
        self.judge_scattered()
        self.judge_calls()
        self.judge_memory()
        return self.rows

    def plots(self):
        """{name: text} of the files for gnuplot."""
        files = {"sizes": [], "kvm": [], "intervals": []}

        def million(kernel, scenario, figure):
            return num(self.med(kernel, scenario, figure) / 1e6)

        for scenario in self.scenarios:
            n = scenario.split("-")[-1]
            if scenario.startswith("reaper-none-"):
                files["sizes"].append([n, million("old", scenario, "instructions"),
                                       million("new", scenario, "instructions"),
                                       million("new", "reaper-refused-" + n, "instructions")])
            elif scenario.startswith("kvm-"):
                files["kvm"].append([n, million("old", scenario, "section"),
                                     million("new", scenario, "section")])
            elif scenario.startswith("intervals-none-"):
                kinds = [f"intervals-{kind}-{n}" for kind in ("none", "half", "all")]
                files["intervals"].append(
                    [n, million("old", scenario, "instructions")] +
                    [million("new", kind, "instructions") for kind in kinds] +
                    [str(self.med("new", kind, "calls")) for kind in kinds])
        return {name: "".join("\t".join(line) + "\n" for line in lines)
                for name, lines in files.items()}

    def medians(self, alone):
        """Of all figures, as a table in markdown; alone: of one kernel."""
        def shown(*key):
            if not self.has(*key):
                return "not played"
            least, most = self.range(*key)
            text = str(self.med(*key))
            return text if least == most else f"{text} ({least} to {most})"

        head = ["scenario", "figure"] + (["median"] if alone else ["old", "new", "ratio"])
        lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
        for key in self.figures:
            cells = [*key, shown("old", *key)]
            if not alone:
                old = self.med("old", *key)
                cells += [shown("new", *key), "%.4f" % (self.med("new", *key) / old)
                          if old > 0 and self.has("new", *key) else ""]
            lines.append("| " + " | ".join(cells) + " |")
        return "\n".join(lines) + "\n"


def markdown(rows):
    words = {"noisy": "too noisy to tell", "no": "**NO**"}
    return table.markdown(HEAD, [row[:7] + [words.get(row[7], row[7])] for row in rows])


def limits(rows):
    """What is not reached, or not known."""
    out = []
    for group, scenario, measure, _, new, ratio, promise, met in rows:
        if met == "noisy":
            out.append(f"* {group}, {scenario}: the samples of one kernel differ by more "
                       "than what is promised between the two. Run it again when less else "
                       "is going on in the VM.\n")
        elif met == "no":
            out.append(f"* {group}, {scenario}, {measure}: not met, {new} ({ratio}), "
                       f"promised {promise}.\n")
    return "".join(out)


def missed(rows):
    return [f"{'too noisy' if met == 'noisy' else 'not met'}: {group}, {scenario}, {measure}: "
            f"{new} {ratio} (promised: {promise})\n"
            for group, scenario, measure, _, new, ratio, promise, met in rows
            if met not in ("yes", "")]


def results(rows):
    """Lines "ok ..." and "not ok ..." of a quick run."""
    return [f"{'ok' if met == 'yes' else 'not ok'} bench: {group}, {scenario}, {measure}"
            f"{': too noisy to tell' if met == 'noisy' else ''}\n"
            for group, scenario, measure, _, _, _, _, met in rows if met != ""]


def shorten(rows):
    """Of each group of rows that promise the same the worst one, without what is
    behind the medians; and what is stated without a promise."""
    def rank(row):
        return {"no": 2, "noisy": 1}.get(row[7], 0)

    def bad(row):
        """By how much it is on the side of what is promised not to be"""
        match = re.search(r"[0-9][0-9.]*", row[5] if row[5] else row[4])
        value = float(match[0].rstrip(".")) if match else 0
        return value if row[6].startswith("<") else -value if row[6].startswith(">") else 0

    groups = {}
    for row in rows:
        if row[7] == "" and row[0] != "memory":
            continue
        row = [re.sub(r" \([-0-9][^)]* to [^)]*\)", "", cell) for cell in row]
        groups.setdefault((row[0], row[6], row[1] if row[7] == "" else ""), []).append(row)
    short = []
    for group in groups.values():
        row = list(max(group, key=lambda row: (rank(row), bad(row))))
        if len(group) > 1:
            row[1] += f" (worst of {len(group)})" if row[6][:1] in "<>" and row[6] else \
                f" and {len(group) - 1} more"
        short.append(row)
    return short
