#!/bin/sh
# Runs one part of make check: passes on what it says, and keeps its results
# (lines "ok ..." and "not ok ...") in build/log/check/NAME.
# usage: suite.sh NAME COMMAND [ARGUMENT...]
. "$(dirname "$0")/lib.sh"

kept=$logs/check/$1
shift
mkdir -p "$logs/check"
# Messages through a pipe, not to a terminal: there may be another suite that
# writes there, and a progress line that rewrites itself would not be readable.
{ "$@" 2>&1 >&3 3>&- | cat >&2; } 3>&1 | sed -u "w $kept"
