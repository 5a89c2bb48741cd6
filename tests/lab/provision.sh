#!/bin/sh
# Provisions real containerd engines for the test-suite, without installing anything on the system.
#
# Debian's packages are downloaded through the machine's own apt configuration (mirror, proxy, keys) with private
# lists, and unpacked beneath target/lab (or $CRI_LAB_DIR). Needs root, apt, dpkg, and runc's ability to run here.
#
# stdout, tab separated:  image PATH | tools DIR RUNC-VERSION | engine LINE VERSION DIR | missing LINE REASON
# stderr: progress; the last line is the reason when the exit code is not 0.
# exit:   0 at least one engine is ready      10 not root, not Linux     11 apt, dpkg, tar or flock is lacking
#         12 no Debian mirror is configured   13 a download failed       14 runc cannot run a container here
#         15 an unpacked package is not usable
set -eu
export LC_ALL=C

# One line per engine: its name in the tests, and the Debian suite that carries it.
ENGINES='1.6 bookworm
1.7 trixie
2 sid'
# runc and busybox come from the oldest suite: what newer ones carry wants a newer libc.
TOOLS_SUITE=bookworm

. "$(dirname "$0")/packages.sh"

main() {
    require_machine
    mkdir -p "$lab"
    # Test programs run side by side: one provisions, the others wait for it. The kernel drops the lock with us.
    exec 9>"$lab/lock"
    flock 9
    trap 'rm -rf "$lab/apt" "$lab/build" "$lab/trial"' EXIT
    trap 'exit 130' INT TERM
    provide_tools
    provide_image
    prove_runc
    printf 'image\t%s\n' "$lab/image.tar"
    printf 'tools\t%s\t%s\n' "$lab/tools" "$(cat "$lab/tools/version")"
    provide_engines
}

# --- tools: runc and a static busybox -----------------------------------------------------------------------------

provide_tools() {
    [ ! -e "$lab/tools/version" ] || return 0
    local version
    rm -rf "$lab/tools" "$lab/build"
    fetch $TOOLS_SUITE runc || exit
    fetch $TOOLS_SUITE busybox-static || exit
    mkdir -p "$lab/build/tools"
    unpack $TOOLS_SUITE runc "$lab/build/unpacked" || lacking 15 "Debian's runc package cannot be unpacked"
    unpack $TOOLS_SUITE busybox-static "$lab/build/unpacked" || lacking 15 "Debian's busybox package cannot be unpacked"
    find "$lab/build/unpacked" -type f -path '*bin/*' \( -name runc -o -name busybox \) \
        -exec mv {} "$lab/build/tools/" \;
    version=$("$lab/build/tools/runc" --version | sed -n 's/^runc version //p')
    [ -n "$version" ] || lacking 15 "Debian's runc does not run here"
    "$lab/build/tools/busybox" true || lacking 15 "Debian's static busybox does not run here"
    printf '%s\n' "$version" >"$lab/build/tools/version"
    mv "$lab/build/tools" "$lab/tools"
    rm -rf "$lab/build"
}

# --- the image: an OCI archive written by hand --------------------------------------------------------------------

provide_image() {
    # Newer than its recipe: this script.
    [ ! "$lab/image.tar" -nt "$0" ] || return 0
    local build="$lab/build" layer config manifest
    rm -rf "$build"
    mkdir -p "$build/rootfs" "$build/oci/blobs/sha256"
    fill_rootfs "$build/rootfs"
    pack "$build/rootfs" "$build/layer.tar"
    layer=$(blob "$build/layer.tar")
    image_config "$layer" >"$build/config.json"
    config=$(blob "$build/config.json")
    image_manifest "$config" "$layer" >"$build/manifest.json"
    manifest=$(blob "$build/manifest.json")
    printf '{"imageLayoutVersion":"1.0.0"}' >"$build/oci/oci-layout"
    image_index "$manifest" >"$build/oci/index.json"
    pack "$build/oci" "$build/image.tar"
    mv "$build/image.tar" "$lab/image.tar"
    rm -rf "$build"
}

fill_rootfs() {
    local applet
    mkdir -p "$1/bin" "$1/etc" "$1/proc" "$1/sys" "$1/dev" "$1/run" "$1/root" "$1/tmp"
    chmod 1777 "$1/tmp"
    cp "$lab/tools/busybox" "$1/bin/busybox"
    for applet in $("$lab/tools/busybox" --list); do
        [ "$applet" = busybox ] || ln -s busybox "$1/bin/$applet"
    done
    printf 'root:x:0:0:root:/root:/bin/sh\n' >"$1/etc/passwd"
    printf 'root:x:0:\n' >"$1/etc/group"
}

# The same input gives the same bytes.
pack() { tar --create --file "$2" --directory "$1" --sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner .; }

# blob FILE: moves it to its content address and prints "DIGEST SIZE".
blob() {
    local sum size
    sum=$(sha256sum "$1"); sum=${sum%% *}; size=$(stat -c %s "$1")
    mv "$1" "$build/oci/blobs/sha256/$sum"
    printf 'sha256:%s %s' "$sum" "$size"
}

# descriptor MEDIA-TYPE "DIGEST SIZE" [MORE-JSON]
descriptor() { printf '{"mediaType":"%s","digest":"%s","size":%s%s}' "$1" "${2% *}" "${2#* }" "${3-}"; }

image_config() {
    local architecture
    architecture=$(dpkg --print-architecture)
    case $architecture in
    armhf | armel) architecture=arm ;;
    i386) architecture=386 ;;
    ppc64el) architecture=ppc64le ;;
    esac
    # An uncompressed layer's diff id is its own digest. The long sleep makes the image its own pause image.
    printf '{"architecture":"%s","os":"linux","created":"1970-01-01T00:00:00Z",' "$architecture"
    printf '"config":{"Env":["PATH=/bin"],"Cmd":["/bin/sleep","2147483647"]},'
    printf '"rootfs":{"type":"layers","diff_ids":["%s"]},"history":[{"created":"1970-01-01T00:00:00Z"}]}' "${1% *}"
}

image_manifest() {
    printf '{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":%s,"layers":[%s]}' \
        "$(descriptor application/vnd.oci.image.config.v1+json "$1")" \
        "$(descriptor application/vnd.oci.image.layer.v1.tar "$2")"
}

image_index() {
    printf '{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":['
    local separator= name
    for name in localhost/pause:latest localhost/busybox:latest; do
        printf '%s' "$separator"
        descriptor application/vnd.oci.image.manifest.v1+json "$1" \
            ",\"annotations\":{\"io.containerd.image.name\":\"$name\",\"org.opencontainers.image.ref.name\":\"$name\"}"
        separator=,
    done
    printf ']}'
}

# --- can runc run a container here? -------------------------------------------------------------------------------

# Unprivileged build machines often cannot; better to learn it here, with runc's own message, than from a failed pod.
prove_runc() {
    local trial="$lab/trial" runc="$lab/tools/runc"
    rm -rf "$trial"
    mkdir -p "$trial/rootfs"
    fill_rootfs "$trial/rootfs"
    (cd "$trial" && "$runc" spec)
    sed -i -e 's/"terminal": true/"terminal": false/' -e 's,"sh","/bin/true",;s,"sh"$,"/bin/true",' "$trial/config.json"
    if ! "$runc" --root "$trial/state" run --bundle "$trial" "cri-lab-trial-$$" >"$trial/output" 2>&1 </dev/null; then
        lacking 14 "runc cannot run a container here: $(tail -n 1 "$trial/output")"
    fi
    rm -rf "$trial"
}

# --- engines ------------------------------------------------------------------------------------------------------

provide_engines() {
    local ready=0 failure=0 line suite dir reason
    while read -r line suite; do
        dir=$lab/containerd-$line
        if reason=$(provide_engine "$suite" "$dir" 2>&1 >/dev/null); then
            ready=$((ready + 1))
            printf 'engine\t%s\t%s\t%s\n' "$line" "$(cat "$dir/version")" "$dir"
        else
            failure=$?
            reason=$(printf '%s\n' "$reason" | tail -n 1 | tr '\t' ' ')
            printf 'missing\t%s\t%s\n' "$line" "${reason#lab: }"
        fi
    done <<LIST
$ENGINES
LIST
    [ "$ready" -gt 0 ] || lacking "$failure" "no containerd could be provisioned: $reason"
}

provide_engine() {
    local suite=$1 dir=$2 version
    [ ! -e "$dir/version" ] || return 0
    rm -rf "$dir" "$lab/build"
    fetch "$suite" containerd || return
    unpack "$suite" containerd "$lab/build" || return 15
    version=$("$lab/build/usr/bin/containerd" --version) || { say "containerd of $suite does not run here"; return 15; }
    # "containerd github.com/containerd/containerd 1.7.24~ds1 1.7.24~ds1-6"
    printf '%s\n' "$version" | cut -d ' ' -f 3 >"$lab/build/version"
    mv "$lab/build" "$dir" || { say "containerd of $suite cannot be moved to $dir"; return 15; }
}

main
