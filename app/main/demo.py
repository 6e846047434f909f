"""`strongbox demo`: a finite tour. Sales, cashback, auctions, what a business needs, then every mode of the gateway."""

import asyncio
import os
import signal
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import click
import httpx
import psycopg

from app.main.contexts import load
from app.main.demo_auction import Auctions
from app.main.demo_business import Business
from app.main.demo_cashback import Cashback
from app.main.demo_gateway import STOPS, Guide
from app.main.demo_market import Market
from app.main.demo_sale import FEE_BP, Sale
from app.main.local.plan import defaults
from app.platform.process import run_state as state
from app.platform.process.processes import free_port

START_LIMIT_S = 300.0

# Short times, so that the tour is one: what takes 10 s in earnest takes 3 here.
_SETTINGS = {
    "CHAIN_CONFIRMATIONS": "2",
    "REQUEST_TIMEOUT_S": "3",
    "GATEWAY_TIMEOUT_S": "0.4",
    "RECOVER_AFTER_S": "3.5",
    "RECOVER_EVERY_S": "0.5",
    "BREAKER_FAILURES": "1000",
    "MARKET_FEE_BP": str(FEE_BP),
    "AUCTION_EXTEND_S": "0",
    # The tour's receiver is a program of this machine.
    "WEBHOOK_ALLOW_HTTP": "true",
    "WEBHOOK_ALLOWED_CIDRS": "127.0.0.0/8",
}


async def tour() -> int:
    """Run the tour on a private service in a folder of its own. The exit code: 0 when all went as told."""
    with tempfile.TemporaryDirectory(prefix="strongbox-demo-") as folder:
        click.echo("Starting a private Strongbox for the tour, which takes some seconds …")
        async with _running(Path(folder)) as base:
            settings, urls = state.discovered(base), state.urls(base)
            headers = {"X-API-Key": settings["API_KEYS"].split(",")[0]}
            async with (
                httpx.AsyncClient(base_url=urls["api"], headers=headers, timeout=15, trust_env=False) as api,
                httpx.AsyncClient(base_url=urls["gateway"], timeout=15, trust_env=False) as gateway,
                httpx.AsyncClient(base_url=urls["api"], timeout=15, trust_env=False) as people,
                await psycopg.AsyncConnection.connect(settings["DATABASE_URL"], autocommit=True) as books,
            ):
                await _tell(Market(base, people, books), Guide(api, gateway, books))
            click.echo("\nWhat the gateway reports of today, compared with the books:\n")
            if code := await _run(base, "reconcile", "--date", "today"):
                return code
            click.echo("\nAnd the books, checked from end to end:\n")
            return await _run(base, "verify")


async def _tell(market: Market, guide: Guide) -> None:
    cashback, auctions = Cashback(market), Auctions(market)
    await cashback.begin()
    buyer = await Sale(market).tell()
    await auctions.begin()
    await cashback.tell(buyer)
    await Business(market).tell()
    for stop in STOPS:
        await guide.show(stop)
    await guide.replay()
    await auctions.end()


@asynccontextmanager
async def _running(folder: Path) -> AsyncIterator[Path]:
    """A `strongbox run` in the folder, ended when the block is left. Nothing of the environment's is touched."""
    base = folder / ".strongbox"
    given = (
        *("CONTEXTS", "RABBITMQ_URL", "REDIS_URL", "GATEWAY_URL", "API_KEYS", "JWT_", "LOG_HASH_KEY"),
        *(
            "STRONGBOX_CONFIG",
            "MARKET_",
            "ORDER_",
            "AUCTION_",
            "TOKEN_",
            "MINT_",
            "CHAIN_",
            "DEV_CHAIN_",
            "EVM_",
            "SIWE_",
            "WEBHOOK_",
        ),
    )
    # The next free ones above the defaults, which it takes by itself, another run that starts now would take as well.
    ports = {name: str(free_port()) for name in defaults(load({}))}
    ours = {k: v for k, v in os.environ.items() if not k.startswith(given) and not k.endswith("DATABASE_URL")}
    log = folder / "run.log"
    with log.open("wb") as output:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "app", "run", cwd=folder, stdin=asyncio.subprocess.DEVNULL, stdout=output,
            stderr=asyncio.subprocess.STDOUT, env=ours | ports | _SETTINGS, start_new_session=True,
        )  # fmt: skip
    try:
        await _ready(base, process, log)
        yield base
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGINT)
        await process.wait()


async def _ready(base: Path, process: asyncio.subprocess.Process, log: Path) -> None:
    async with asyncio.timeout(START_LIMIT_S):
        while b"Strongbox serves at" not in log.read_bytes():
            if process.returncode is not None:
                raise click.ClickException(f"it did not start:\n{log.read_text(errors='replace')}")
            await asyncio.sleep(0.1)
    assert state.urls(base)


async def _run(base: Path, *words: str) -> int:
    """The exit code of a command."""
    process = await asyncio.create_subprocess_exec(sys.executable, "-m", "app", *words, cwd=base.parent)
    return await process.wait()
