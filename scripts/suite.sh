#!/bin/sh
# Runs one part of make check, or a target of make that is such a test: passes on what
# it says, and keeps its results (lines "ok ..." and "not ok ...") in
# build/log/BASE/check/NAME, its messages in .said-NAME there.
# usage: suite.sh NAME COMMAND [ARGUMENT...]
# Exit code: 1 if a result is "not ok".
. "$(dirname "$0")/lib/common.sh"

kept=$logs/check/$1
shift
mkdir -p "$logs/check"
# Messages through a pipe, not to a terminal: there may be another suite that
# writes there, and a progress line that rewrites itself would not be readable.
code=$logs/check/.code-${kept##*/}
{ { "$@" 2>&1 >&3 3>&- && echo 0 >"$code" || echo $? >"$code"; } | tee "$logs/check/.said-${kept##*/}" >&2; } 3>&1 |
	sed -u "w $kept"

# One that ended before it was through must not pass for what it said until then.
if [ "$(cat "$code")" != 0 ] && ! grep -q '^not ok ' "$kept"; then
	not_ok "${kept##*/}: it ends early (exit code $(cat "$code"))" | tee -a "$kept"
fi
! grep -q '^not ok ' "$kept"
