# SPDX-License-Identifier: Apache-2.0
# Sourced by the scripts beside it: where things are cached, the machine's own Debian mirror, and how a
# suite of Debian is put into a directory.
cache=${XDG_CACHE_HOME:-$HOME/.cache}/heapwhy

log() {
    echo "${0##*/}: $*" >&2
}

# The first URI of a Debian archive that apt is configured with; HEAPWHY_MIRROR goes before it.
find_mirror() {
    lists="/etc/apt/sources.list.d/debian.sources /etc/apt/sources.list"
    mirror=${HEAPWHY_MIRROR:-$(sed -n \
        -e 's/^URIs: *\([^ ]*debian\)\/*$/\1/p' \
        -e 's/^deb [^h]*\(http[^ ]*debian\)\/* .*/\1/p' $lists 2>/dev/null | head -n 1)}
    [ -n "$mirror" ] || { log "no Debian mirror is configured; set HEAPWHY_MIRROR"; exit 1; }
}

# make_chroot SUITE PYTHON: SUITE with the package PYTHON in $cache/chroot-SUITE, for chroot. Cached.
# Needs root and mmdebstrap. A mirror may keep a suite longer than its Release file is valid; what it
# signs is checked all the same.
make_chroot() {
    root=$cache/chroot-$1
    ! chroot_works "$2" || return 0
    [ "$(id -u)" = 0 ] || { log "must be run as root"; exit 1; }
    find_mirror
    mkdir -p "$cache"
    exec 9>"$root.lock"
    flock 9
    ! chroot_works "$2" || return 0
    log "installing Debian $1 in $root (about half a minute)"
    rm -rf "$root" "$root.new"
    mmdebstrap --quiet --variant=minbase --include="$2" --format=directory \
        --aptopt='Acquire::Check-Valid-Until "false"' \
        "$1" "$root.new" "$mirror" >&2 || { rm -rf "$root.new"; exit 1; }
    mv "$root.new" "$root"
    chroot_works "$2" || { log "its $2 does not work"; exit 1; }
}

chroot_works() {
    [ -x "$root/usr/bin/$1" ] && chroot "$root" "/usr/bin/$1" -c 'import ssl' 2>/dev/null
}

# add_extensions PYTHON LIBRARY...: the C headers of the very version that PYTHON has there, without the
# compiler that they come with, and libraries that an extension module needs. Debian's pyconfig.h looks for
# another one below /usr/include: a link makes that be found from outside of the chroot, too. A chroot
# without these is still good for other tests.
add_extensions() {
    added=$root/usr/include/heapwhy-needs
    [ "$(cat "$added" 2>/dev/null)" != "$*" ] && [ "$(id -u)" = 0 ] || return 0
    exec 9>"$root.lock"
    flock 9
    [ "$(cat "$added" 2>/dev/null)" != "$*" ] || return 0
    log "adding what extension modules need to $root"
    chroot "$root" sh -eu -c '
        python=$1
        shift
        place=$(mktemp -d)
        cd "$place"
        apt-get -qq -o Acquire::Check-Valid-Until=false update
        DEBIAN_FRONTEND=noninteractive apt-get -qq install --no-install-recommends "$@"
        version=$(dpkg-query -W -f "\${Version}" "$python")
        apt-get -qq -o APT::Sandbox::User=root download "lib$python-dev=$version"
        dpkg-deb --fsys-tarfile ./*.deb | tar -x ./usr/include
        cd usr/include
        ln -sr ./*-linux-gnu "$python/"
        mkdir -p /usr/include
        rm -rf /usr/include/*-linux-gnu "/usr/include/$python"
        mv ./*-linux-gnu "$python" /usr/include/
        rm -rf "$place" /var/lib/apt/lists/*' sh "$@" >&2 || { log "going without"; return 0; }
    echo "$*" >"$added"
}
