"""The books of wallets, holds and operations in PostgreSQL, with what a test does around them."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4

import psycopg

from app.contexts.funds.adapters.postgres.books import PostgresFundsBooks
from app.contexts.funds.adapters.postgres.fundings import PostgresFundingBooks
from app.contexts.funds.adapters.postgres.invariants import QUERIES
from app.contexts.funds.adapters.postgres.moving_invariants import QUERIES as MOVING
from app.contexts.funds.adapters.postgres.past import PostgresPast
from app.contexts.funds.adapters.postgres.past_invariants import QUERIES as PAST
from app.contexts.funds.application.asked import BulkRequest, Payout, ReceiveRequest, SendRequest
from app.contexts.funds.application.close import Close
from app.contexts.funds.application.desk import Desk
from app.contexts.funds.application.forbid import Forbid
from app.contexts.funds.application.fund import Fund
from app.contexts.funds.application.perform import Perform
from app.contexts.funds.application.receive import Receive
from app.contexts.funds.application.send import Send
from app.contexts.funds.application.send_bulk import SendBulk
from app.contexts.funds.domain.bulk import Bulk, BulkMode
from app.contexts.funds.domain.ids import TransferId
from app.contexts.funds.domain.refusals import BulkRefused
from app.contexts.funds.domain.transfer import CompletedTransfer
from app.contexts.funds.public import Done, HoldId, HoldRef, Outcome
from app.contexts.payments.adapters.postgres.for_funds import PAYMENT_QUERIES
from app.kernel.ids import UserId
from app.kernel.money import Currency
from app.kernel.operation_id import OperationId
from app.kernel.principal import TenantId
from app.kernel.refusals import Refusal
from app.main.local.roles import Urls
from app.platform.idempotency.keys import Answer
from app.platform.postgres.plans import make_planned_pool
from app.platform.postgres.pool import Pool
from app.platform.process.uuid7 import uuid7
from tests.builders import USD, money, user_id
from tests.patience import in_lanes

TENANT = TenantId(UUID(int=1))


def operation(name: str = "step", business: UUID | None = None) -> OperationId:
    return OperationId("market", business or uuid4(), name)


class PlainAnswers:
    """Answers that a test can read."""

    def completed(self, transfer: CompletedTransfer) -> Answer:
        return Answer(201, f"{transfer.id} {transfer.money.amount_minor} {transfer.created_at.isoformat()}".encode())

    def bulk(self, bulk: Bulk) -> Answer:
        return Answer(201, " ".join("done" if isinstance(one, UUID) else one for one in bulk.outcomes).encode())

    def refused(self, refusal: Refusal) -> Answer:
        if isinstance(refusal, BulkRefused):
            return Answer(409, " ".join(f"{index}:{code}" for index, code in refusal.errors).encode())
        return Answer(409, refusal.code.encode())


@dataclass
class Books:
    """The use cases over one pool: bare, and in lanes."""

    pool: Pool
    owner: psycopg.AsyncConnection[Any]
    books: PostgresFundsBooks = field(init=False)

    def __post_init__(self) -> None:
        self.books = PostgresFundsBooks(self.pool, PAYMENT_QUERIES)
        self.perform, self.close, self.forbid = Perform(self.books, uuid7), Close(self.books, uuid7), Forbid(self.books)
        self.send, self.receive = Send(self.books, PlainAnswers(), uuid7), Receive(self.books, PlainAnswers(), uuid7)
        self.send_bulk = SendBulk(self.books, PlainAnswers(), uuid7)
        self.past = PostgresPast(self.pool, PAYMENT_QUERIES)
        self.fund = Fund(PostgresFundingBooks(self.pool, PAYMENT_QUERIES), uuid7).fund
        self.desk = self.make_desk()
        self.perform_one = in_lanes(self.perform, lambda o: o.owner, self.pool)
        self.close_one = in_lanes(self.close, lambda c: c.hold.owner, self.pool)

    def make_desk(self) -> Desk:
        """Funds as another process has them."""
        return Desk(
            in_lanes(self.perform, lambda o: o.owner, self.pool),
            in_lanes(self.forbid, lambda o: o.business_id, self.pool),
            in_lanes(self.close, lambda c: c.hold.owner, self.pool),
        )

    async def user(self, balance_minor: int = 0, currency: Currency = USD) -> UserId:
        """A new user, with a wallet if there is something to be in it."""
        user = user_id()
        if balance_minor:
            await self.fund(user, money(balance_minor, currency), None)
        return user

    async def hold(self, owner: UserId, amount_minor: int, expires_at: Any = None) -> HoldRef:
        """A new hold of the user's."""
        done = await self.desk.hold(operation(), TENANT, owner, money(amount_minor), expires_at)
        return ref(owner, done)

    async def stands(self, user: UserId, currency: Currency = USD) -> tuple[int, int] | None:
        """What the user's wallet can spend, and what is set aside."""
        query = "SELECT current_balance, held FROM wallet_balances WHERE user_id = %s AND currency = %s"
        row = await (await self.owner.execute(query, (user, currency))).fetchone()
        return None if row is None else (row[0], row[1])

    async def all(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        """What the query finds, as the tables' owner."""
        return await (await self.owner.execute(query.encode(), values or None)).fetchall()

    async def waits(self, task: asyncio.Future[Any]) -> None:
        """Wait until somebody waits for a lock in this database: the task has to, before it is done."""
        waiting = (
            "SELECT count(*) FROM pg_locks WHERE NOT granted AND pid IN (SELECT pid FROM pg_locks"
            " WHERE database = (SELECT oid FROM pg_database WHERE datname = current_database()))"
        )
        async with asyncio.timeout(60):
            while await self.all(waiting) == [(0,)]:
                assert not task.done(), "nobody waits for a lock"
                await asyncio.sleep(0.005)

    async def kinds(self, user: UserId) -> list[tuple[str, int]]:
        """The user's movements, oldest first."""
        query = "SELECT kind, amount FROM transactions WHERE user_id = %s ORDER BY created_at, id"
        return [(kind, amount) for kind, amount in await self.all(query, user)]

    async def events(self, subject: UUID) -> list[tuple[str, int]]:
        """What was told of a transfer or a hold, in the order in which it leaves."""
        query = "SELECT type, sequence FROM funds.outbox_events WHERE subject = %s ORDER BY id"
        return [(kind, sequence) for kind, sequence in await self.all(query, subject)]

    async def offenders(self) -> list[str]:
        """All that verify finds of funds."""
        return [line for _, _, query in (*QUERIES, *MOVING, *PAST) for (line,) in await self.all(query)]


def ref(owner: UserId, outcome: Outcome, currency: Currency = USD) -> HoldRef:
    """The hold that an operation has made."""
    assert isinstance(outcome, Done), outcome
    return HoldRef(owner, currency, HoldId(outcome.ids[0]))


def send_request(sender: UserId, recipient: UserId, amount_minor: int = 10, **overrides: Any) -> SendRequest:
    """A request to send, under a key of its own unless one is given."""
    asked: dict[str, Any] = {
        "scope": (sender, f"key-{uuid4()}"),
        "fingerprint": f"{recipient} {amount_minor}".encode(),
        "tenant_id": TENANT,
        "transfer_id": TransferId(uuid7()),
        "sender": sender,
        "recipient": recipient,
        "money": money(amount_minor),
    }
    return SendRequest(**(asked | overrides))


def bulk_request(
    sender: UserId, *payouts: tuple[UserId | None, int], mode: str = "all", **overrides: Any
) -> BulkRequest:
    """A request to send to several, under a key of its own unless one is given."""
    asked: dict[str, Any] = {
        "scope": (sender, f"key-{uuid4()}"),
        "fingerprint": f"{mode} {payouts}".encode(),
        "tenant_id": TENANT,
        "bulk_id": uuid7(),
        "sender": sender,
        "mode": BulkMode(mode),
        "payouts": tuple(Payout(recipient, money(amount)) for recipient, amount in payouts),
    }
    return BulkRequest(**(asked | overrides))


def receive_request(recipient: UserId, amount_minor: int = 10, **overrides: Any) -> ReceiveRequest:
    """A request to pay in, under a key and a reference of its own unless they are given."""
    asked: dict[str, Any] = {
        "scope": (user_id(), f"key-{uuid4()}"),
        "fingerprint": f"{recipient} {amount_minor}".encode(),
        "tenant_id": TENANT,
        "transfer_id": TransferId(uuid7()),
        "recipient": recipient,
        "money": money(amount_minor),
        "reference": f"reference {uuid4()}",
    }
    return ReceiveRequest(**(asked | overrides))


@asynccontextmanager
async def open_books(database: Urls, connections: int = 6) -> AsyncIterator[Books]:
    """The books in a database, as the services' own role sees them."""
    async with make_planned_pool(database.app_url, "moving", connections) as pool:
        await pool.wait()
        async with await psycopg.AsyncConnection.connect(database.owner_url, autocommit=True) as owner:
            yield Books(pool, owner)


def codes(outcomes: Sequence[Any]) -> list[str]:
    """How they ended: the class's name, or the refusal's code."""
    return [getattr(getattr(each, "refusal", None), "code", type(each).__name__) for each in outcomes]
