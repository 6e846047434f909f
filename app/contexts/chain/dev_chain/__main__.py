"""`python -m app.contexts.chain.dev_chain`: the settings, the signals, the one line."""

import argparse
import asyncio
import os
import re
import signal
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final, NamedTuple

import uvloop

from app.contexts.chain.dev_chain.anvil import behind_anvil, installed
from app.contexts.chain.dev_chain.engine import in_python
from app.contexts.chain.dev_chain.http import serve
from app.contexts.chain.dev_chain.wanted import Wanted

_HELP: Final = """\
settings, from the environment:
  DEV_CHAIN_HOST      the address to serve on (127.0.0.1)
  DEV_CHAIN_PORT      the port, 0 for a free one (8545)
  DEV_CHAIN_ID        the chain's id (31337)
  DEV_CHAIN_FOLDER    where the chain is kept (none: the memory alone, until it ends)
  DEV_CHAIN_FUNDED    addresses that shall have money, with commas between them
  DEV_CHAIN_BLOCK_S   a block after so many seconds, besides those on demand; 0 for none (1)
  DEV_CHAIN_ENGINE    what makes the blocks: anvil, python, or auto: anvil when it is installed (auto)
  DEV_CHAIN_ANVIL     the program (anvil, as PATH finds it)

JSON-RPC by POST on any path, as other nodes have it; GET /health answers 200. For tests there are evm_mine, anvil_mine,
evm_setAutomine, evm_setIntervalMining, anvil_reorg, anvil_dropTransaction, anvil_dropAllTransactions,
anvil_setNextBlockBaseFeePerGas and anvil_setBalance, as anvil has them.
"""
_ADDRESS: Final = re.compile("0x[0-9a-fA-F]{40}")


class Settings(NamedTuple):
    """Where to serve, and what."""

    host: str
    port: int
    wanted: Wanted
    anvil: str | None
    """The program that makes the blocks; None: this one."""


def read_settings(environment: Mapping[str, str]) -> Settings:
    """Take the settings from the environment.

    Raises:
        ValueError: a value is wrong; the message names the setting.
    """

    def number(name: str, default: int, most: int) -> int:
        given = environment.get(name) or str(default)
        if not (given.isascii() and given.isdigit() and len(given) < 20 and int(given) <= most):
            raise ValueError(f"{name} must be a whole number up to {most}, not {given!r}")
        return int(given)

    funded = [one.strip() for one in environment.get("DEV_CHAIN_FUNDED", "").split(",") if one.strip()]
    if wrong := [one for one in funded if not _ADDRESS.fullmatch(one)]:
        raise ValueError(f"DEV_CHAIN_FUNDED: {wrong[0]!r} is no address")
    folder = environment.get("DEV_CHAIN_FOLDER", "")
    wanted = Wanted(
        number("DEV_CHAIN_ID", 31337, 2**63 - 1),
        Path(folder) if folder else None,
        number("DEV_CHAIN_BLOCK_S", 1, 86_400),
        funded,
    )
    host = environment.get("DEV_CHAIN_HOST") or "127.0.0.1"
    return Settings(host, number("DEV_CHAIN_PORT", 8545, 65_535), wanted, _anvil(environment))


def _anvil(environment: Mapping[str, str]) -> str | None:
    engine = environment.get("DEV_CHAIN_ENGINE") or "auto"
    if engine not in ("auto", "anvil", "python"):
        raise ValueError(f"DEV_CHAIN_ENGINE must be anvil, python or auto, not {engine!r}")
    program = installed(environment.get("DEV_CHAIN_ANVIL") or "anvil") if engine != "python" else None
    if engine == "anvil" and program is None:
        raise ValueError("DEV_CHAIN_ENGINE is anvil, and there is none: npm install --global @foundry-rs/anvil")
    return program


async def run(settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT."""
    stop = asyncio.Event()
    for signum in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(signum, stop.set)
    chain = f"chain {settings.wanted.chain_id}, blocks by {'anvil' if settings.anvil else 'py-evm'}"

    async def started(port: int) -> None:
        sys.stdout.write(f"dev chain serves on http://{settings.host}:{port}, {chain}\n")
        sys.stdout.flush()

    engine = behind_anvil(settings.wanted, settings.anvil) if settings.anvil else in_python(settings.wanted)
    async with engine as answer:
        await serve(answer, settings.host, settings.port, stop, started)


def main() -> int:
    """Run the chain; 0 after a clean stop, 1 if it cannot be kept or served there, 2 for a wrong setting."""
    argparse.ArgumentParser(
        prog="python -m app.contexts.chain.dev_chain",
        description="A chain of one's own.",
        epilog=_HELP,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    ).parse_args()
    try:
        settings = read_settings(os.environ)
    except ValueError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    try:
        uvloop.run(run(settings))
    except OSError as error:
        sys.stderr.write(f"cannot serve on {settings.host}, DEV_CHAIN_PORT {settings.port}: {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
