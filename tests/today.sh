#!/bin/sh
# sh tests/today.sh SUITE COMMAND…: runs a command that finds the servers of a Debian suite first: `trixie` has PostgreSQL 17,
# RabbitMQ 4.0, Redis 8 and Valkey 8, `sid` PostgreSQL 18, RabbitMQ 4.3 and their newer ones. The first time debootstrap unpacks them, as root, into
# SERVERS_CACHE (~/.cache/strongbox/servers, 600 MB each), from DEBIAN_MIRROR or where apt's own sources point. To have
# newer ones, remove the folder.
set -eu

suite=$1
shift
cache=${SERVERS_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/strongbox/servers}
root=$cache/$suite

mirror() {
    if [ -n "${DEBIAN_MIRROR:-}" ]; then
        echo "$DEBIAN_MIRROR"
    else
        cat /etc/apt/sources.list /etc/apt/sources.list.d/* 2>/dev/null | grep -v '^#' | grep -Eo '[a-z]+://[^ ]+/debian/?( |$)' | head -n 1
    fi
}

unpack() {
    if [ "$(id -u)" != 0 ]; then
        echo "Only root can unpack them: sudo SERVERS_CACHE=$cache sh tests/today.sh $suite true" >&2
        exit 2
    fi
    if ! command -v debootstrap >/dev/null || ! command -v patchelf >/dev/null; then
        apt-get update -q
        DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends debootstrap patchelf
    fi
    mkdir -p "$cache"
    umount "$root.new/proc" 2>/dev/null || true # of one that was killed
    rm -rf --one-file-system "$root.new"
    # shellcheck disable=SC2046 -- without a mirror debootstrap takes its own
    debootstrap --variant=minbase --include=postgresql,rabbitmq-server,redis-server,valkey-server "$suite" "$root.new" $(mirror)
    rm -rf "$root.new"/var/cache/apt/* "$root.new"/var/lib/apt/lists/* "$root.new"/usr/share/doc
    settle "$root.new"
    mv "$root.new" "$root"
}

# Its programs shall run here, beside ours: with their own C library, and none of the folders that their packages wrote in.
settle() {
    mkdir "$1/usr/lib/redis" # of all that is beside them in /usr/bin nothing shall be found here
    for name in redis-server valkey-server; do
        cp -L "$1/usr/bin/$name" "$1/usr/lib/redis/$name"
    done
    libraries=$(cd "$1" && echo usr/lib/*-linux-gnu)
    loader=$(cd "$1" && echo lib64/ld-linux-*.so.*)
    [ -e "$1/$loader" ] || loader=$(cd "$1" && echo lib/ld-linux-*.so.*)
    for program in "$1"/usr/lib/postgresql/*/bin/* "$1"/usr/lib/erlang/erts-*/bin/* "$1"/usr/lib/erlang/bin/* \
        "$1"/usr/lib/erlang/lib/*/priv/bin/* "$1"/usr/lib/redis/*; do
        if [ -f "$program" ] && [ ! -h "$program" ] && patchelf --print-interpreter "$program" >/dev/null 2>&1; then
            patchelf --set-interpreter "$root/$loader" --force-rpath --set-rpath "$root/$libraries" "$program"
        fi
    done
    sed -i "s,=/usr/lib/erlang\$,=$root/usr/lib/erlang," "$1"/usr/lib/erlang/bin/erl "$1"/usr/lib/erlang/erts-*/bin/erl
}

[ -d "$root" ] || unpack >&2
echo "With $(cd "$root/usr/lib" && echo postgresql/* rabbitmq/lib/*)" >&2
unset RABBITMQ_URL
PATH=$(echo "$root"/usr/lib/postgresql/*/bin):$root/usr/lib/redis:$root/usr/lib/rabbitmq/bin:$root/usr/lib/erlang/bin:$PATH exec "$@"
