#!/bin/sh
# The tree's own kunit.py, with the suites of mm/tests/.kunitconfig, on x86-64 in QEMU. What
# is on the console comes to stdout.
# usage: kunit-py.sh run|build|exec TREE OBJECTS SECONDS [ARGUMENT...]
#        OBJECTS: a directory in TREE; ARGUMENT: of kunit.py, as --kernel_args=...
# ACCEL=kvm     KVM instead of QEMU's TCG
. "$(dirname "$0")/common.sh"

[ $# -ge 4 ] || die "usage: kunit-py.sh run|build|exec TREE OBJECTS SECONDS [ARGUMENT...]"
what=$1 src=$2 objects=$3 limit=$4
shift 4
qemu=$(command -v qemu-system-x86_64) || die "qemu-system-x86_64 is missing: run scripts/deps.sh"

# Newer ones take whatever /dev/kvm there is. One that is itself emulated can stop in the
# middle of the boot; here ACCEL decides, as it does for the other VMs.
mkdir -p "$src/$objects/lab-bin"
cat >"$src/$objects/lab-bin/new.$$" <<EOS
#!/bin/sh
for arg; do
	shift
	[ "\$before" = -accel ] || [ "\$arg" = -accel ] || set -- "\$@" "\$arg"
	before=\$arg
done
exec "$qemu" -accel ${ACCEL:-tcg} "\$@"
EOS
chmod +x "$src/$objects/lab-bin/new.$$"
mv "$src/$objects/lab-bin/new.$$" "$src/$objects/lab-bin/qemu-system-x86_64"
PATH=$src/$objects/lab-bin:$PATH

[ "$what" = build ] || set -- "$@" --timeout "$limit" --raw_output=all
[ "$what" = exec ] || set -- "$@" --jobs "$JOBS" --kunitconfig mm/tests \
	--make_options CC="ccache gcc" --make_options KBUILD_BUILD_TIMESTAMP=0
cd "$src"
exec python3 tools/testing/kunit/kunit.py "$what" --arch x86_64 --build_dir "$objects" "$@" </dev/null
