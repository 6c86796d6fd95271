# A patch queue for Linux and the laboratory that proves it.
# Everything is done by the scripts; this only gives them short names.
.PHONY: help demo check users mutants foreign example real docs soak tree kernel cost lint refresh mbox prove bench vm clean
.NOTPARALLEL:

export SRC ACCEL JOBS BASE SOURCES QUICK COMPARE BASE_ONLY ROUNDS SEED RUNS

help:
	@echo "make demo      both kernels, the same scenarios, one table and plot"
	@echo "make check     the tests: KUnit, kselftests, coverage, lint"
	@echo "make users     every driver's notifier, unpatched beside patched"
	@echo "make mutants   the driver patches changed by one line at a time: which case fails?"
	@echo "make soak      endurance: ten minutes of OOM kills and worse, at random"
	@echo "make example   the worked example, on the debug kernel of make check"
	@echo "make real      KVM and HMM for real, on the debug kernel of make check"
	@echo "make foreign   the kernel tree's own tests of memcg and killing, on both"
	@echo "make tree      unpack the base and import the queue into build/"
	@echo "make kernel    build the unpatched and the patched kernel"
	@echo "make vm        a shell in a VM with the patched kernel"
	@echo "make refresh   write the commits of the tree back to patches/"
	@echo "make mbox      a mailbox for each series, with its cover letter"
	@echo "make docs      docs/series-BASE.md, from the queue and the proofs"
	@echo "make lint      checkpatch, sparse, a build of every patch, shellcheck"
	@echo "make prove     take fixes out one at a time: which test fails?"
	@echo "make cost      what reaping costs, in instructions, and text size"
	@echo "make bench     both kernels compared, in full, and how cost grows"
	@echo "make clean     remove what was built (never work in a tree)"
	@echo
	@echo "SRC=DIR     a git tree or unpacked source of the base, for make tree"
	@echo "USERS=...   names under lab/drivers, for make users: only those"
	@echo "SOURCES=DIR a tree of yours whose drivers make users tests"
	@echo "SECONDS=N   for make soak: how long, default 600"
	@echo "SEED=N      for make soak: the same decisions as that run's"
	@echo "BASE=6.12   the base version"
	@echo "QUICK=1     for make bench: less of everything, a test of the bench"
	@echo "COMPARE=A,B for make bench: two kernels of yours that are built"
	@echo "BASE_ONLY=1 for make bench: one kernel, not compared to any"
	@echo "ACCEL=kvm   run the VM with KVM instead of QEMU's TCG"
	@echo "JOBS=N      parallel jobs, default: one per processor"

demo:
	@scripts/demo.sh

check:
	@scripts/check.sh

users:
	@scripts/users.sh $(USERS)

mutants:
	@scripts/mutants.sh all $(USERS)

foreign:
	@scripts/deps.sh
	@scripts/tree.sh -w
	@scripts/build.sh base vm
	@scripts/build.sh series vm
	@scripts/test-foreign.sh

example:
	@scripts/test-example.sh series

real:
	@scripts/test-real.sh series

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

refresh:
	@scripts/refresh.sh

mbox:
	@scripts/mbox.sh

prove:
	@scripts/prove.sh

cost:
	@scripts/cost.sh

bench:
	@scripts/bench.sh

vm:
	@scripts/vm.sh

clean:
	@scripts/clean.sh
