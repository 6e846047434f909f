"""What wallets held, statements, and payouts: beside a balance, COPY, and single sends of the same run."""

import time
from collections.abc import Mapping
from pathlib import Path
from statistics import fmean
from typing import Final

import httpx
import psycopg

from app.contexts.funds.adapters.postgres.past import lines_statement
from app.contexts.funds.application.statement import LINES_AT_A_TIME
from app.contexts.payments.adapters.postgres.for_funds import PAYMENT_QUERIES
from app.main.local.roles import Urls
from bench import load
from bench.clients import paying_out
from bench.filling_rows import user_id
from bench.house import BenchHouse
from bench.load import Wrk
from bench.people import OPEN, sign_in
from bench.results import Measure, measure
from bench.scenarios.transfers import SEND
from bench.stage import Stage

MOST_MIB: Final = 100.0
LONG_AGO: Final = "2000-01-01T00:00:00Z"
BULK: Final = "/v1/wallet/send/bulk"
PAYERS: Final = 4


def at(stage: Stage) -> Mapping[str, Measure]:
    """The balance at a time, in the middle of a long history, beside the balance now."""
    sizes = stage.sizes
    with stage.servers.with_payments(sizes.entries, 1) as database, stage.house(database, **OPEN) as house:
        token = _token(sign_in(house, 1))
        ((middle,),) = house.query("SELECT percentile_disc(0.5) WITHIN GROUP (ORDER BY created_at) FROM transactions")
        asked = f"/v1/wallet/balance?currency=USD&at={middle:%Y-%m-%dT%H:%M:%S.%fZ}"

        def run(path: str) -> Wrk:
            stage.say(f"GET {path}, {sizes.connections} connections, {sizes.limit_s:g} s")
            load.get(house.api_url + path, sizes.connections, min(2.0, sizes.warm_up_s), token=token)
            return load.get(house.api_url + path, sizes.connections, sizes.limit_s, token=token)

        limits = [run("/v1/wallet")]
        runs = [run(asked) for _ in range(sizes.repeats)]
        limits.append(run("/v1/wallet"))
    return {
        "at": measure(
            [one.p50_us / 1000 for one in runs],
            [one.p50_us / 1000 for one in limits],
            unit="ms",
            limit_is="GET /v1/wallet of the same server",
            goal=1.5,
            at_most=True,
            errors=sum(one.lost + one.refused for one in (*runs, *limits)),
            details={"p99_ms": fmean(one.p99_us for one in runs) / 1000, "rate": fmean(one.rate for one in runs)},
        )
    }


def statement(stage: Stage) -> Mapping[str, Measure]:
    """A statement of a long history as CSV, beside COPY of the same lines; and what it takes of memory."""
    sizes = stage.sizes
    with stage.servers.with_payments(sizes.entries, 1) as database, stage.house(database, **OPEN) as house:
        token = _token(sign_in(house, 1))
        rest = house.memory_mib("api")
        limits = [_copy(stage, database)]
        runs = []
        for nth in range(1, sizes.repeats + 1):
            stage.say(f"run {nth} of {sizes.repeats}: a statement of {sizes.entries:,} payments")
            runs.append(_read(house, token))
        limits.append(_copy(stage, database))
        memory = house.memory_mib("api")
    lines = {count for count, _ in (*runs, *limits)}
    return {
        "statement": measure(
            [count / took_s for count, took_s in runs],
            [count / took_s for count, took_s in limits],
            unit="lines/s",
            limit_is="COPY of the same lines TO STDOUT, as CSV",
            goal=0.4,
            errors=len(lines) - 1,
            details={"lines": max(lines)},
        ),
        "statement-memory": measure(
            [memory["peak"] - rest["now"]],
            [MOST_MIB],
            unit="MiB",
            limit_is="so much beside what the API takes at rest",
            goal=1.0,
            at_most=True,
            details={"rest": rest["now"], "peak": memory["peak"]},
        ),
    }


def payouts(stage: Stage) -> Mapping[str, Measure]:
    """Bulks of a thousand transfers, beside transfers one by one over many connections."""
    sizes = stage.sizes
    with (
        stage.servers.with_wallets(sizes.wallets) as database,
        stage.house(database, **OPEN) as house,
    ):
        stage.say(f"{sizes.wallets:,} people log in")
        people = sign_in(house, sizes.wallets)

        load.send(house.api_url, people, sizes.connections, sizes.warm_up_s, to_one=False)
        house.settle_down()
        before, sent_before = house.cpu_s(), house.answers(SEND)[201]
        limits = [_singles(stage, house, people)]
        singles = house.cpu_us(before, house.answers(SEND)[201] - sent_before)
        before, runs = house.cpu_s(), [_bulks(stage, house, people) for _ in range(sizes.repeats)]
        costs = house.cpu_us(before, house.answers(BULK)[201] * sizes.bulk)
        limits.append(_singles(stage, house, people))
        failed = sum(count for route in (BULK, SEND) for status, count in house.answers(route).items() if status != 201)
        house.check_books(with_gateway=False)
    return {
        "payouts": measure(
            [one.rate for one in runs],
            [one.rate for one in limits],
            unit="transfers/s",
            limit_is="POST /v1/wallet/send of the same server",
            goal=4.0,
            errors=failed,
            details={"cpu_us_per_transfer": costs, "cpu_us_per_single_transfer": singles},
        )
    }


def _singles(stage: Stage, house: BenchHouse, people: Path) -> Wrk:
    sizes = stage.sizes
    stage.say(f"limit: sends, {sizes.connections} connections, {sizes.limit_s:g} s")
    ran = load.send(house.api_url, people, sizes.connections, sizes.limit_s, to_one=False)
    house.settle_down()
    return ran


def _bulks(stage: Stage, house: BenchHouse, people: Path) -> paying_out.Outcome:
    stage.say(f"bulks of {stage.sizes.bulk:,} by {PAYERS}, {stage.sizes.run_s:g} s")
    ran = load.pay_out(house.ports["HTTP_PORT"], people, PAYERS, stage.sizes.bulk, stage.sizes.run_s)
    house.settle_down()
    return ran


def _token(people: Path) -> str:
    return people.read_text(encoding="ascii").split()[1]


def _read(house: BenchHouse, token: str) -> tuple[int, float]:
    """Lines of a statement, and how long it took, in seconds."""
    ((now,),) = house.query("SELECT clock_timestamp()")
    query = {"currency": "USD", "from": LONG_AGO, "to": f"{now:%Y-%m-%dT%H:%M:%S.%fZ}", "format": "csv"}
    headers = {"Authorization": f"Bearer {token}", "Accept-Encoding": "identity"}
    began, lines = time.perf_counter(), -1  # the header is none
    url = f"{house.api_url}/v1/wallet/statement"
    with httpx.stream("GET", url, params=query, headers=headers, timeout=60) as answer:
        answer.raise_for_status()
        for piece in answer.iter_raw():
            lines += piece.count(b"\n")
    return lines, time.perf_counter() - began


def _copy(stage: Stage, database: Urls) -> tuple[int, float]:
    """The same of COPY."""
    text = lines_statement(PAYMENT_QUERIES).text.replace(f"LIMIT {LINES_AT_A_TIME}", "")
    for value in (f"'{user_id(0)}'", "'USD'", "0", str(2**62)):
        text = text.replace("%b", value, 1)
    stage.say("limit: COPY of the same lines")
    with psycopg.connect(database.owner_url) as connection, connection.cursor() as cursor:
        began, lines = time.perf_counter(), 0
        with cursor.copy(f"COPY ({text}) TO STDOUT (FORMAT csv)".encode()) as copying:
            for piece in copying:
                lines += bytes(piece).count(b"\n")
    return lines, time.perf_counter() - began
