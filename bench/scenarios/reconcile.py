"""Lines a second of a day's report, compared with the books by a process of its own, beside what PostgreSQL can do."""

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import psycopg

from app.main.local.roles import Urls
from bench.command import run
from bench.results import Measure, measure
from bench.stage import Stage

MOST_MIB: Final = 150
DAY: Final = "2026-01-31"

# A day's payments, in the order of their ids; of each thousandth the report says something else.
_PAYMENTS: Final = f"""
    INSERT INTO payments (user_id, id, transaction_id, idempotency_key, provider_id, external_reference, amount,
                          currency, status, created_at, finalized_at)
    SELECT gen_random_uuid(), made.id, made.id, 'k' || n, made.id, 'order ' || n, 100 + n %% 900, 'USD', 'APPROVED', at,
           at
    FROM generate_series(1, %(payments)s) n
    CROSS JOIN LATERAL (
        SELECT timestamptz '{DAY} 01:00Z' + n * interval '20 hours' / %(payments)s AS at
    ) time
    CROSS JOIN LATERAL (
        SELECT (lpad(to_hex((extract(epoch FROM at) * 1000)::bigint), 12, '0') || '7'
            || substr(md5(n::text), 1, 3) || '9' || substr(md5(n::text), 5, 15))::uuid AS id
    ) made
"""
_REPORT: Final = """
    COPY (
        SELECT 'charge' AS type, gen_random_uuid() AS charge_id, id AS payment_id, NULL AS refund_id,
               amount + (right(external_reference, 3) = '000')::int AS amount, currency,
               to_char(finalized_at, 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS occurred_at
        FROM payments ORDER BY id
    ) TO STDOUT (FORMAT csv, HEADER)
"""
_STAGED: Final = """
    CREATE TEMPORARY TABLE lines (
        type text, charge_id uuid, payment_id uuid, refund_id uuid, amount bigint, currency text,
        occurred_at timestamptz
    )
"""
_FORGET: Final = """
    TRUNCATE reconciliation.runs, reconciliation.findings, reconciliation.carried, reconciliation.reported,
        reconciliation.outbox_events
"""


def reconcile(stage: Stage) -> Mapping[str, Measure]:
    """A report of a day, of which nearly all fits."""
    lines, report = stage.sizes.lines, stage.folder / "report.csv"
    runs, memories, limits, failed = list[float](), list[float](), list[float](), 0
    with stage.servers.with_wallets(1) as database:
        stage.say(f"a day of {lines:,} payments, and its report")
        _fill(database, lines, report)
        limits.append(lines / _limit_s(stage, database, report))
        for nth in range(1, stage.sizes.repeats + 1):
            stage.say(f"run {nth} of {stage.sizes.repeats}: {lines:,} lines")
            with psycopg.connect(database.owner_url, autocommit=True) as owner:
                owner.execute(_FORGET)
            stage.servers.checkpoint()
            done = run(("reconcile", str(report), "--date", DAY), {"DATABASE_URL": database.app_url})
            runs.append(lines / done.seconds)
            memories.append(done.memory_mib)
            failed += done.code != 1 or not _is_right(database, lines)
        limits.append(lines / _limit_s(stage, database, report))
    details = {"lines": lines, "report_mib": round(report.stat().st_size / 2**20, 1)}
    report.unlink()
    return {
        "reconcile": measure(
            runs, limits, unit="lines/s", limit_is="COPY into a temporary table, and one join with the payments",
            goal=0.4, errors=failed, details=details,
        ),
        "reconcile-memory": measure(
            memories, [MOST_MIB], unit="MiB", limit_is=f"{MOST_MIB} MiB", goal=1.0, at_most=True, errors=failed,
            details=details,
        ),
    }  # fmt: skip


def _fill(database: Urls, payments: int, report: Path) -> None:
    with psycopg.connect(database.owner_url, autocommit=True, cursor_factory=psycopg.ClientCursor) as owner:
        owner.execute(_PAYMENTS, {"payments": payments})
        owner.execute("VACUUM (ANALYZE) payments")
        with report.open("wb") as file, owner.cursor().copy(_REPORT) as copy:
            for piece in copy:
                file.write(piece)


def _limit_s(stage: Stage, database: Urls, report: Path) -> float:
    """The seconds of PostgreSQL alone, told by a client that has nothing else to do."""
    stage.say("limit: COPY, and one join")
    stage.servers.checkpoint()
    with psycopg.connect(database.owner_url, autocommit=True) as owner:
        owner.execute("SELECT set_config('work_mem', '128MB', false), set_config('jit', 'off', false)")
        owner.execute(_STAGED)
        began_at = time.monotonic()
        with report.open("rb") as file, owner.cursor().copy("COPY lines FROM STDIN (FORMAT csv, HEADER)") as copy:
            while piece := file.read(1 << 20):
                copy.write(piece)
        owner.execute("SELECT count(*) FROM lines l JOIN payments p ON p.id = l.payment_id AND p.amount = l.amount")
        return time.monotonic() - began_at


def _is_right(database: Urls, lines: int) -> bool:
    with psycopg.connect(database.owner_url) as owner:
        owner.execute("SELECT set_config('app.current_tenant', id::text, true) FROM identity.tenants")
        found = owner.execute("SELECT lines, matched, findings FROM reconciliation.runs").fetchall()
    wrong = lines // 1_000
    return found == [(lines, lines - wrong, wrong)]
