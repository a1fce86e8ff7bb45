# SPDX-License-Identifier: Apache-2.0
# Sourced by the scripts beside it: where things are cached, and the machine's own Debian mirror.
cache=${XDG_CACHE_HOME:-$HOME/.cache}/heapwhy
suite=trixie

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
