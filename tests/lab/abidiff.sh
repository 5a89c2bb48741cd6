#!/bin/sh
# Provides abidiff for tests/abi.rs, as provision.sh provides engines: fetched from Debian, and not installed.
# stdout: the folder with bin/abidiff and lib, the libraries that it wants. stderr: progress; the last line is the reason
# when the exit code is not 0. The exit codes are those of provision.sh.
set -eu
export LC_ALL=C
. "$(dirname "$0")/packages.sh"

# The suite whose libc the machine is sure to have.
SUITE=bookworm
PACKAGES='abigail-tools libabigail0 libctf0 libbinutils libdw1 libelf1 libxml2 libicu72
    libstdc++6 zlib1g liblzma5 libbz2-1.0 libzstd1'

main() {
    require_machine
    mkdir -p "$lab"
    exec 9>"$lab/lock"
    flock 9
    trap 'rm -rf "$lab/apt" "$lab/build"' EXIT
    trap 'exit 130' INT TERM
    [ -e "$lab/abigail/version" ] || provide
    printf '%s\n' "$lab/abigail"
}

provide() {
    rm -rf "$lab/abigail" "$lab/build"
    mkdir -p "$lab/build/abigail/lib"
    for package in $PACKAGES; do
        fetch $SUITE "$package" || exit
        unpack $SUITE "$package" "$lab/build/unpacked" || lacking 15 "Debian's $package cannot be unpacked"
    done
    mv "$lab/build/unpacked/usr/bin" "$lab/build/abigail/bin"
    find "$lab/build/unpacked" -name '*.so*' -exec mv {} "$lab/build/abigail/lib/" \;
    LD_LIBRARY_PATH="$lab/build/abigail/lib" "$lab/build/abigail/bin/abidiff" --version >"$lab/build/abigail/version" ||
        lacking 15 "Debian's abidiff does not run here"
    mv "$lab/build/abigail" "$lab/abigail"
}

main
