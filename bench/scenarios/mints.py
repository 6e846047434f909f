"""Events that wait in `mint.queue`, to confirmed tokens, beside a bare loop that mints at the same node.

The consumer is there, and halted, while they are put into its queue: no start of a process counts, and all else does.
"""

import os
import re
import secrets
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final

import psycopg
from psycopg.rows import TupleRow

from app.contexts.rewards.public import EVENTS
from app.main.local.probe import answers
from app.main.local.roles import Urls
from app.platform.process.processes import CannotStart, free_port
from bench import broker, load
from bench.clients.minting import Outcome, Plan
from bench.documents import of_requests
from bench.house import MINTING, BenchHouse, ending
from bench.machine import family
from bench.results import Measure, measure
from bench.stage import Stage

CHAIN_ID: Final = 31337
LIMIT: Final = "a bare loop: the same calls to the same node, signed, sent with nonces counted up, until their receipts"
MINT_LIMIT_S: Final = 300.0
DEPLOY_LIMIT_S: Final = 120
LOOK_EVERY_S: Final = 0.25
"""Seldom: looking takes of the same processors. When each was minted the rows say."""
WALLETS: Final = 1
"""Nobody needs more here."""
WARM: Final = 50
"""Mints before those that are measured."""
MINTED: Final = "SELECT count(*) FROM mint.mint_requests WHERE settled_at IS NOT NULL"
_HOW: Final = """
    SELECT extract(epoch FROM max(settled_at) - %s)::float8, count(*) FILTER (WHERE status <> 'MINTED')
    FROM mint.mint_requests WHERE created_at >= %s
"""


@dataclass
class _Seen:
    """What runs and limits came to, a chain each: a block costs anvil more, the more there is on its chain."""

    runs: list[float] = field(default_factory=list)
    limits: list[float] = field(default_factory=list)
    refused: int = 0
    details: dict[str, Any] = field(default_factory=dict)


def mint(stage: Stage) -> dict[str, Measure]:
    """All that waits is minted, with one confirmation."""
    seen = _Seen()
    for nth in range(1, stage.sizes.repeats + 1):
        stage.say(f"run {nth} of {stage.sizes.repeats}, on a new chain")
        with stage.servers.with_wallets(WALLETS) as database, _minting(stage, database) as house:
            _beside_a_bare_loop(stage, house, seen)
        broker.purge(stage.servers.rabbitmq.url, EVENTS)  # of the audit's queue
    return {
        "mint": measure(
            seen.runs, seen.limits, unit="mints/s", limit_is=LIMIT, goal=0.8, errors=seen.refused, details=seen.details
        )
    }


def _beside_a_bare_loop(stage: Stage, house: BenchHouse, seen: _Seen) -> None:
    """A run between two limits, which have less and more on the chain than it has."""
    mints = stage.sizes.mints
    plan = Plan(house.environment["EVM_RPC_URL"], CHAIN_ID, mints)

    def limit() -> None:
        stage.say(f"limit: {mints:,} mints by a bare loop")
        bare = load.client("minting", plan, Outcome, MINT_LIMIT_S)
        seen.limits.append(bare.rate)
        seen.refused += bare.refused

    stage.say("warming up")
    load.client("minting", Plan(plan.url, CHAIN_ID, WARM), Outcome, MINT_LIMIT_S)
    _minted(house, min(WARM, mints))
    limit()
    stage.servers.checkpoint()
    stage.say(f"{mints:,} events")
    before = house.cpu_s()
    took_s, failed = _minted(house, mints)
    costs = house.cpu_us(before, mints)
    seen.runs.append(mints / took_s)
    seen.refused += failed
    memory = {name: house.memory_mib(name)["peak"] for name in MINTING}
    limit()
    house.check_books(with_gateway=False)
    engine = re.search(r"blocks by ([\w-]+)", house.log("node"))
    by = engine[1] if engine else "unknown"
    seen.details = {"mints": mints, "blocks_by": by, "cpu_us_per_mint": costs, "peak_mib": memory}


@contextmanager
def _minting(stage: Stage, database: Urls) -> Iterator[BenchHouse]:
    """A node with the contract, an adapter and a consumer."""
    with ending(BenchHouse(stage.servers, database, stage.folder)) as house:
        house.environment |= _settings(house)
        stage.say("starting a node, the adapter and the consumer")
        house.start("node")
        house.wait(lambda: answers(f"{house.environment['EVM_RPC_URL']}/health"), "the node")
        house.environment["CHAIN_CONTRACT"] = _deployed(house)
        house.start("chain", expect=lambda: "chain_served" in house.log("chain"))
        house.start("mint", expect=lambda: "consuming" in house.log("mint"))
        yield house


def _settings(house: BenchHouse) -> dict[str, str]:
    """A block whenever something is sent, and the first one confirms it. anvil makes them where it is installed."""
    node, grpc = free_port(), free_port()
    key_file = house.folder / "chain.key"
    key_file.touch(0o600)
    key_file.write_text(secrets.token_hex(32) + "\n", encoding="ascii")
    return {
        "DEV_CHAIN_PORT": str(node),
        "DEV_CHAIN_ID": str(CHAIN_ID),
        "DEV_CHAIN_BLOCK_S": "0",
        "DEV_CHAIN_ENGINE": os.environ.get("DEV_CHAIN_ENGINE", "auto"),
        "DEV_CHAIN_FUNDED": _command(house, "chain", "address", CHAIN_ID=str(CHAIN_ID), CHAIN_KEY_FILE=str(key_file)),
        "EVM_RPC_URL": f"http://127.0.0.1:{node}",
        "CHAIN_ID": str(CHAIN_ID),
        "CHAIN_KEY_FILE": str(key_file),
        "CHAIN_TOKEN": secrets.token_hex(16),
        "CHAIN_GRPC_PORT": str(grpc),
        "CHAIN_GRPC_URL": f"127.0.0.1:{grpc}",
        "CHAIN_CONFIRMATIONS": "1",
    }


def _deployed(house: BenchHouse) -> str:
    return _command(house, "chain", "deploy", "--within", str(DEPLOY_LIMIT_S))


def _command(house: BenchHouse, *words: str, **more: str) -> str:
    """What a command of `strongbox` prints.

    Raises:
        CannotStart: it failed.
    """
    done = subprocess.run(  # noqa: S603 -- our own command
        [sys.executable, "-m", "app", *words],
        cwd=house.folder, env=house.environment | more, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode != 0:
        raise CannotStart(f"{' '.join(words)}: {done.stdout}{done.stderr}")
    return done.stdout.strip()


def _minted(house: BenchHouse, count: int) -> tuple[float, int]:
    """How long it took, in seconds, until so many were at their end; and how many of them were not minted."""
    ((before,),) = house.query(MINTED)
    consumer = family(house.processes["mint"].pid)
    _tell(consumer, signal.SIGSTOP)
    broker.publish(house.environment["RABBITMQ_URL"], EVENTS, "mint.requested", of_requests(count))
    ((began,),) = house.query("SELECT clock_timestamp()")
    _tell(consumer, signal.SIGCONT)
    with psycopg.connect(house.database.owner_url, autocommit=True) as looking:
        house.wait(lambda: _count(looking) >= before + count, "all of it to be minted", MINT_LIMIT_S, LOOK_EVERY_S)
    ((took_s, failed),) = house.query(_HOW, began, began)
    return float(took_s), int(failed)


def _count(looking: psycopg.Connection[TupleRow]) -> int:
    ((count,),) = looking.execute(MINTED).fetchall()
    return int(count)


def _tell(pids: list[int], number: signal.Signals) -> None:
    for pid in pids:
        os.kill(pid, number)
