#!/bin/sh
# The repository's own scripts, and its code that runs in the kernel.
. "$(dirname "$0")/common.sh"

cd "$top"
mkdir -p "$logs"
for script in scripts/*.sh scripts/lib/*.sh lab/guest/init lab/guest/gcov lab/guest/rehearsals \
		lab/guest/rxe-device lab/guest/run/* .ci/run; do
	if shellcheck "$script" >&2; then
		ok "shellcheck $script"
	else
		not_ok "shellcheck $script"
	fi
done

# What turns figures into tables
if python3 -B -m unittest discover -q lab/report >"$logs/lint-report.log" 2>&1; then
	ok "unit tests of lab/report ($(sed -n 's/^Ran \([0-9]* tests\).*/\1/p' "$logs/lint-report.log"))"
else
	not_ok "unit tests of lab/report"
	tail -20 "$logs/lint-report.log" | sed 's/^/  | /' >&2
fi

# The fakes look like the drivers that they stand for: types and macros, too. What
# the bases spell differently depends on the version (drivers.h), and is given to KUnit
# as lists of cases.
checkpatch=$tree/scripts/checkpatch.pl
ignored=PREFER_KERNEL_TYPES,MACRO_ARG_REUSE,MACRO_ARG_UNUSED,MACRO_ARG_PRECEDENCE,UNCOMMENTED_DEFINITION,ALLOC_WITH_SIZEOF,LINUX_VERSION_CODE,CONSTANT_COMPARISON,FUNCTION_ARGUMENTS,COMPLEX_MACRO
for source in lab/drivers/*.[ch] lab/drivers/*/*.[ch] lab/drivers/*/"$BASE"/*.[ch] lab/cocci/*.[ch] lab/cocci/*/*.[ch] lab/bench/*.[ch] lab/hmm/*.c lab/rules/*.c; do
	if said=$(perl "$checkpatch" --root="$tree" --strict --terse --no-summary \
			--ignore "$ignored" -f "$source" 2>/dev/null); then
		ok "checkpatch $source"
	else
		not_ok "checkpatch $source"
		echo "$said" | sed 's/^/  | /' >&2
	fi
done
