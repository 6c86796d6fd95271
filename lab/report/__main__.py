#!/usr/bin/python3
"""Reports: what was printed in the VM in, tables, CSV and data for gnuplot out.

python3 lab/report COMMAND ARGUMENT...
  demo OUT BASE.log SERIES.log    OUT/table.md, demo.csv, demo-figures.csv, missed;
                                  the table and a chart on stdout
  drivers NOTIFIERS BASE SERIES   the table; exit code 1 if the series has complaints
  bench CSV OUT                   OUT/table.md, short.md, limits, missed, results,
                                  and for gnuplot sizes, kvm, intervals
  medians CSV [both]              all figures of a bench, of one kernel or both
  kunit CONSOLE LABEL             results of KUnit, "ok ..." and "not ok ..."
  modules CONSOLE LABEL           those of modules between LAB-DRIVERS-LOAD and -UNLOAD
  selftests CONSOLE               those of run-selftests
  real CONSOLE LABEL WORDS OWN    those of run-real; to OWN those of the tree's tests
  foreign CONSOLE                 those of run-foreign
  pyverbs CONSOLE LABEL OUT [BASE]    those of run-pyverbs, their verdicts also to OUT;
                                  compared to those in the file BASE
  splats CONSOLE                  reports of the kernel's checkers; exit code 1 if any
  results DIRECTORY               the page of results/BASE
  overview DIRECTORY...           the table of the README, of all bases
  stale DIRECTORY CODE            results of other code, one a line
  example-extract DOCUMENT        its commands, PART TAB COMMAND
  example-compare LABEL DOCUMENT SAID...
  example-checks LABEL CHECKS SAID
"""
import os
import sys

sys.dont_write_bytecode = True

# pylint: disable=wrong-import-position
import bench as bench_report  # noqa: E402
import chart  # noqa: E402
import console  # noqa: E402
import demo as demo_report  # noqa: E402
import drivers as drivers_report  # noqa: E402
import example  # noqa: E402
import results as results_page  # noqa: E402
import splats as splat_list  # noqa: E402
import tap  # noqa: E402


def write(directory, **files):
    for name, text in files.items():
        name = name.replace("__", "-").replace("_", ".")
        with open(os.path.join(directory, name), "w", encoding="utf-8") as file:
            file.write(text)


def show(lines):
    for line in lines:
        print(line)


def demo(out, base_log, series_log):
    figures, samples, data, held = [], [], [], []
    for kernel, path in (("unpatched", base_log), ("patched", series_log)):
        lines = console.read(path)
        data.append({})
        for scenario, figure, value in console.figures(lines):
            figures.append(f"{kernel},{scenario},{figure},{value}\n")
            data[-1][scenario, figure] = value
        for scenario, ms, victim, cgroup in console.samples(lines):
            samples.append(f"{kernel},{scenario},{ms},{victim},{cgroup}\n")
            if scenario == "one":
                held.append((kernel, ms, victim))
    rows = demo_report.judge(*data)
    missed = [": ".join(("not met", *row[:2], f"{row[3]} (promised: {row[4]})")) + "\n"
              for row in rows if row[5] == "NO"]
    write(out, table_md=demo_report.markdown(rows), missed="".join(missed),
          demo_csv="kernel,scenario,ms_since_kill,victim_kib,cgroup_kib\n" + "".join(samples),
          demo__figures_csv="kernel,scenario,figure,value\n" + "".join(figures))
    print()
    print(demo_report.text(rows))
    print(chart.chart("Memory of a 256 MiB victim, one notifier refuses 4 KiB", held))
    return 0


def drivers(*files):
    text, complaints = drivers_report.judge(*(console.read(path) for path in files))
    print(text, end="")
    for complaint in complaints:
        print(complaint, file=sys.stderr)
    return 1 if complaints else 0


def bench(csv, out):
    report = bench_report.Bench(console.read(csv))
    rows = report.judge()
    write(out, table_md=bench_report.markdown(rows),
          short_md=bench_report.markdown(bench_report.shorten(rows)),
          limits=bench_report.limits(rows), missed="".join(bench_report.missed(rows)),
          results="".join(bench_report.results(rows)), **report.plots())
    return 0


def medians(csv, both=""):
    print(bench_report.Bench(console.read(csv)).medians(alone=not both), end="")
    return 0


def kunit(path, label):
    show(tap.kunit(console.without_time(console.read(path)), label))
    return 0


def modules(path, label):
    show(tap.kunit(console.without_time(console.read(path)), label,
                   r"LAB-DRIVERS-LOAD ([^ ]+)", r"LAB-DRIVERS-UNLOAD "))
    return 0


def selftests(path):
    show(tap.selftests(console.messages(console.read(path))))
    return 0


def real(path, label, words, own):
    results, tests = tap.real(console.messages(console.read(path)), label, words)
    if tests:
        with open(own, "w", encoding="utf-8") as file:
            file.writelines(line + "\n" for line in tests)
    show(results)
    return 0


def foreign(path):
    show(tap.foreign(console.read(path)))
    return 0


def pyverbs(path, label, out, base=""):
    said, verdicts = tap.pyverbs(console.messages(console.read(path)), label)
    with open(out, "w", encoding="utf-8") as file:
        file.writelines(f"{name}\t{verdict}\n" for name, verdict in sorted(verdicts.items()))
    before = verdicts
    if base:
        before = dict(line.split("\t", 1) for line in console.read(base) if line)
    said += tap.pyverbs_compare(label, before, verdicts, False)
    if base:
        said += tap.pyverbs_compare(label, before, verdicts, True)
    show(said)
    return 0


def results(directory):
    print(results_page.page(directory), end="")
    return 0


def overview(*directories):
    print(results_page.overview(directories), end="")
    return 0


def stale(directory, code, core):
    show(results_page.stale(directory, code, core))
    return 0


def splats(path):
    found = list(splat_list.splats(console.read(path)))
    for number, line in found:
        print(f"  | {number}: {line}" if number else f"  | {line}", file=sys.stderr)
    return 1 if found else 0


def example_extract(document):
    show(f"{part}\t{command}" for part, command in example.extract(console.read(document)))
    return 0


def example_compare(label, document, *said):
    ran = [pair for path in said for pair in example.read_said(console.read(path))]
    show(example.compare(console.read(document), ran, label))
    return 0


def example_checks(label, wanted, said):
    show(example.checks(console.read(wanted), console.read(said), label))
    return 0


COMMANDS = (demo, drivers, bench, medians, kunit, modules, selftests, real,
            foreign, pyverbs, results, overview, stale, splats, example_extract, example_compare,
            example_checks)


def main():
    sys.stdout.reconfigure(errors="surrogateescape")
    sys.stderr.reconfigure(errors="surrogateescape")
    commands = {command.__name__.replace("_", "-"): command for command in COMMANDS}
    if len(sys.argv) < 2 or sys.argv[1] not in commands:
        sys.exit(__doc__)
    try:
        return commands[sys.argv[1]](*sys.argv[2:])
    except OSError as error:
        sys.exit(f"report: {error}")


if __name__ == "__main__":
    sys.exit(main())
