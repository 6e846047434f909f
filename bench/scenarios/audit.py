"""Events a second from a full queue into the audit log, beside single rows committed one by one."""

from collections.abc import Mapping

import psycopg

from app.main.local.roles import Urls
from bench import broker
from bench.house import BenchHouse, ending
from bench.results import Measure, measure
from bench.scenarios.relay import DRAIN_LIMIT_S, count_events, publish
from bench.stage import Stage

# Each batch is received at one time, its beginning: the last one's end is not known, so it does not count.
_RATE = """
    SELECT count(*) FILTER (WHERE received_at < last)
           / nullif(extract(epoch FROM max(last) - min(received_at))::float8, 0)
    FROM audit.events, (SELECT max(received_at) AS last FROM audit.events) AS l
"""
_FORGET = "TRUNCATE audit.events; UPDATE audit.head SET position = 0, hash = decode(repeat('00', 32), 'hex')"


def audit(stage: Stage) -> Mapping[str, Measure]:
    """An audit consumer that finds the queue full when it comes."""
    payments, wallets = stage.sizes.backlog_payments, stage.sizes.wallets
    with stage.servers.with_payments(payments, wallets) as database, stage.servers.with_wallets(wallets) as other:
        events = count_events(database)
        limits = [stage.pgbench(other, "audit", clients=1).rate]
        runs = []
        for nth in range(1, stage.sizes.repeats + 1):
            stage.say(f"run {nth} of {stage.sizes.repeats}: {events:,} messages")
            runs.append(_consumed(stage, database, events))
        limits.append(stage.pgbench(other, "audit", clients=1).rate)
    found = measure(
        runs, limits, unit="events/s", limit_is="pgbench: a row and a commit each, one client", goal=5.0,
        details={"messages": events},
    )  # fmt: skip
    return {"audit": found}


def _consumed(stage: Stage, database: Urls, events: int) -> float:
    with psycopg.connect(database.owner_url, autocommit=True) as connection:
        connection.execute(_FORGET)
    publish(stage, database, events)
    stage.servers.checkpoint()
    with ending(BenchHouse(stage.servers, database, stage.folder)) as house:
        house.start("audit")
        house.wait(lambda: _position(house) == events, "the queue to be empty", DRAIN_LIMIT_S)
        house.check_books(with_gateway=False)
        ((rate,),) = house.query(_RATE)
    broker.purge(stage.servers.rabbitmq.url)
    return float(rate or 0.0)


def _position(house: BenchHouse) -> int:
    ((position,),) = house.query("SELECT position FROM audit.head")
    return int(position)
