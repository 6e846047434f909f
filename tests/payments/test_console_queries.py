"""What the console asks of the database: right, and by index however many payments there are."""

from collections import Counter
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import psycopg
import pytest

from app.contexts.payments.adapters.postgres import activity as pulse
from app.contexts.payments.adapters.postgres.activity import PostgresPulse
from app.contexts.payments.application.activity import SLOT_S, SLOTS, History, Result
from app.contexts.payments.application.recent import LOOKED_AT, RecentPayment, recent
from app.contexts.payments.domain.payment import Status
from app.kernel.errors import Unavailable
from app.main.local.roles import Urls
from app.platform.postgres.actions import PostgresActionLog, PostgresActions
from app.platform.postgres.pool import make_pool
from app.platform.postgres.sessions import begin_session_now, session_url
from bench.filling import fill
from tests.platform.outbox_fixtures import query

PAYMENTS = 10_000
JUST_NOW = """
    UPDATE idempotency_keys SET finalized_at = date_trunc('second', now()) - interval '9.5 s'
    WHERE (user_id, key) IN (SELECT user_id, key FROM idempotency_keys ORDER BY finalized_at DESC LIMIT 40)
"""


@pytest.fixture(scope="module")
def filled(module_database: Urls) -> Urls:
    """Many payments of the last hours, and forty requests that ended just now."""
    fill(module_database.owner_url, PAYMENTS, 50)
    query(module_database.owner_url, JUST_NOW)
    query(module_database.owner_url, "VACUUM ANALYZE idempotency_keys, payments, payments.outbox_events")
    return module_database


@pytest.fixture
async def books(filled: Urls) -> AsyncIterator[PostgresPulse]:
    pool = make_pool(filled.app_url, "test-console", 2)
    await pool.open(wait=True)
    yield PostgresPulse(pool)
    await pool.close()


async def test_a_beat_counts_what_ended_by_its_result(books: PostgresPulse, filled: Urls) -> None:
    history = History()
    beat = await books.beat(None, SLOTS)
    history.add(beat)
    statuses = query(
        filled.owner_url,
        "SELECT p.status FROM idempotency_keys k JOIN payments p ON p.id = k.payment_id"
        " WHERE k.finalized_at >= to_timestamp(%s)",
        beat.first * SLOT_S,
    )
    assert history.totals() == Counter(Result(status) for (status,) in statuses)
    assert 40 in [sum(slot.values()) for slot in beat.finished.values()]
    assert history.approved_share == history.totals()[Result.APPROVED] / len(statuses)
    assert sum(bar is not None for bar in history.bars()) == SLOTS
    again = await books.beat(history.last, SLOTS)
    assert sum(sum(slot.values()) for slot in again.finished.values()) == 0
    assert (again.pending, again.unsent) == (0, 0)


async def test_a_beat_that_would_be_too_long_begins_later(
    books: PostgresPulse, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = await books.beat(None, SLOTS)
    monkeypatch.setattr(pulse, "MOST", 30)  # of the forty of one slot
    beat = await books.beat(None, SLOTS)
    assert beat.first == max(whole.finished) + 1
    history = History()
    history.add(beat)
    assert (history.totals().total(), history.last) == (0, beat.last)


async def test_a_database_without_the_tables_says_what_to_do(postgres_url: str) -> None:
    async with make_pool(postgres_url, "test-console", 2) as pool:
        await pool.wait()
        with pytest.raises(Unavailable, match="run `strongbox migrate up` first"):
            await PostgresPulse(pool).beat(None, SLOTS)


def test_the_rate_is_that_of_the_slots_that_were_seen() -> None:
    history = History()
    assert (history.payments_per_s, history.approved_share, list(history.bars())) == (0.0, None, [])


async def test_pages_of_payments_show_each_once_and_newest_first(books: PostgresPulse, filled: Urls) -> None:
    """Many have the same time: those that ended in one batch."""
    seen: list[RecentPayment] = []
    before = None
    for _ in range(4):
        page = await recent(books, None, before, 25)
        seen += page.payments
        before = page.next
    newest = "SELECT payment_id FROM idempotency_keys ORDER BY finalized_at DESC, payment_id DESC LIMIT 100"
    assert [(payment.id,) for payment in seen] == query(filled.owner_url, newest)
    failed = await recent(books, Status.FAILED, None, 25)
    assert [payment.status for payment in failed.payments] == ["FAILED"] * 25
    assert failed.next == failed.payments[-1].place
    pending = await recent(books, Status.PENDING, None, 25)
    assert (pending.payments, pending.next) == ([], None)


async def test_a_page_of_a_rare_status_goes_on_where_it_has_looked(books: PostgresPulse) -> None:
    page = await recent(books, Status.FAILED, None, 1_000)
    assert 0 < len(page.payments) < 1_000
    assert page.looked_at == LOOKED_AT
    assert page.next is not None
    following = await recent(books, Status.FAILED, page.next, 10)
    assert not {payment.id for payment in page.payments} & {payment.id for payment in following.payments}
    assert (await recent(books, None, (datetime(2000, 1, 1, tzinfo=UTC), UUID(int=0)), 10)).next is None


NOW = datetime.now(UTC)
PLACE = {"at": NOW - timedelta(hours=1), "id": uuid4(), "most": 51}
WINDOW = {"since": NOW - timedelta(seconds=2), "until": NOW, "slot_s": SLOT_S, "most": pulse.MOST}


@pytest.mark.parametrize(
    ("statement", "known", "index"),
    [
        (pulse._COUNTED, WINDOW, "idempotency_keys_finalized"),
        (pulse._COUNTED, WINDOW | {"since": NOW - timedelta(minutes=5)}, "idempotency_keys_finalized"),
        (pulse._FINAL, PLACE, "idempotency_keys_finalized"),
        (pulse._FINAL, PLACE | {"most": LOOKED_AT}, "idempotency_keys_finalized"),
        (pulse._PENDING, PLACE, "payments_pending"),
    ],
    ids=["two seconds", "five minutes", "a page", "a rare status", "pending payments"],
)
def test_a_look_never_reads_a_table_through(filled: Urls, statement: str, known: dict[str, object], index: str) -> None:
    with psycopg.connect(session_url(filled.app_url, "plans"), autocommit=True) as connection:
        begin_session_now(connection, {"plan_cache_mode": "force_custom_plan"})
        rows = connection.execute(f"EXPLAIN {statement}".encode(), known, prepare=True).fetchall()
    plan = "\n".join(line for (line,) in rows)
    assert index in plan, plan
    assert "Seq Scan" not in plan, plan


async def test_what_operators_did_is_read_page_by_page(database: Urls) -> None:
    record, log = PostgresActions(database.app_url, "alice"), PostgresActionLog(database.app_url)
    numbers = [await record.record("test", {"n": n}) for n in range(5)]
    first = await log.newest(None, 3)
    assert [action.number for action in first] == numbers[:1:-1]
    assert (first[0].operator, first[0].action, first[0].details) == ("alice", "test", {"n": 4})
    assert [action.number for action in await log.newest(first[-1].number, 3)] == numbers[1::-1]
    with pytest.raises(Unavailable):
        await PostgresActionLog("postgresql://nobody@127.0.0.1:1/none").newest(None, 3)
