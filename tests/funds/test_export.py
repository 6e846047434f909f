"""The ledger by day in files: whole, resumable, and proved by its manifest."""

import asyncio
import csv
import json
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import duckdb
import psycopg
import pytest

from app.contexts.funds.adapters.exports.folder import MANIFEST, ExportFolder, exported, exporting
from app.contexts.funds.adapters.exports.formats import COLUMNS, WRITERS
from app.contexts.funds.adapters.postgres.ledger_days import ENTRIES, PostgresLedgerDays
from app.contexts.funds.application.check_export import check_export
from app.contexts.funds.application.export import Export, StillOpen
from app.contexts.funds.domain.refusals import DayNotOver, NoExport
from app.contexts.funds.for_exports import export_days
from app.main.local.roles import Urls
from app.platform.postgres.inspection import inspecting
from tests.plans import plan_of

DAYS = [date(2026, 1, day) for day in (1, 2, 3, 4)]
FORMATS = [*WRITERS]

_FILL = """
    INSERT INTO transactions (user_id, id, kind, amount, currency, status, created_at)
    SELECT md5('user ' || n % 7)::uuid, gen_random_uuid(), 'FUNDING', n, CASE WHEN n % 3 = 0 THEN 'EUR' ELSE 'USD' END,
           'COMPLETED', timestamptz '2026-01-01 00:00Z' + n * interval '2 h' - interval '2 h'
    FROM generate_series(1, 36) n WHERE n NOT BETWEEN 13 AND 24;
    INSERT INTO ledger_entries (user_id, transaction_id, account, currency, amount, balance_after, wallet_version,
                                created_at)
    SELECT user_id, id, 'wallet', currency, amount, amount,
           row_number() OVER (PARTITION BY user_id, currency ORDER BY created_at), created_at FROM transactions
    UNION ALL SELECT user_id, id, 'funding', currency, -amount, NULL, NULL, created_at FROM transactions;
"""


@pytest.fixture(scope="module")
def filled(module_database: Urls) -> Urls:
    """Three days with 24, 0 and 24 entries."""
    with psycopg.connect(module_database.owner_url, autocommit=True) as owner:
        owner.execute(_FILL.encode())
    return module_database


async def export(urls: Urls, out: Path, since: int = 0, until: int = 3, format_: str = "csv") -> list[date]:
    days = export_days(urls.app_url, DAYS[since], DAYS[until], format_, out, asyncio.Event())
    return [done.day async for done in days]


@pytest.mark.parametrize("format_", FORMATS)
async def test_an_export_is_what_its_manifest_says_and_is_read_back(filled: Urls, tmp_path: Path, format_: str) -> None:
    assert await export(filled, tmp_path, format_=format_) == DAYS[:3]
    manifest = json.loads((tmp_path / MANIFEST).read_text())
    assert manifest["format"] == format_
    assert [(day["day"], day["entries"], day["transactions"]) for day in manifest["days"]] == [
        ("2026-01-01", 24, 12), ("2026-01-02", 0, 0), ("2026-01-03", 24, 12),
    ]  # fmt: skip
    assert manifest["days"][0]["sums"] == {
        "EUR": {"funding": -30, "wallet": 30}, "USD": {"funding": -48, "wallet": 48},
    }  # fmt: skip
    checked = check_export(exported(tmp_path))
    assert (checked.days, checked.entries, checked.findings) == (3, 48, [])


async def test_csv_and_json_lines_have_the_entries_in_their_order(filled: Urls, tmp_path: Path) -> None:
    for format_ in ("csv", "jsonl"):
        await export(filled, tmp_path / format_, format_=format_)
    with (tmp_path / "csv" / "2026-01-01.csv").open(newline="") as file:
        header, *rows = csv.reader(file, strict=True)
    lines = [json.loads(line) for line in (tmp_path / "jsonl" / "2026-01-01.jsonl").read_text().splitlines()]
    assert tuple(header) == COLUMNS
    assert rows == [["" if value is None else str(value) for value in line.values()] for line in lines]
    assert [line["created_at"] for line in lines] == sorted(line["created_at"] for line in lines)
    assert rows[0][0] == "2026-01-01T00:00:00.000000Z"


async def test_parquet_is_read_by_another_reader(filled: Urls, tmp_path: Path) -> None:
    await export(filled, tmp_path, format_="parquet")
    with duckdb.connect() as reader:
        reader.execute("SET TimeZone = 'Pacific/Auckland'")
        found = reader.execute(
            "SELECT day, currency, count(*), sum(amount) FILTER (WHERE account = 'wallet'), min(typeof(amount)),"
            " min(typeof(created_at)), min(typeof(transaction_id)) FROM read_parquet(?) GROUP BY ALL ORDER BY ALL",
            [str(tmp_path / "*.parquet")],
        ).fetchall()
    kinds = ("BIGINT", "TIMESTAMP WITH TIME ZONE", "VARCHAR")
    assert found == [
        (DAYS[0], "EUR", 8, 30, *kinds),
        (DAYS[0], "USD", 16, 48, *kinds),
        (DAYS[2], "EUR", 8, 126, *kinds),
        (DAYS[2], "USD", 16, 240, *kinds),
    ]


async def test_what_is_there_is_left_alone_and_the_rest_is_added(filled: Urls, tmp_path: Path) -> None:
    assert await export(filled, tmp_path, until=2) == DAYS[:2]
    first = (tmp_path / "2026-01-01.csv").stat()
    assert await export(filled, tmp_path) == [DAYS[2]]
    assert await export(filled, tmp_path) == []
    assert (tmp_path / "2026-01-01.csv").stat().st_mtime_ns == first.st_mtime_ns
    other = tmp_path / "other"
    await export(filled, other)
    for day in DAYS[:3]:
        assert (other / f"{day}.csv").read_bytes() == (tmp_path / f"{day}.csv").read_bytes()
    with pytest.raises(NoExport, match="holds an export as csv, not as jsonl"):
        await export(filled, tmp_path, format_="jsonl")


async def test_one_exports_into_a_folder_at_a_time(filled: Urls, tmp_path: Path) -> None:
    with exporting(tmp_path, "csv"), pytest.raises(NoExport, match="somebody else exports"):
        await export(filled, tmp_path)


async def test_what_is_ended_in_the_middle_leaves_no_half_of_a_day(filled: Urls, tmp_path: Path) -> None:
    stop = asyncio.Event()
    stop.set()
    assert [day async for day in export_days(filled.app_url, DAYS[0], DAYS[1], "csv", tmp_path, stop)] == []
    assert [path.name for path in tmp_path.iterdir()] == [".lock"]
    (tmp_path / "2026-01-01.csv.part").write_text("half a")  # as a kill leaves it
    await export(filled, tmp_path)
    assert check_export(exported(tmp_path)).findings == []


async def test_a_day_that_is_not_over_is_not_exported(filled: Urls, tmp_path: Path) -> None:
    today = datetime.now(UTC).date()
    days = export_days(filled.app_url, today, today + timedelta(days=1), "csv", tmp_path, asyncio.Event())
    with pytest.raises(DayNotOver, match="is not over"):
        await anext(days)


async def looked(urls: Urls, end: datetime) -> list[str] | None:
    async with inspecting(urls.app_url, None) as session:
        older = await PostgresLedgerDays(session).older_than(end)
    return None if older is None else [*older]


async def test_a_day_waits_for_older_transactions_and_says_which_they_are(
    make_fresh_database: Callable[[], Urls], tmp_path: Path
) -> None:
    urls = make_fresh_database()
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    assert await looked(urls, tomorrow) is None
    with psycopg.connect(urls.owner_url, application_name="somebody") as other:
        other.execute(_FILL.encode())
        ((at,),) = other.execute("SELECT clock_timestamp()").fetchall()
        async with inspecting(urls.app_url, None) as session:
            with exporting(tmp_path, "csv") as folder:
                soon = Export(PostgresLedgerDays(session), folder, patience_s=0.5)
                run = soon.run(DAYS[0], DAYS[1], lambda _: at, asyncio.Event())
                with pytest.raises(StillOpen, match="2026-01-01 may still change: a transaction of"):
                    await anext(run)
        other.commit()
    assert await looked(urls, at) == []


async def test_a_transaction_that_began_later_holds_up_no_older_day(make_fresh_database: Callable[[], Urls]) -> None:
    urls = make_fresh_database()
    with psycopg.connect(urls.app_url) as other:
        ((before,),) = other.execute("SELECT now()").fetchall()
        other.execute(_FILL.encode())
        assert await looked(urls, before) == []
        (older,) = await looked(urls, before + timedelta(microseconds=1)) or []
        assert older.startswith("a transaction of ")


async def test_a_damaged_export_is_found_out(filled: Urls, tmp_path: Path) -> None:
    await export(filled, tmp_path)
    file, manifest = tmp_path / "2026-01-03.csv", tmp_path / MANIFEST
    good, told = file.read_bytes(), manifest.read_text()

    def findings() -> str:
        return "\n".join(check_export(exported(tmp_path)).findings)

    file.write_bytes(good[:-10])
    assert "2026-01-03: 2026-01-03.csv has" in findings()
    file.write_bytes(good)
    manifest.write_text(told.replace('"entries": 24', '"entries": 26'))
    assert "24 entries of 12 transactions, not 26 of 12" in findings()
    manifest.write_text(told.replace('"wallet": 48', '"wallet": 49'))
    assert "the sums are" in findings()
    manifest.write_text(told)
    file.unlink()
    assert findings() == "2026-01-03: there is no 2026-01-03.csv"
    file.write_bytes(good)
    (tmp_path / "2026-01-09.csv").write_bytes(good)
    assert findings() == "2026-01-09.csv is in no manifest"
    manifest.write_text("{}")
    with pytest.raises(NoExport, match="is no manifest"):
        exported(tmp_path)
    manifest.write_text(told.replace("2026-01-03.csv", "../secret.csv"))
    with pytest.raises(NoExport):
        exported(tmp_path)


async def test_a_day_that_is_missing_between_others_is_found_out(filled: Urls, tmp_path: Path) -> None:
    await export(filled, tmp_path, 0, 1)
    await export(filled, tmp_path, 2, 3)
    assert check_export(exported(tmp_path)).findings == ["2026-01-02 is missing"]


def test_an_amount_that_is_not_whole_is_not_written_as_parquet(tmp_path: Path) -> None:
    from app.contexts.funds.application.export import LedgerLine

    line = LedgerLine(datetime.now(UTC), uuid4(), uuid4(), "FUNDING", "wallet", "USD", 5.5, 5, 1, *[None] * 4)  # type: ignore[arg-type]
    folder = ExportFolder(tmp_path, "parquet", {})
    with pytest.raises(TypeError, match="amount is not whole"), folder.begin(DAYS[0]) as file:  # noqa: PT012
        file.add(line)
        file.finish(None)  # type: ignore[arg-type] # it does not come to that
    assert [*tmp_path.iterdir()] == []


def test_a_day_is_found_by_its_time(filled: Urls) -> None:
    text = ENTRIES.replace("%(since)s", "%s::timestamptz").replace("%(until)s", "%s::timestamptz")
    settings = {"enable_seqscan": "off"}
    plan = plan_of(filled.app_url, "auto", text, (DAYS[0].isoformat(), DAYS[1].isoformat()), settings=settings)
    assert "ledger_entries_by_time" in plan, plan
