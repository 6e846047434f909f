#!/bin/sh
# Sees to it that the tests find PostgreSQL, PgBouncer, RabbitMQ, Redis, Prometheus, anvil, a browser and curl: as root on Debian it installs
# what is missing, elsewhere it says what is. PostgreSQL never is, nor Valkey: their wheels do. Of Prometheus and anvil the tests that need it say so.
# With `--all` all are wanted from the system, whatever could stand in, and the library that moves a process's clock;
# with `--bench` both and what `make bench` makes its load with.
set -eu

all="" bench="" from_system=""
case "${1:-}" in
    --all) all=yes from_system=yes ;;
    --bench) bench=yes from_system=yes ;;
esac

can_install=""
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
    can_install=yes
fi

missing=""
if [ -n "$from_system" ] && ! ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1; then
    missing="postgresql"
fi
if ! command -v rabbitmq-server >/dev/null 2>&1 && [ ! -x /usr/lib/rabbitmq/bin/rabbitmq-server ]; then
    if [ -n "$from_system" ] || { [ -z "${RABBITMQ_URL:-}" ] && ! docker info >/dev/null 2>&1; }; then
        missing="${missing:+$missing }rabbitmq-server"
    fi
fi
if [ -n "$all" ] && ! ls /usr/lib/*/faketime/libfaketime.so.1 >/dev/null 2>&1; then
    missing="${missing:+$missing }libfaketime"
fi
if [ -n "$all" ] || { [ -z "$bench" ] && [ -n "$can_install" ]; }; then
    if ! command -v promtool >/dev/null 2>&1 || ! command -v prometheus >/dev/null 2>&1; then
        missing="${missing:+$missing }prometheus"
    fi
fi
if [ -z "$bench" ] && ! command -v chromium >/dev/null 2>&1 && ! command -v google-chrome >/dev/null 2>&1 &&
    [ ! -d "/Applications/Google Chrome.app" ]; then
    missing="${missing:+$missing }chromium"
fi
if [ -z "$bench" ] && ! command -v pgbouncer >/dev/null 2>&1 && [ ! -x /usr/sbin/pgbouncer ]; then
    missing="${missing:+$missing }pgbouncer"
fi
if [ -z "$bench" ] && ! command -v redis-server >/dev/null 2>&1; then
    missing="${missing:+$missing }redis-server"
fi
if [ -n "$bench" ] && ! command -v wrk >/dev/null 2>&1; then
    missing="${missing:+$missing }wrk"
fi
if [ -z "$bench" ] && ! command -v curl >/dev/null 2>&1; then
    missing="${missing:+$missing }curl"
fi
# The tests that need it say so where it is missing.
anvil=1.7.1
if [ -n "$can_install" ] && ! anvil --version 2>/dev/null | grep -qF " $anvil"; then
    command -v npm >/dev/null 2>&1 || missing="${missing:+$missing }npm"
else
    anvil=""
fi
[ -n "$missing$anvil" ] || exit 0

if [ -z "$can_install" ]; then
    echo "Missing: $missing." >&2
    echo "Install it (Debian and Ubuntu: sudo apt-get install $missing); for RabbitMQ give RABBITMQ_URL, or start Docker." >&2
    exit 1
fi

# The packages start their servers, on ports that others may use; the tests start private ones.
install() {
    policy=/usr/sbin/policy-rc.d
    if [ ! -e "$policy" ]; then
        printf '#!/bin/sh\nexit 101\n' >"$policy"
        chmod 755 "$policy"
        trap 'rm -f "$policy"' EXIT
    fi
    apt-get update -q
    DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends "$@"
}

# shellcheck disable=SC2086 -- a list of packages
[ -z "$missing" ] || install $missing
# Its program is in the package itself: no script has to fetch it.
if [ -n "$anvil" ]; then
    npm install --global --ignore-scripts --no-audit --no-fund --loglevel=error "@foundry-rs/anvil@$anvil" && anvil --version >/dev/null ||
        echo "anvil $anvil is not installed: npm cannot get it here. The tests of the chain that need it fail, and say so." >&2
fi
