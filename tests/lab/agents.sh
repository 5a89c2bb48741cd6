#!/bin/sh
# Provides what integrations/ are built with and run under, as provision.sh provides engines: fetched from Debian, and not
# installed. agents.sh sysdig | collectd | libbpf
# stdout: the folder in which the packages are unpacked. stderr: progress; the last line is the reason when the exit code is
# not 0. The exit codes are those of provision.sh.
set -eu
export LC_ALL=C
. "$(dirname "$0")/packages.sh"

main() {
    require_machine
    mkdir -p "$lab"
    exec 9>"$lab/lock"
    flock 9
    trap 'rm -rf "$lab/apt" "$lab/build"' EXIT
    trap 'exit 130' INT TERM
    # Newer than its recipe: this script.
    if [ ! "$lab/$1/ready" -nt "$0" ]; then
        rm -rf "$lab/$1" "$lab/build"
        mkdir -p "$lab/build/$1"
        "provide_$1"
        : >"$lab/build/$1/ready"
        mv "$lab/build/$1" "$lab/$1"
    fi
    printf '%s\n' "$lab/$1"
}

# Only sid has the plugin API of today. It comes with its own libc.
provide_sysdig() {
    fetch_with_all sid sysdig
    fetch sid libfalcosecurity0-dev || exit
    unpack_all sid sysdig
    run_sysdig --version >&2 || lacking 15 "Debian's sysdig does not run here"
}

run_sysdig() {
    local root="$lab/build/sysdig" loader
    loader=$(find "$root" -name 'ld-linux*.so.*' | head -n 1)
    "$loader" --library-path "$(dirname "$(find "$root" -name libc.so.6 | head -n 1)")" "$root/usr/bin/sysdig" "$@"
}

# These run with the libc of this machine.
provide_collectd() {
    for package in collectd-core collectd-dev libcap2 libyajl2; do fetch bookworm "$package" || exit; done
    unpack_all bookworm collectd
    run_collectd -h >&2 || lacking 15 "Debian's collectd does not run here"
}

run_collectd() {
    local root="$lab/build/collectd"
    LD_LIBRARY_PATH="$(dirname "$(find "$root" -name libcap.so.2 | head -n 1)")" "$root/usr/sbin/collectd" "$@"
}

# To be linked statically.
provide_libbpf() {
    for package in libbpf-dev libelf-dev zlib1g-dev; do fetch bookworm "$package" || exit; done
    unpack_all bookworm libbpf
}

case ${1:-} in
sysdig | collectd | libbpf) main "$1" ;;
*) say "usage: agents.sh sysdig | collectd | libbpf"; exit 2 ;;
esac
