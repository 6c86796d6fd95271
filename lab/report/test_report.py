"""Figures in, tables out; no VM is needed: python3 -B -m unittest discover lab/report"""
import os
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

# pylint: disable=wrong-import-position
import bench  # noqa: E402
import chart  # noqa: E402
import console  # noqa: E402
import demo  # noqa: E402
import drivers  # noqa: E402
import example  # noqa: E402
import results  # noqa: E402
import splats  # noqa: E402
import table  # noqa: E402
import tap  # noqa: E402


def victim(name, size, left, **more):
    """What the demo prints of a victim, of which so much is left."""
    data = {(name, f"held_{s}s_kib"): left for s in (1, 3, 5)}
    data.update({(name, "size_kib"): size, (name, "huge_kib"): size,
                 (name, "first_pass_left_kib"): left,
                 (name, "first_pass_left_kib_by_trace"): left})
    data.update({(name, figure): value for figure, value in more.items()})
    return data


def good_series():
    """All that is promised."""
    data = {}
    for name, size, left in (("none", 262144, 0), ("one", 262144, 4), ("one-thp", 262144, 2048),
                             ("spread-64", 262144, 256), ("whole", 262144, 0),
                             ("one-1g", 1048576, 4), ("none-1g", 1048576, 0)):
        data.update(victim(name, size, left))
    data.update(victim("spread-4096", 1048576, 16384, calls_first_pass=1, calls_max=11,
                       passes=11, first_pass_alone=1, first_pass_us=150000))
    data["none-1g", "first_pass_us"] = 100000
    data.update(victim("bystanders", 163840, 4, kills=1, bystanders_killed=0))
    data.update({("mrelease", figure): value for figure, value in (
        ("errno", 11), ("freed_kib", 262140), ("before_kib", 262144), ("left_kib", 4))})
    data.update({("exits", figure): 50 for figure in ("rounds", "kills", "served")})
    data.update({(f"behind-{n}", "reaped_ms"): 2100 + n for n in (0, 1, 8, 64)})
    data["behind-slow", "reaped_ms"] = 2400
    data.update({(name, "served_ms"): 3000 for name in ("hang-exit", "hang-holder",
                                                        "hang-machine")})
    data.update({("list", figure): 0 for figure in ("read_begin_hang", "remove_hang",
                                                    "victim_hang", "left_kib")})
    data["kernel", "warnings"] = 0
    return data


class DemoTest(unittest.TestCase):
    def rows(self, change=None, drop=None):
        series = good_series()
        series.update(change or {})
        if drop:
            del series[drop]
        return demo.judge(good_series(), series)

    def missed(self, **what):
        return [tuple(row[:2]) for row in self.rows(**what) if row[5] != "yes"]

    def test_all_is_as_promised(self):
        self.assertEqual(self.missed(), [])

    def test_each_figure_is_judged(self):
        """One that is missing is no promise that was met."""
        shown_only = {"held_1s_kib", "size_kib", "huge_kib", "before_kib",
                      "first_pass_left_kib_by_trace", "first_pass_alone", "rounds"}
        for key in good_series():
            if key[1] in shown_only or key[0] == "none-1g" and key[1] != "first_pass_us":
                continue
            if key in (("bystanders", "held_3s_kib"), ("whole", "first_pass_left_kib")):
                continue
            with self.subTest(key):
                self.assertNotEqual(self.missed(drop=key), [])

    def test_worse(self):
        held = "held after pass 1, 1 s, 3 s, 5 s"
        one = "256 MiB, one refuses 4 KiB"
        self.assertEqual(self.missed(change={("one", "held_5s_kib"): 8}), [(one, held)])
        self.assertEqual(self.missed(change={("one", "first_pass_left_kib_by_trace"): 8}),
                         [(one, held)])
        self.assertEqual(self.missed(change={("one-thp", "huge_kib"): 0}),
                         [("256 MiB in huge pages, one refuses 4 KiB", held)])
        self.assertEqual(self.missed(change={("exits", "kills"): 65}),
                         [("a 32 MiB victim that can exit, and a bystander",
                           "killed in 50 rounds")])
        self.assertEqual(self.missed(change={("behind-64", "reaped_ms"): 2600}),
                         [("victims that always refuse 4 KiB, in front of one that does not",
                           "kill to reaped: alone, behind 1, 8, 64")])
        self.assertEqual(self.missed(change={("hang-machine", "kills"): 0}),
                         [("the same, and the whole machine is out of memory",
                           "a task that needs memory gets it after")])
        self.assertEqual(self.missed(change={("one", "hang"): 1}),
                         [("all of them", "other victims that hang")])

    def test_another_killed_at_once(self):
        """Unpatched, the OOM killer does not wait for the victim."""
        for served, met in ((3290, "yes"), (3310, "NO"), (-1, "NO")):
            base, series = good_series(), good_series()
            base["hang-exit", "served_ms"] = 40
            base["hang-exit", "kills"] = 2
            series["hang-exit", "served_ms"] = served
            rows = [row for row in demo.judge(base, series)
                    if row[0] == "a driver hangs in its victim's exit, a bystander"]
            self.assertEqual(rows[0][2], "0.04 s, kills another at once")
            self.assertEqual(rows[0][4:], ["<= 3 s + 10 %", met])
        # It is served, and no other was killed: that has to be reached
        base, series = good_series(), good_series()
        base["hang-exit", "served_ms"] = 40
        base["hang-exit", "kills"] = 1
        row = [row for row in demo.judge(base, series)
               if row[0] == "a driver hangs in its victim's exit, a bystander"][0]
        self.assertEqual(row[4:], ["not later than unpatched + 10 %", "NO"])

    def test_cells(self):
        row = self.rows(change={("one", "held_1s_kib"): 1536})[1]
        self.assertEqual(row, ["256 MiB, one refuses 4 KiB", "held after pass 1, 1 s, 3 s, 5 s",
                               "4 / 4 / 4 / 4 KiB", "4 KiB / 1.5 MiB / 4 KiB / 4 KiB",
                               "<= 4 KiB", "yes"])
        again = self.rows(change={("none-1g-again", "first_pass_us"): 60000})
        self.assertEqual(again[8][2:], ["150.0 ms, 1.50 x", "150.0 ms, 2.50 x", "<= 2 x", "NO"])
        self.assertIn("**NO**", demo.markdown(again))

    def test_console(self):
        lines = ["noise", "LAB-DATA one kills 1", "LAB-DATA one kills x", "[ 1.0] LAB-DATA a b 1",
                 "LAB-SAMPLE one -5 100 200"]
        self.assertEqual(list(console.figures(lines)), [("one", "kills", 1)])
        self.assertEqual(list(console.samples(lines)), [("one", -5, 100, 200)])

    def test_chart(self):
        text = chart.chart("title", [("unpatched", 0, 262144), ("patched", 0, 262144),
                                     ("unpatched", 8000, 262144), ("patched", 2000, 0)])
        lines = text.split("\n")
        self.assertEqual(lines[1], "      256 MiB |" + "*" * 16 + "u" * 49)
        self.assertEqual(lines[9], "        0 MiB |" + " " * 16 + "p")
        self.assertEqual(chart.chart("title", []), "")


class TableTest(unittest.TestCase):
    def test_markdown(self):
        self.assertEqual(table.markdown(["a", "", "c"], [["x", "1", ""], ["x", "2", "y"]]),
                         "| a | | c |\n|---|---|---|\n| x | 1 |  |\n|  | 2 | y |\n")

    def test_text(self):
        self.assertEqual(table.text(["", "c"], [["x", "1", "22"], ["x", "2", ""]]),
                         "     c\n\nx\n  1  22\n  2\n")


class DriversTest(unittest.TestCase):
    NOTIFIERS = ["drivers/gpu/a.c interval a_cb", "virt/b.c list b_cb", "drivers/c.c list -"]
    CALLS = ["LAB-DRIVER a_cb idle succeeded", "LAB-DRIVER a_cb busy refused", "LAB-DRIVER a_cb blocking x",
             "LAB-REHEARSED a_cb silent", "LAB-CALLED a_cb 3", "LAB-LINES a a_cb 90.00% 10",
             "LAB-DRIVER b_cb idle refused not known", "LAB-CALLED b_cb 1"]

    def judge(self, *more, base=()):
        return drivers.judge(self.NOTIFIERS, self.CALLS + list(base), self.CALLS + list(more))

    def test_lines_of_the_module_that_tests_it(self):
        text, _ = self.judge("LAB-LINES other a_cb 0.00% 10")
        self.assertIn("| 90.00% of 10 |", text)

    def test_good(self):
        text, complaints = self.judge()
        self.assertEqual(complaints, [])
        self.assertIn("| gpu/a.c (interval) | `a_cb` | progresses when idle | progresses when idle "
                      "| 2 | 3 | none | none | 90.00% of 10 |  |\n", text)
        self.assertIn("| refuses | refuses | 1 | 1 | none | none |  | not known |\n", text)
        self.assertIn("neither callback: c.c.\n", text)

    def test_points(self):
        text, _ = self.judge("LAB-POINTS a_cb 7 12 2 0 bind", "LAB-POINTS a_cb 3 6 0 0 exec",
                             "LAB-FAILURE a_cb flush times out", "LAB-FAILURE a_cb flush times out",
                             "LAB-FAILURE a_cb no memory")
        self.assertIn("| 2 | 3 | 10 (2) | 3 (2) | 90.00% of 10 |  |\n", text)
        self.assertIn("looked: 16 calls", text)

    def test_complaints(self):
        for more in (["LAB-DRIVER a_cb busy succeeded"], ["LAB-DRIVER a_cb idle slept"],
                     ["LAB-REHEARSED a_cb slept"], ["LAB-DRIVER b_cb idle refused"]):
            self.assertNotEqual(self.judge(*more)[1], [], more)
        self.assertNotEqual(drivers.judge(self.NOTIFIERS + ["d.c list d_cb"], self.CALLS,
                                        self.CALLS)[1], [])

    def test_base_may_violate(self):
        text, complaints = self.judge(base=["LAB-DRIVER a_cb busy succeeded"])
        self.assertEqual(complaints, [])
        self.assertIn("contract: 1 unpatched, 0 patched.", text)


class BenchTest(unittest.TestCase):
    def bench(self, *lines):
        return bench.Bench(["round,kernel,scenario,figure,value"] + [
            f"{n},{line}" for n, line in enumerate(lines)])

    def test_medians(self):
        report = self.bench("old,munmap-0-0,instructions,10", "old,munmap-0-0,instructions,30",
                            "old,munmap-0-0,instructions,20", "new,munmap-0-0,instructions,20")
        self.assertEqual(report.medians(False).split("\n")[2],
                         "| munmap-0-0 | instructions | 20 (10 to 30) | 20 | 1.0000 |")
        self.assertEqual(report.medians(True).split("\n")[2],
                         "| munmap-0-0 | instructions | 20 (10 to 30) |")

    def judged(self, old, new):
        report = self.bench(*[f"old,munmap-0-0,least,{v}" for v in old],
                            *[f"new,munmap-0-0,least,{v}" for v in new])
        report.judge_calls()
        return report.rows[0]

    def test_ratio(self):
        self.assertEqual(self.judged([1000], [1004]), [
            "munmap()", "no notifier", "instructions a call", "1000", "1004",
            "1.0040 of unpatched", "<= 1.00", "yes"])
        self.assertEqual(self.judged([1000], [1006])[7], "no")
        self.assertEqual(self.judged([1000, 1020], [1000])[7], "noisy")

    def test_what_was_not_played_is_not_met(self):
        report = self.bench("new,growth,text,2744", "new,growth,tracepoints,699")
        rows = report.judge()
        self.assertEqual({row[7] for row in rows}, {"no", ""})
        self.assertIn("not ok bench: bystanders, 0 runs, 3 bystanders each, killed\n",
                      bench.results(rows))
        self.assertEqual(len(bench.missed(rows)), sum(row[7] == "no" for row in rows))
        self.assertEqual(report.plots()["sizes"], "")

    def test_shorten(self):
        rows = [["g", "a", "m", "1 (0 to 2)", "3", "1.2 of x", "<= 2", "yes"],
                ["g", "b", "m", "1", "3", "1.9 of x", "<= 2", "yes"],
                ["g", "c", "m", "1", "3", "1.1 of x", "<= 2", "noisy"],
                ["h", "d", "m", "1", "3", "", "", ""],
                ["memory", "functions", "bytes", "", "+1", "", "", ""]]
        short = bench.shorten(rows)
        self.assertEqual([row[1] for row in short], ["c (worst of 3)", "functions"])
        self.assertEqual(bench.shorten(rows[:2])[0][1], "b (worst of 2)")


class TapTest(unittest.TestCase):
    def test_kunit(self):
        lines = ["    # Subtest: s", "    1..3", "        ok 1 parameter", "    ok 1 a",
                 "    not ok 2 - b", "ok 1 s"]
        self.assertEqual(tap.kunit(lines, "k"), ["ok k: s.a", "not ok k: s.b",
                                                 "not ok k: s: a case without a result"])
        self.assertEqual(tap.kunit([], "k"), ["not ok k: no case was run"])
        self.assertEqual(tap.kunit(["    # Subtest: s", "    ok 1 a # SKIP why"], "k"),
                         ["ok k: s.a # SKIP why"])

    def test_modules(self):
        marks = r"LOAD ([^ ]+)", "UNLOAD"
        lines = ["    # Subtest: builtin", "    ok 1 x", "LOAD a", "    # Subtest: a",
                 "    1..2", "    ok 1 y", "UNLOAD a", "LOAD b", "UNLOAD b"]
        self.assertEqual(tap.kunit(lines, "u", *marks), [
            "ok u: a.y", "not ok u: a: a case without a result", "not ok u: b: no case was run"])

    def test_selftests(self):
        good = ["run p", "ok 1 one", "ok 2 - two # SKIP why", "exit 0"]
        self.assertEqual(tap.selftests(good), ["ok selftests: p.one",
                                               "ok selftests: p.two # SKIP why"])
        self.assertEqual(tap.selftests(["run p", "ok 1 one", "exit 1"])[-1],
                         "not ok selftests: p ends with exit code 0 (1)")
        self.assertEqual(tap.selftests(["run p", "1..2", "ok 1 one", "exit 0"])[-1],
                         "not ok selftests: p: 1 results, 2 were planned")
        self.assertEqual(tap.selftests(["run p", "ok 1 one"])[-1],
                         "not ok selftests: p did not come to its end")
        self.assertEqual(tap.selftests([]), ["not ok selftests: nothing was run"])
        self.assertEqual(tap.selftests(["run p-without-root", "1..0 # SKIP needs root", "exit 4"]),
                         ["ok selftests: p-without-root skips (needs root)"])
        self.assertEqual(tap.selftests(["run p", "exit 0", "exit 0"])[-1][:6], "not ok")

    def test_real(self):
        lines = ["run exit mem test -b", "noise", "exit 0", "run exit other", "1..0 # SKIP - no",
                 "exit 4", "run sum hmm", "ok 1 a", "not ok 2 b", "ok 3 c # SKIP x", "exit 1",
                 "run tap v", "ok 1 freed", "exit 0"]
        results, own = tap.real(lines, "real", "")
        self.assertEqual(results, [
            "ok real: mem test -b", "ok real: other # SKIP no", "not ok real: hmm.b",
            "not ok real: hmm: 1 pass, 1 fail, 1 skip", "ok real: v.freed"])
        self.assertEqual(own, ["pass mem test -b", "skip other", "pass a", "fail b",
                               "skip c # SKIP x"])
        self.assertEqual(tap.real(["run tap v", "exit 0"], "real", "rehearsal")[0],
                         ["not ok real: v under rehearsal: exit code 0"])
        self.assertEqual(tap.real(["run tap v", "1..2", "ok 1 a", "exit 0"], "real", "")[0],
                         ["ok real: v.a", "not ok real: v: 1 results, 2 were planned"])
        self.assertEqual(tap.real([], "real", "shadow")[0],
                         ["not ok real: nothing was run (shadow)"])

    def test_pyverbs(self):
        lines = ["run tap s", "1..7"] + [f"ok {i} t{i}" for i in range(5)] + [
            "not ok 6 t6", "ok 6 t6 # SKIP x", "ok 7 t7 # SKIP why", "exit 0"]
        said, verdicts = tap.pyverbs(lines, "p")
        self.assertEqual(said, ["ok p: s: 5 of 8 tests pass, exit code 0"])
        self.assertEqual([verdicts[f"s.t{i}"] for i in (0, 6, 7)], ["ok", "not ok", "skip: why"])
        self.assertEqual(tap.pyverbs(["run tap s", "1..2", "ok 1 a", "exit 137"], "p")[0], [
            "not ok p: s: 1 of 1 tests pass, exit code 137",
            "not ok p: s: 1 results, 2 were planned"])
        self.assertEqual(tap.pyverbs([], "p"), (["not ok p: nothing was run"], {}))
        self.assertEqual(tap.pyverbs(lines[:5], "p")[0], ["not ok p: s did not come to its end"])
        base = {"s.a": "ok", "s.b": "ok", "s.c": "skip: why", "s.d": "not ok", "s.e": "ok"}
        here = {"s.a": "ok", "s.b": "skip: why", "s.c": "skip: why", "s.d": "ok",
                "s.f": "skip: why"}
        self.assertEqual(tap.pyverbs_compare("p", base, here, False), [
            "ok p: s.a", "not ok p: s.b: skip: why, and ok on the base",
            "ok p: s.c # SKIP on the base: skip: why", "ok p: s.d",
            "not ok p: s.e: without a result, and ok on the base",
            "not ok p: s.f: skip: why, and without a result on the base"])
        self.assertEqual(tap.pyverbs_compare("p", {"s.a": "ok"}, {"s-rehearsed.a": "ok"}, True),
                         ["ok p: s-rehearsed.a"])

    def test_foreign(self):
        self.assertEqual(tap.foreign(["LAB-RUN p", "not ok 1 b", "not ok 2 a", "LAB-DONE 1",
                                      "LAB-RUN p", "ok 1 b", "not ok 2 a",
                                      "ok 3 # SKIP c", "LAB-DONE 1",
                                      "LAB-RUN q", "LAB-DONE 4"]),
                         ["not ok p.a", "ok p.b", "skip p.c", "skip q"])


class SplatTest(unittest.TestCase):
    def test_found(self):
        for line in ("[    1.0] BUG: KASAN: use-after-free", "WARNING: CPU: 0",
                     "INFO: trying to register non-static key.",
                     "INFO: task x:1 blocked for more than 120 seconds.",
                     "rcu: INFO: rcu_preempt detected stalls on CPUs"):
            self.assertEqual(list(splats.splats(["fine", line])), [(2, line)])

    def test_expected(self):
        lines = ["LAB-EXPECT-SPLAT-BEGIN why", "BUG: x", "LAB-EXPECT-SPLAT-END"]
        self.assertEqual(list(splats.splats(lines)), [])
        self.assertEqual(list(splats.splats(lines + ["BUG: y"])), [(4, "BUG: y")])
        self.assertEqual(len(list(splats.splats(lines[:2]))), 1)


class ExampleTest(unittest.TestCase):
    DOCUMENT = ["Text::", "", "  # echo 1 \\", "      2", "  # show", "  pid 12 said", "  [...]",
                "  end", "Then::", "", "  $ make", "", ".. code::", "", "  # not run", "Then::", "",
                "  # reboot", "  # again", "  x"]

    def test_extract(self):
        found = list(example.extract(self.DOCUMENT))
        self.assertEqual(found, [(1, "echo 1 2"), (1, "show"), (0, "make"), (2, "again")])

    def compare(self, *said):
        lines = ["# echo 1 2", "# show", *said, "# again", "| x"]
        return list(example.compare(self.DOCUMENT, example.read_said(lines), "e"))

    def test_compare(self):
        good = self.compare("| pid 99 said", "| more", "| [<0>] ? noise", "| end")
        self.assertTrue(all(line.startswith("ok ") for line in good), good)
        self.assertEqual(len(good), 3)
        self.assertTrue(self.compare("| pid 99 said")[1].startswith("not ok "))
        self.assertTrue(self.compare("| pid 9 did", "| end")[1].startswith("not ok "))
        self.assertTrue(self.compare("| pid 9 said", "| end", "| too")[1].startswith("not ok "))
        self.assertEqual(list(example.compare(["no block"], [], "e")),
                         ["not ok e: nothing was compared"])

    def test_kernels_differ(self):
        """In lines of the kernel's source and numbers of lockdep, which say nothing; not in
        the driver's lines, the place, the lock or its state, the order of a trace."""
        shown = ["BUG: slept at kernel/locking/mutex.c:586",
                 "ffff88800418f0c8 (&m->lock){+.+.}-{3:3}, at: mirror_begin+0x297/0x460 [m]",
                 " mirror_sleeps+0x28/0x80", " mmu_call+0x1/0x2", "./mirror.c:17:1-11: ERROR: x"]
        said = ["BUG: slept at kernel/locking/mutex.c:623",
                "ff11000005742cc0 (&m->lock){+.+.}-{4:4}, at: mirror_begin+0x1/0x2 [m]",
                " mirror_sleeps+0x3/0x4", " mmu_call+0x5/0x6", shown[4]]
        self.assertEqual(example.differs(said, shown), "")
        for i, old, new in ((0, "mutex.c", "rtmutex.c"), (0, "slept", "spun"),
                            (1, "m->lock", "m->other"), (1, "+.+.", "+.-."),
                            (1, "mirror_begin", "mirror_end"), (2, "sleeps", "lock"),
                            (4, "17:", "18:")):
            wrong = said[:i] + [said[i].replace(old, new)] + said[i + 1:]
            self.assertNotEqual(example.differs(wrong, shown), "", wrong[i])
        self.assertNotEqual(example.differs(said[:3] + [" between+0x1/0x2"] + said[3:], shown), "")
        self.assertNotEqual(example.differs(["at samples/x/mirror.c:2"],
                                            ["at samples/x/mirror.c:1"]), "")

    def test_not_run(self):
        self.assertIn("not ok e: the document's command is run: again", list(
            example.compare(self.DOCUMENT, [("# echo 1 2", [])], "e")))

    def test_checks(self):
        wanted = ["# comment", "one\t0\t^ok\trun it", "two\t1\tbad\tdo"]
        self.assertEqual(list(example.checks(wanted, ["# run it", "| ok 1", "= 0", "# do",
                                                      "| bad", "= 1"], "e")),
                         ["ok e: one", "ok e: two"])
        self.assertEqual(list(example.checks(wanted, ["# run it", "| no", "= 0"], "e")),
                         ["not ok e: one (nothing said ^ok)", "not ok e: two (was not run)"])
        self.assertEqual(list(example.checks(wanted, ["# run it", "| ok", "= 2"], "e"))[0],
                         "not ok e: one (exit code 2, not 0)")


class CommandTest(unittest.TestCase):
    def report(self, *arguments):
        return subprocess.run([sys.executable, os.path.dirname(os.path.abspath(__file__)),
                               *arguments], capture_output=True, text=True, check=False)

    def test_demo(self):
        with tempfile.TemporaryDirectory() as out:
            log = os.path.join(out, "console")
            with open(log, "w", encoding="utf-8") as file:
                file.writelines(f"LAB-DATA {scenario} {figure} {value}\r\n"
                                for (scenario, figure), value in good_series().items())
                file.write("LAB-SAMPLE one 0 1024 2048\r\n")
            done = self.report("demo", out, log, log)
            self.assertEqual((done.returncode, done.stderr), (0, ""))
            self.assertIn("s after the kill", done.stdout)
            for name, text in (("missed", ""), ("demo.csv", "patched,one,0,1024,2048\n"),
                               ("demo-figures.csv", "unpatched,one,held_1s_kib,4\n"),
                               ("table.md", "| all of them | other victims that hang | 0 | 0 ")):
                with open(os.path.join(out, name), encoding="utf-8") as file:
                    self.assertIn(text, file.read())

    def test_exit_codes(self):
        with tempfile.NamedTemporaryFile("w", suffix=".log") as file:
            file.write("fine\nBUG: no\n")
            file.flush()
            done = self.report("splats", file.name)
            self.assertEqual((done.returncode, done.stderr), (1, "  | 2: BUG: no\n"))
            self.assertNotEqual(self.report("real", file.name + "none", "a", "", "b").returncode, 0)
        self.assertIn("python3 lab/report", self.report("nonsense").stderr)


class ResultsTest(unittest.TestCase):
    def setUp(self):
        self.top = tempfile.TemporaryDirectory()
        self.addCleanup(self.top.cleanup)
        self.dir = os.path.join(self.top.name, "6.12")
        os.mkdir(self.dir)

    def put(self, name, text):
        with open(os.path.join(self.dir, name), "w", encoding="utf-8") as file:
            file.write(text)

    def figures(self, series):
        lines = ["kernel,scenario,figure,value"]
        for kernel, data in (("unpatched", good_series()), ("patched", series)):
            lines += [f"{kernel},{scenario},{figure},{value}"
                      for (scenario, figure), value in data.items()]
        self.put("demo-figures.csv", "\n".join(lines) + "\n")

    def test_page_names_what_was_measured(self):
        self.put("soak-environment.txt",
                 "date: 2026-11-26\n"
                 "queue: 79 patches, commit 1, code cd34cd34cd34, core ab12ab12ab12\n")
        self.put("soak.md", "")
        page = results.page(self.dir)
        self.assertIn("| `make soak` |", page)
        self.assertIn("| 2026-11-26 | ab12ab12ab12 | [soak-environment.txt](soak-environment.txt), "
                      "[soak.md](soak.md) |", page)
        self.assertNotIn("`make demo`", page)

    def test_stale_is_what_is_of_other_code(self):
        self.put("bench-environment.txt", "queue: 79 patches, code cd34cd34cd34, core ab12ab12ab12\n")
        self.put("demo-environment.txt", "queue: 79 patches, code ab12ab12ab12, core cd34cd34cd34\n")
        self.put("soak-environment.txt", "queue: an old form\n")
        # With drivers: the whole code counts
        self.put("drivers-environment.txt", "queue: 79 patches, code ab12ab12ab12, core ab12ab12ab12\n")
        self.put("mutants-environment.txt", "queue: 79 patches, code cd34cd34cd34, core ab12ab12ab12\n")
        self.assertEqual(sorted(results.stale(self.dir, "ab12ab12ab12", "ab12ab12ab12")),
                         ["demo", "mutants", "soak"])

    def test_each_proof_has_a_code(self):
        self.put("prove-environment.txt", "queue: 79 patches, commit 1, code ab12ab12ab12\n")
        self.put("prove.txt", "without this test seen\na fails 2026 code ab12ab12ab12\n"
                 "b fails 2026 code cd34cd34cd34\nc fails 2026 code ab12ab12ab12\n")
        self.assertIn("| ab12ab12ab12 (2 lines), cd34cd34cd34 (1 lines) |", results.page(self.dir))
        self.assertEqual(results.stale(self.dir, "ab12ab12ab12", "ef56ef56ef56"), ["prove"])

    def test_page_has_the_variants(self):
        self.put("variants-environment.txt", "queue: 79 patches, commit 1, code ab12ab12ab12\n")
        self.put("variants.txt", "rt kunit 80 1 2 2026-11-27 cd34cd34cd34\nrt broken\n")
        page = results.page(self.dir)
        self.assertIn("| rt | kunit | 80 | 1 | 2 | 2026-11-27 |", page)
        self.assertIn("| `make check VARIANT=NAME` |", page)
        self.assertEqual(results.stale(self.dir, "ab12ab12ab12", "ef56ef56ef56"), ["variants"])

    def test_overview_has_seven_rows_and_each_base(self):
        series = good_series()
        series["bystanders", "bystanders_killed"] = 2
        self.figures(series)
        self.put("bench.csv", "round,kernel,scenario,figure,value\n" + "".join(
            f"1,{kernel},reaper-none-1024,instructions,{number}\n"
            for kernel, number in (("old", 265483323), ("old", 9), ("old", 265483323),
                                   ("new", 264000000))))
        lines = results.overview([self.dir, os.path.join(self.top.name, "7.3")]).splitlines()
        self.assertEqual(lines[0], "| on QEMU with emulated CPUs | 6.12 | 6.12 patched |")
        self.assertEqual(len(lines), 2 + 7)
        self.assertTrue(lines[2].endswith("| 0 | 2 |"))
        self.assertTrue(lines[6].endswith("| 4 KiB | 4 KiB |"))
        self.assertTrue(lines[8].endswith("| 265.5 M | 264.0 M |"))

    def test_figures_that_are_missing_are_no_figures(self):
        self.put("demo-figures.csv", "kernel,scenario,figure,value\n")
        for line in results.overview([self.dir]).splitlines()[2:]:
            self.assertTrue(line.endswith("| ? | ? |"), line)


if __name__ == "__main__":
    unittest.main()
