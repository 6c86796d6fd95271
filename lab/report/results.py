"""What is in results/: a page for each base, and the table of the README over all."""
import collections
import os
import re
import statistics

import demo
import table

# In the order of the page: the command and what it shows
COMMANDS = {
    "demo": "all scenarios, unpatched and patched",
    "bench": "what it costs: size, number of intervals, KVM, system calls, text",
    "drivers": "each driver's notifier, unpatched and patched",
    "mutants": "a driver patch changed by one line: which case fails?",
    "mutate": "a patch of mm/ changed by one line: which case fails?",
    "walks": "other ways to walk around refusals: bisection, other chunks",
    "text": "how much larger each series makes the kernel",
    "variants": "KUnit and kselftests on other kernels",
    "prove": "a fix taken out: which test fails?",
    "pyverbs": "rdma-core's tests of on-demand paging on soft-RoCE, on both kernels",
    "foreign": "the kernel's own tests of memory cgroups and killing, on both kernels",
    "soak": "OOM kills and worse at random",
}
# Those that are not make NAME
NAMES = {"text": "scripts/text-by-series.sh", "variants": "make check VARIANT=NAME"}
STAMP = "-environment.txt"
# Those that depend on the code of drivers, too
WITH_DRIVERS = ("drivers", "mutants", "prove", "pyverbs")


def read(path):
    if not os.path.exists(path):
        return []
    with open(path, encoding="utf-8") as file:
        return file.read().splitlines()


def stamps(directory):
    """{result: {name: value}} of all that were measured."""
    found = {}
    for name in COMMANDS:
        lines = read(os.path.join(directory, name + STAMP))
        if lines:
            found[name] = {key: value.strip() for key, _, value in
                           (line.partition(":") for line in lines)}
    return found


def code_of(name, stamp):
    """What the figures depend on of the queue: the code, not the texts."""
    which = "code" if name in WITH_DRIVERS else "core"
    match = re.search(rf"\b{which} ([0-9a-f]+)", stamp.get("queue", ""))
    return match.group(1) if match else "?"


def codes_of(directory, name, stamp):
    """{code: how many lines}: a proof has a line with a code of its own."""
    counts = collections.Counter()
    if name == "prove":
        for line in read(os.path.join(directory, "prove.txt")):
            counts.update(re.findall(r"\bcode ([0-9a-f]{12})\b", line))
    elif name == "variants":
        counts.update(line[-1] for line in variant_lines(directory))
    return counts or {code_of(name, stamp): 1}


def variant_lines(directory):
    """Variant, suite, passed, failed, skipped, date, code of each line."""
    lines = [line.split() for line in read(os.path.join(directory, "variants.txt"))]
    return [line for line in lines if len(line) == 7]


def variants(directory):
    """A section of the page, if there is something to say."""
    rows = [line[:6] for line in variant_lines(directory)]
    if not rows:
        return ""
    return "\n## Other kernels\n\n" + table.markdown(
        ["variant", "suite", "passed", "failed", "skipped", "date"], rows, merge=False)


def stale(directory, code, core):
    """Results that are not of the queue as it is, or not all of them."""
    return [name for name, stamp in stamps(directory).items()
            if set(codes_of(directory, name, stamp)) !=
            {code if name in WITH_DRIVERS else core}]


def shown_codes(counts):
    if len(counts) == 1:
        return next(iter(counts))
    return ", ".join(f"{code} ({number} lines)" for code, number in sorted(counts.items()))


def page(directory):
    base = os.path.basename(directory)
    rows = []
    for name, stamp in stamps(directory).items():
        files = sorted(file for file in os.listdir(directory)
                       if re.match(rf"{name}[-.]", file))
        links = ", ".join(f"[{file}]({file})" for file in files)
        command = NAMES.get(name, f"make {name}")
        rows.append([f"`{command}`", COMMANDS[name], stamp.get("date", "?"),
                     shown_codes(codes_of(directory, name, stamp)), links])
    return f"""# Results, Linux {base}

Written by scripts/lib/results.sh, not by hand. "code" is a name for all that the queue
changes but texts and tests, without drivers/ where these are not run: two results with
the same one are of the same kernel; "?" was not recorded. "lines" are those of the
file, where it has results of several states.
`make lint` names those that are not of the queue as it is.

""" + table.markdown(["command", "what", "date", "code", "files"], rows, merge=False) + \
        variants(directory)


def column(directory):
    """The cells of one base, unpatched and patched, for overview()."""
    data = {"unpatched": {}, "patched": {}}
    for line in read(os.path.join(directory, "demo-figures.csv"))[1:]:
        kernel, scenario, figure, value = line.split(",")
        data[kernel][scenario, figure] = int(value)
    run = demo.Demo({"base": data["unpatched"], "series": data["patched"]})

    def known(form, scenario, figure):
        """A figure that is missing is none, also where -1 is one."""
        return [form(run.data[kernel][scenario, figure])
                if (scenario, figure) in run.data[kernel] else "?" for kernel in demo.KERNELS]

    counts = {"base": [], "series": []}
    for line in read(os.path.join(directory, "bench.csv"))[1:]:
        _, kernel, scenario, figure, number = line.split(",")
        if (scenario, figure) == ("reaper-none-1024", "instructions"):
            counts["base" if kernel == "old" else "series"].append(int(number))
    return [
        known(str, "bystanders", "bystanders_killed"),
        [demo.size(run.after_pass(kernel, "one")) for kernel in demo.KERNELS],
        known(demo.size, "whole", "held_1s_kib"),
        known(demo.ms, "behind-slow", "reaped_ms"),
        [demo.size(before - freed if before >= 0 and freed >= 0 else -1)
         for before, freed in zip(run.both("mrelease", "before_kib"),
                                  run.both("mrelease", "freed_kib"))],
        known(demo.ms, "hang-exit", "served_ms"),
        ["%.1f M" % (statistics.median(counts[kernel]) / 1e6) if counts[kernel] else "?"
         for kernel in demo.KERNELS],
    ]


TITLES = (
    "160 MiB victim in a cgroup of 256 MiB, 4 KiB refused: of 3 bystanders are killed",
    "256 MiB victim, 4 KiB refused: held after the reaper's first pass",
    "256 MiB that a device always refuses to the reaper: held a second later",
    "a second container's victim, behind a slow one: reaped after its kill",
    "`process_mrelease()`, 256 MiB, 4 KiB refused: left after the call",
    "a driver hangs in its victim's exit: who needs memory gets it after",
    "1 GiB without a notifier: instructions to reap it",
)


def overview(directories):
    """At most seven rows, both kernels of each base."""
    shown = [directory for directory in directories
             if os.path.exists(os.path.join(directory, "demo-figures.csv"))]
    head = ["on QEMU with emulated CPUs"]
    for directory in shown:
        base = os.path.basename(directory)
        head += [f"{base}", f"{base} patched"]
    columns = [column(directory) for directory in shown]
    return table.markdown(head, [[title] + [cell for cells in columns for cell in cells[i]]
                                 for i, title in enumerate(TITLES)], merge=False)
