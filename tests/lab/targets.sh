#!/bin/sh
# Provides what other targets' libraries are built with and run under, as provision.sh provides engines: fetched from Debian, and
# not installed. targets.sh RUST-VERSION
# stdout: the folder. In it are tools/ (binutils and an emulator for aarch64, and in rust-src the source of Rust's standard
# library), and x86_64/ and aarch64/, each a root with musl; that of aarch64 has glibc and Python, too.
# stderr: progress; the last line is the reason when the exit code is not 0. The exit codes are those of provision.sh.
set -eu
export LC_ALL=C
. "$(dirname "$0")/packages.sh"

SUITE=bookworm
# Where a rust-src may have the version of this machine's Rust: its suite is newer than the machine.
RUST_SUITES='bookworm trixie-backports sid'
TOOLS='binutils-aarch64-linux-gnu qemu-user-static'
AARCH64='libc6 libgcc-s1 musl python3.11-minimal libpython3.11-minimal libpython3.11-stdlib libexpat1 zlib1g libffi8'

main() {
    require_machine
    [ "$(uname -m)" = x86_64 ] || lacking 11 "other targets are built on x86_64, this is $(uname -m)"
    mkdir -p "$lab"
    exec 9>"$lab/lock"
    flock 9
    trap 'rm -rf "$lab/apt" "$lab/build"' EXIT
    trap 'exit 130' INT TERM
    # Newer than its recipe: this script.
    [ "$lab/targets/rust-$1" -nt "$0" ] || provide "$1"
    printf '%s\n' "$lab/targets"
}

provide() {
    rm -rf "$lab/targets" "$lab/build"
    mkdir -p "$lab/build"
    unpack_of $SUITE tools $TOOLS
    unpack_of $SUITE x86_64 musl
    unpack_of $SUITE:arm64 aarch64 $AARCH64
    provide_rust_source "$1"
    # Forty emulators are not wanted, and take 200 MB.
    find "$lab/build/tools/usr/bin" -name 'qemu-*' ! -name qemu-aarch64-static -exec rm {} +
    "$lab/build/tools/usr/bin/qemu-aarch64-static" -L "$lab/build/aarch64" "$lab/build/aarch64/usr/bin/python3.11" \
        -c 'import ctypes' >&2 || lacking 15 "Debian's Python for arm64 does not run under Debian's qemu here"
    : >"$lab/build/rust-$1"
    mv "$lab/build" "$lab/targets"
}

# unpack_of SUITE FOLDER PACKAGE...
unpack_of() {
    local suite=$1 folder=$2 package
    shift 2
    fetch "$suite" "$@" || exit
    for package in "$@"; do
        unpack "$suite" "$package" "$lab/build/$folder" || lacking 15 "Debian's $package cannot be unpacked"
    done
}

provide_rust_source() {
    local suite
    for suite in $RUST_SUITES; do
        if fetch "$suite" "rust-src=$1+*"; then
            unpack "$suite" rust-src "$lab/build/rust" || lacking 15 "Debian's rust-src cannot be unpacked"
            # The compiler's source is not wanted, and takes 250 MB.
            mkdir -p "$lab/build/tools/rust-src/src"
            mv "$lab/build/rust/usr/src/rustc-$1/library" "$lab/build/tools/rust-src/"
            mv "$lab/build/rust/usr/src/rustc-$1/src/version" "$lab/build/tools/rust-src/src/"
            rm -rf "$lab/build/rust"
            return
        fi
    done
    lacking 13 "Debian has no rust-src of Rust $1, and 'rustup target add' has not brought the targets"
}

main "$@"
