#!/bin/sh
# Runs a command on a machine where cgroup v2 is alone, as on most nodes:
#   cgroup-v2.sh COMMAND...
# It is a virtual machine with Debian's kernel $CRI_KERNEL_SUITE (default: that of bookworm). It sees the files of this machine read-only;
# what the command writes goes to memory. The processors are emulated, which takes about ten times as long. The emulator and the kernel come from Debian, as
# engines do in provision.sh, and are not installed.
# stdout: what the command writes. stderr: progress; the last line is the reason when the exit code is not the command's. The exit code is the
# command's, or one of provision.sh.
set -eu
export LC_ALL=C
. "$(dirname "$0")/packages.sh"

SUITE=${CRI_KERNEL_SUITE:-bookworm}
EMULATOR_SUITE=bookworm
# What the kernel needs to see the files of this machine. In this order; one that is built in, or that this kernel has not, is left out.
MODULES='virtio virtio_ring virtio_pci_modern_dev virtio_pci_legacy_dev virtio_pci netfs fscache 9pnet 9pnet_virtio 9p overlay'
MEMORY=6G

main() {
    require_machine
    [ "$(uname -m)" = x86_64 ] || lacking 11 "the virtual machine is an x86_64, this machine is not"
    [ -x "$lab/tools/busybox" ] || lacking 15 "tests/lab/provision.sh has not run yet"
    mkdir -p "$lab"
    provide
    run "$@"
}

# --- what it runs on --------------------------------------------------------------------------------------------------

provide() {
    exec 9>"$lab/lock"
    flock 9
    trap 'rm -rf "$lab/apt" "$lab/build"' EXIT
    trap 'exit 130' INT TERM
    if [ ! "$lab/emulator/ready" -nt "$0" ]; then provide_emulator; fi
    if [ ! "$lab/kernel-$SUITE/ready" -nt "$0" ]; then provide_kernel; fi
    trap - EXIT
    rm -rf "$lab/apt" "$lab/build"
    exec 9>&-
}

# It runs with the libc of this machine, and with its own other libraries.
provide_emulator() {
    rm -rf "$lab/emulator" "$lab/build"
    fetch_with_all $EMULATOR_SUITE qemu-system-x86
    mkdir -p "$lab/build/emulator"
    unpack_all $EMULATOR_SUITE emulator
    find "$lab/build/emulator" \( -name 'libc.so.6' -o -name 'ld-linux*.so.*' \) -exec rm -f {} +
    mv "$lab/build/emulator" "$lab/emulator"
    emulator --version >&2 || lacking 15 "Debian's qemu does not run here"
    : >"$lab/emulator/ready"
}

emulator() {
    LD_LIBRARY_PATH="$lab/emulator/usr/lib/x86_64-linux-gnu:$lab/emulator/lib/x86_64-linux-gnu" \
        "$lab/emulator/usr/bin/qemu-system-x86_64" -L "$lab/emulator/usr/share/qemu" -L "$lab/emulator/usr/share/seabios" "$@"
}

provide_kernel() {
    local name module
    rm -rf "$lab/kernel-$SUITE" "$lab/build"
    fetch "$SUITE" linux-image-amd64 || exit
    name=$(dpkg-deb -f "$lab/apt/$SUITE/debs"/linux-image-amd64_*.deb Depends | sed 's/[ ,(].*//')
    fetch "$SUITE" "$name" || exit
    mkdir -p "$lab/build/unpacked" "$lab/build/kernel" "$lab/build/files/modules"
    unpack "$SUITE" "$name" "$lab/build/unpacked" || lacking 15 "Debian's kernel cannot be unpacked"
    mv "$lab/build/unpacked"/boot/vmlinuz-* "$lab/build/kernel/vmlinuz"
    for module in $MODULES; do
        find "$lab/build/unpacked" -name "$module.ko*" -exec cp {} "$lab/build/files/modules/" \;
    done
    find "$lab/build/files/modules" -name '*.xz' -exec xz -d {} +
    cp "$lab/tools/busybox" "$lab/build/files/"
    write_init | sed "s/MODULES/$MODULES/g" >"$lab/build/files/init"
    chmod +x "$lab/build/files/init"
    (cd "$lab/build/files" && find . | ./busybox cpio -o -H newc 2>/dev/null | gzip -1) >"$lab/build/kernel/initrd"
    : >"$lab/build/kernel/ready"
    mv "$lab/build/kernel" "$lab/kernel-$SUITE"
}

# The first program: it mounts the files of this machine, and a folder in memory above them.
write_init() {
    cat <<'INIT'
#!/busybox sh
b=/busybox
$b mkdir -p /proc /sys /dev /below /above /new
$b mount -t proc proc /proc
$b mount -t devtmpfs dev /dev
# Twice, because one needs another of them.
for module in MODULES MODULES; do $b insmod /modules/$module.ko 2>/dev/null; done
$b mount -t 9p -o trans=virtio,version=9p2000.L,msize=1048576,cache=loose,ro machine /below || $b poweroff -f
$b mount -t tmpfs above /above
$b mkdir /above/upper /above/work
$b mount -t overlay -o lowerdir=/below,upperdir=/above/upper,workdir=/above/work overlay /new
for each in $($b cat /proc/cmdline); do case $each in job=*) job=${each#job=} ;; esac; done
$b umount /proc
$b mount --move /dev /new/dev
exec $b switch_root /new /bin/sh "$job"
INIT
}

# --- the run ----------------------------------------------------------------------------------------------------------

run() {
    local scratch word
    scratch=$(mktemp -d "$lab/cgroup-v2.XXXXXX")
    # qemu removes the file with its pid when it ends.
    trap '[ ! -s "$scratch/pid" ] || kill "$(cat "$scratch/pid")"; rm -rf "$scratch"' EXIT
    trap 'exit 143' TERM
    for word in "$@"; do printf "'%s' " "$(printf %s "$word" | sed "s/'/'\\\\''/g")"; done >"$scratch/command"
    write_job "$scratch" >"$scratch/job"
    emulator -accel tcg,thread=multi -cpu max -smp 2 -m $MEMORY -display none -no-reboot -pidfile "$scratch/pid" \
        -kernel "$lab/kernel-$SUITE/vmlinuz" -initrd "$lab/kernel-$SUITE/initrd" -append "console=ttyS0 panic=-1 loglevel=4 job=$scratch/job" \
        -virtfs local,path=/,mount_tag=machine,security_model=none,readonly=on,multidevs=remap \
        -serial "file:$scratch/console" -chardev stdio,id=out,signal=off -serial chardev:out </dev/null 2>"$scratch/emulator" |
        sed -u -e 's/\r$//' -e "/^cgroup-v2: status /{w $scratch/status" -e 'd}' &
    wait $!
    local status
    status=$(sed -n 's/^cgroup-v2: status //p' "$scratch/status")
    [ -n "$status" ] || lacking 15 "the virtual machine has ended early: $(cat "$scratch/emulator" "$scratch/console" | tail -n 20)"
    exit "$status"
}

# What runs there, with the environment and the folder of this program.
write_job() {
    printf "cd '%s'\n" "$(pwd)"
    export -p
    cat <<JOB
export PATH=\$PATH:/usr/sbin:/sbin
mount -t proc proc /proc && mount -t sysfs sys /sys && mount -t cgroup2 cgroup2 /sys/fs/cgroup
mkdir -p /dev/pts /dev/shm && mount -t devpts devpts /dev/pts && mount -t tmpfs shm /dev/shm
mount -t tmpfs run /run && mkdir /run/tmp && export TMPDIR=/run/tmp
$lab/tools/busybox ip link set lo up
stty -F /dev/ttyS1 raw -echo
($(cat "$1/command")) </dev/null >/dev/ttyS1 2>&1
echo "cgroup-v2: status \$?" >/dev/ttyS1
$lab/tools/busybox poweroff -f
JOB
}

[ $# -gt 0 ] || { say "usage: cgroup-v2.sh COMMAND..."; exit 2; }
main "$@"
