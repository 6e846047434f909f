"""`python -m mock_gateway`: the settings, the signals, the one line."""

import argparse
import asyncio
import logging
import os
import signal
import sys
from collections.abc import Callable, Mapping
from typing import NamedTuple, cast

import uvloop

from mock_gateway.charges import Charges
from mock_gateway.gateway import Gateway
from mock_gateway.journal import Journal
from mock_gateway.modes import MODE_NAMES, Mode, ModeName
from mock_gateway.server import serve
from mock_gateway.telling import Teller

_HELP = f"""\
settings, from the environment:
  MOCK_GATEWAY_HOST     the address to serve on (127.0.0.1)
  MOCK_GATEWAY_PORT     the port, 0 for a free one (8081)
  MOCK_GATEWAY_MODE     how it begins (happy), one of:
                        {", ".join(MODE_NAMES)}
  MOCK_GATEWAY_JOURNAL  the file that keeps charges and tombstones (none: the memory alone, until it ends)

PUT /admin/mode {{"mode", "latency_ms", "rate", "seed", "applies_to", "charge", "report"}} changes the mode, GET
/admin/mode shows it. GET /admin/charges shows all charges and tombstones, GET /admin/charges/{{payment_id}} whatever
is known of a payment, GET /admin/refunds all refunds, GET /reports/{{day}} the report of a day; DELETE /admin/charges
forgets all, refunds, tombstones and attempts too.

The journal has every charge and tombstone before it is answered, and is read back at the start. It does not keep the
mode, nor how often a payment was tried: after a restart the draws begin anew with its first attempt.
"""


class Settings(NamedTuple):
    """Where to serve, the mode to begin with, and the path of the journal, empty for none."""

    host: str
    port: int
    mode: ModeName
    journal: str


def read_settings(environment: Mapping[str, str]) -> Settings:
    """Take the settings from the environment.

    Raises:
        ValueError: a value is wrong; the message names the setting.
    """
    host = environment.get("MOCK_GATEWAY_HOST") or "127.0.0.1"
    port = environment.get("MOCK_GATEWAY_PORT") or "8081"
    mode = environment.get("MOCK_GATEWAY_MODE") or "happy"
    if not (port.isascii() and port.isdigit() and len(port) <= 5 and int(port) <= 65_535):
        raise ValueError(f"MOCK_GATEWAY_PORT must be a port from 0 to 65535, not {port!r}")
    if mode not in MODE_NAMES:
        raise ValueError(f"MOCK_GATEWAY_MODE must be one of {', '.join(MODE_NAMES)}, not {mode!r}")
    return Settings(host, int(port), cast("ModeName", mode), environment.get("MOCK_GATEWAY_JOURNAL", ""))


def open_charges(path: str) -> Charges:
    """The charges that the journal keeps; without a path none, kept in memory.

    Raises:
        ValueError: the journal cannot be had, or read; the message names the setting.
    """
    if not path:
        return Charges()
    try:
        return Charges.kept_in(Journal(path))
    except OSError as error:
        raise ValueError(f"MOCK_GATEWAY_JOURNAL {path} cannot be written: {error.strerror}") from error
    except ValueError as error:
        raise ValueError(f"MOCK_GATEWAY_JOURNAL {error}") from error


async def run(settings: Settings, charges: Charges, say: Callable[[str], None]) -> None:
    """Serve until SIGTERM or SIGINT."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    host = f"[{settings.host}]" if ":" in settings.host else settings.host

    def started(port: int) -> None:
        say(f"mock gateway serves on http://{host}:{port}, mode {settings.mode}")

    await serve(Gateway(Mode(settings.mode), charges).handle, settings.host, settings.port, stop, started)


def main() -> int:
    """Run the gateway; 0 after a clean stop, 1 if the address is not to be had, 2 for a wrong setting or journal."""
    argparse.ArgumentParser(
        prog="python -m mock_gateway",
        description="The mock payment gateway.",
        epilog=_HELP,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    ).parse_args()
    try:
        settings = read_settings(os.environ)
        charges = open_charges(settings.journal)
    except ValueError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    teller = Teller()
    logging.basicConfig(handlers=[teller])
    try:
        uvloop.run(run(settings, charges, teller.say))
    except OSError as error:
        sys.stderr.write(
            f"cannot serve on MOCK_GATEWAY_HOST {settings.host}, MOCK_GATEWAY_PORT {settings.port}: {error}\n"
        )
        return 1
    finally:
        teller.end()
    return 0


if __name__ == "__main__":
    sys.exit(main())
