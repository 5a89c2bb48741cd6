# Debian packages, fetched and unpacked without installing anything; to be sourced by a script beside it.

repo=$(cd "$(dirname "$0")/../.." && pwd)
lab=${CRI_LAB_DIR:-$repo/target/lab}

say() { printf 'lab: %s\n' "$*" >&2; }
lacking() { code=$1; shift; say "$*"; exit "$code"; }

require_machine() {
    [ "$(uname -s)" = Linux ] || lacking 10 "real engines need Linux, this is $(uname -s)"
    [ "$(id -u)" = 0 ] || lacking 10 "real engines need root, this is uid $(id -u)"
    for tool in apt-get dpkg dpkg-deb tar flock sha256sum; do
        command -v "$tool" >/dev/null || lacking 11 "real engines come from Debian packages, but '$tool' is lacking"
    done
}

# The mirror this machine uses, asked of apt itself; it need not have run "apt-get update".
mirror() {
    apt-get --print-uris update 2>/dev/null |
        sed -n "s,^'\(.*\)/dists/\([^/]*\)/InRelease' .*,\2 \1,p" |
        sed -En '/^(bookworm|trixie|forky|sid|oldoldstable|oldstable|stable|testing|unstable) /{s/^[^ ]* //p;q;}'
}

# apt_for SUITE ARGUMENTS...: apt-get that sees only this suite, keeps its state to itself and runs none of the hooks
# that this machine has for its own updates. A mirror that lags behind will do; signatures are checked all the same.
apt_for() {
    local suite=$1; shift
    apt-get -q -q -c="$lab/apt/$suite/apt.conf" "$@"
}

# write_apt_config SUITE[:ARCHITECTURE]: of the machine's architecture, or of another, whose packages can only be unpacked.
write_apt_config() {
    local suite=${1%%:*} dir="$lab/apt/$1" uri options keyring architecture
    architecture=$(dpkg --print-architecture)
    case $1 in *:*) architecture=${1#*:} ;; esac
    uri=$(mirror)
    [ -n "$uri" ] || { say "no Debian mirror is configured for apt"; return 12; }
    mkdir -p "$dir/state/lists/partial" "$dir/cache/archives/partial"
    : >"$dir/status"
    options=target=Packages
    keyring=/usr/share/keyrings/debian-archive-keyring.gpg
    [ ! -e "$keyring" ] || options="$options signed-by=$keyring"
    printf 'deb [%s] %s %s main\n' "$options" "$uri" "$suite" >"$dir/sources.list"
    cat >"$dir/apt.conf" <<CONF
#clear APT::Update::Pre-Invoke;
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
#clear APT::Default-Release;
Dir::State "$dir/state";
Dir::State::lists "$dir/state/lists";
Dir::State::status "$dir/status";
Dir::Cache "$dir/cache";
Dir::Cache::pkgcache "";
Dir::Cache::srcpkgcache "";
Dir::Etc::sourcelist "$dir/sources.list";
Dir::Etc::sourceparts "/dev/null";
Dir::Etc::preferences "/dev/null";
Dir::Etc::preferencesparts "/dev/null";
APT::Sandbox::User "root";
APT::Update::Error-Mode "any";
Acquire::Check-Valid-Until "false";
Acquire::Languages "none";
APT::Architecture "$architecture";
APT::Architectures "$architecture";
CONF
}

# apt_twice SUITE ARGUMENTS...: once more after a failure; then the last line printed is apt's first complaint.
apt_twice() {
    local complaint="$lab/apt/$1/complaint"
    apt_for "$@" >&2 2>"$complaint" && return
    say "once more: apt-get $*"
    apt_for "$@" >&2 2>"$complaint" && return
    say "$(sed -n '/^E: /{s///p;q;}' "$complaint")"
    return 13
}

# fetch SUITE PACKAGE...: each .deb lands in $lab/apt/SUITE/debs.
fetch() {
    local suite=$1 debs="$lab/apt/$1/debs"
    shift
    if [ ! -e "$lab/apt/$suite/updated" ]; then
        write_apt_config "$suite" || return
        say "reading Debian's package list for $suite"
        apt_twice "$suite" update || return
        mkdir -p "$debs"
        : >"$lab/apt/$suite/updated"
    fi
    say "downloading $* of $suite"
    (cd "$debs" && apt_twice "$suite" download "$@")
}

# unpack SUITE PACKAGE DIR
unpack() {
    set -- "$3" "$lab/apt/$1/debs/$2"_*.deb
    dpkg-deb -x "$2" "$1"
}

# fetch_with_all SUITE PACKAGE: with everything that it depends on.
fetch_with_all() {
    fetch "$1" "$2" || exit
    apt_twice "$1" install --download-only --yes --no-install-recommends "$2" || exit
    mv "$lab/apt/$1/cache/archives"/*.deb "$lab/apt/$1/debs/"
}

# unpack_all SUITE NAME: all that was fetched.
unpack_all() {
    local deb
    for deb in "$lab/apt/$1/debs"/*.deb; do
        dpkg-deb -x "$deb" "$lab/build/$2" || lacking 15 "$(basename "$deb") of Debian cannot be unpacked"
    done
}
