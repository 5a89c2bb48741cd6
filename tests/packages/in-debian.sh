#!/bin/sh
# Inside a fresh Debian, as root: the packages beside this script are installed, used and removed, and leave nothing.
set -eu
cd /srv/with

say() { echo "== $*"; }
fail() { echo "in-debian: $*" >&2; exit 1; }

# The files on the disk, except those that dpkg and ldconfig keep for themselves.
files() {
    find / -xdev \( -path /proc -o -path /sys -o -path /dev -o -path /srv -o -path /tmp -o -path /var/log \
        -o -path /var/lib/dpkg -o -path /var/cache/ldconfig \) -prune -o -print | sort
}

is_listed() { ./list "unix:///srv/with/cri.sock" | grep '"name":"web"' >/dev/null; }

say "pkg-config and python3"
apt-get -qq install --no-install-recommends pkg-config python3 >/dev/null 2>&1
files >before

say "the library"
dpkg -i libcriwatch1_*.deb
ldconfig -p | grep 'libcriwatch\.so\.1 ' >/dev/null || fail "the loader does not know the library: its trigger did not run"

say "the development files"
dpkg -i libcriwatch-dev_*.deb
[ "$(pkg-config --cflags --libs criwatch | xargs)" = "-lcriwatch" ] || fail "pkg-config: $(pkg-config --cflags --libs criwatch)"
{ echo "pod web ns=shop nginx"; sleep 600; } | ./cri-sim --socket cri.sock --script - >sim.log &
tries=0
until grep -q '^ok ' sim.log; do
    tries=$((tries + 1))
    [ $tries -lt 600 ] || fail "the simulated engine: $(cat sim.log)"
    sleep 0.1
done
example=/usr/share/doc/libcriwatch-dev/examples/c/list.c
cc "$example" $(pkg-config --cflags --libs criwatch) -o list
is_listed || fail "the program does not list the container"
cc "$example" $(pkg-config --cflags criwatch) $(pkg-config --variable=static_libs criwatch) -o list
is_listed || fail "the static program does not list the container"

if ls python3-criwatch_*.deb >/dev/null 2>&1; then
    say "the Python module"
    dpkg -i python3-criwatch_*.deb
    (cd / && python3 -c '
import criwatch, importlib.metadata
assert criwatch.__file__.startswith("/usr/lib/python3/"), criwatch.__file__
with criwatch.Watcher("unix:///srv/with/cri.sock") as watcher:
    watcher.resync()
    names = [entry.pod.name for entry in watcher.pods()]
    assert names == ["web"], names
print("criwatch", importlib.metadata.version("criwatch"))
')
    python3 -m criwatch -r unix:///srv/with/cri.sock ps | grep ' web ' >/dev/null || fail "python3 -m criwatch ps lists nothing"
fi

if ls criwatch_*.deb >/dev/null 2>&1; then
    say "the command"
    dpkg -i criwatch_*.deb
    criwatch -r unix:///srv/with/cri.sock ps | grep ' web ' >/dev/null || fail "criwatch ps: $(criwatch -r unix:///srv/with/cri.sock ps)"
    [ -e /usr/share/man/man1/criwatch.1.gz ] || [ ! -d /usr/share/man/man1 ] || fail "there is no criwatch(1)"
fi

if ls criwatch-sim_*.deb >/dev/null 2>&1; then
    say "the simulated engine"
    dpkg -i criwatch-sim_*.deb
    [ "$(printf 'pod web ns=shop app\nwait app running\nquit\n' | cri-sim --script - | grep -c '^ok ')" = 3 ] || fail "cri-sim does not run"
    [ -e /usr/share/man/man1/cri-sim.1.gz ] || [ ! -d /usr/share/man/man1 ] || fail "there is no cri-sim(1)"
fi

say "what dpkg says of them"
packages=$(dpkg-query -W -f '${Package} ${Source}\n' | awk '$2 == "criwatch" || $1 ~ /criwatch/ { print $1 }')
echo $packages
[ -z "$(dpkg --audit $packages)" ] || fail "$(dpkg --audit $packages)"
[ -z "$(dpkg --verify $packages)" ] || fail "$(dpkg --verify $packages)"
if dpkg --remove libcriwatch1 2>/dev/null; then fail "libcriwatch1 went, though others depend on it"; fi

say "removed"
dpkg --remove $packages
if ./list "unix:///srv/with/cri.sock" >/dev/null; then say "a static program still runs"; else fail "a static program wants the packages"; fi
files >after
diff before after || fail "they left something"
dpkg --purge $packages
[ -z "$(ldconfig -p | grep criwatch || true)" ] || fail "the loader still knows the library"
[ -z "$(dpkg-query -W 2>/dev/null | grep criwatch || true)" ] || fail "dpkg still knows them"
say "nothing is left"
