# A patch queue for Linux and the laboratory that proves it.
# Everything is done by the scripts; this only gives them short names.
targets := demo check drivers mutants mutate soak example real rxe pyverbs foreign prove bench walks lint tree \
	kernel vm refresh docs mbox compare deb test-deb
.PHONY: help settings clean users $(targets)
.NOTPARALLEL:

# make users USERS=NAME: the old names of make drivers DRIVERS=NAME
DRIVERS ?= $(USERS)
export SRC ACCEL JOBS BASE VARIANT SOURCES QUICK COMPARE BASE_ONLY ROUNDS SEED RUNS
export DRIVERS CONFIG DEBUG FILES

# A screen, 24 lines. Times, where there is one: two cores, QEMU's TCG, the kernels built.
help:
	@echo "make demo     10 min  both kernels, the same scenarios, one table and plot"
	@echo "make check     1 hour KUnit, kselftests, drivers, rules, series, soak, texts"
	@echo "make drivers          each driver's notifier, unpatched beside patched"
	@echo "make mutants          a line of a driver patch changed: who sees it? mutate: mm/"
	@echo "make soak     10 min  OOM kills and worse at random (SECONDS=600 SEED=N)"
	@echo "make example   5 min  the worked example of Documentation/mm"
	@echo "make real     20 min  KVM with a guest, and HMM, on the debug kernel"
	@echo "make rxe, pyverbs     soft-RoCE: a victim's memory; rdma-core's tests (BASE=7.3)"
	@echo "make foreign   3 min  the kernel's own tests of memcg and killing, on both"
	@echo "make prove            take fixes out one at a time: which test fails?"
	@echo "make bench    12 min  for ROUNDS=2, 5 are the default: both kernels compared"
	@echo "make walks            other ways to walk around refusals: bisection, chunks"
	@echo "make lint             checkpatch, sparse, mailboxes, a build of every patch"
	@echo "make tree, kernel     import the queue into build/; build both kernels"
	@echo "make vm, refresh      a VM's shell (DEBUG=1 FILES=); the commits to patches/"
	@echo "make docs, compare    docs/series-BASE.md; two bases' queues side by side"
	@echo "make mbox      3 min  a mailbox for each series; nothing is sent"
	@echo "make deb, test-deb    packages (CONFIG=FILE); one installed and booted in a VM"
	@echo "make clean            remove what was built"
	@echo "BASE=N      of patches/, now $$(cat patches/default)     SRC=DIR  make tree: a source of the base"
	@echo "JOBS=N      parallel jobs         ACCEL=kvm  QEMU uses KVM, not TCG"
	@echo "DRIVERS=NAME that one of lab/drivers  SUITES=\"kunit lint\"  those of make check"
	@echo "SOURCES=DIR of your tree  VARIANT=rt, arm64, 64k, i386, no-thp or no-notifiers"
	@echo "make bench: ROUNDS=N RUNS=N SEED=N QUICK=1 COMPARE=A,B BASE_ONLY=1"

$(targets): settings

settings:
	@scripts/settings.sh "$(SECONDS)"

demo:
	@scripts/demo.sh

check:
	@scripts/check.sh $(SUITES)

drivers:
	@scripts/drivers.sh $(DRIVERS)

users: drivers

mutants:
	@scripts/mutants.sh all $(DRIVERS)

mutate:
	@scripts/mutate-mm.sh all

foreign:
	@scripts/deps.sh lab foreign
	@scripts/tree.sh -w
	@scripts/build.sh base foreign
	@scripts/build.sh series foreign
	@scripts/test-foreign.sh

example:
	@scripts/deps.sh lab lint
	@scripts/tree.sh -w
	@scripts/build.sh series debug
	@scripts/suite.sh example scripts/test-example.sh series

real:
	@scripts/deps.sh
	@scripts/tree.sh -w
	@scripts/build.sh series debug
	@scripts/suite.sh real scripts/test-real.sh series

rxe:
	@scripts/deps.sh lab rdma
	@scripts/tree.sh -w
	@scripts/suite.sh rxe scripts/test-rxe.sh series

pyverbs:
	@scripts/deps.sh lab rdma
	@scripts/tree.sh -w
	@scripts/suite.sh pyverbs-base scripts/test-pyverbs.sh base
	@scripts/suite.sh pyverbs scripts/test-pyverbs.sh series

docs:
	@scripts/series-table.sh

soak:
	@scripts/deps.sh
	@scripts/tree.sh -w
	@scripts/build.sh series debug
	@scripts/soak.sh $(SECONDS)

tree:
	@scripts/deps.sh
	@scripts/tree.sh

kernel:
	@scripts/deps.sh
	@scripts/tree.sh -w
	@scripts/build.sh base vm
	@scripts/build.sh series vm

lint:
	@scripts/deps.sh lab lint
	@scripts/tree.sh -w
	@scripts/lint.sh

compare:
	@scripts/compare.sh

refresh:
	@scripts/refresh.sh

mbox:
	@scripts/mbox.sh

deb:
	@scripts/deps.sh lab deb
	@scripts/tree.sh -w
	@scripts/deb.sh $(CONFIG)

test-deb:
	@scripts/deps.sh lab deb debtest
	@scripts/tree.sh -w
	@scripts/suite.sh test-deb scripts/test-deb.sh

prove:
	@scripts/prove.sh

bench:
	@scripts/bench.sh

walks:
	@scripts/walks.sh

vm:
	@scripts/vm.sh $(FILES)

clean:
	@scripts/clean.sh
