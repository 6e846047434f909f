"""Books written by the use cases, a copy of them for each test, and the command line on it."""

import asyncio
import os
import pty
import subprocess
import sys
import uuid
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest

from app.contexts.payments.adapters.http.answers import HttpAnswers
from app.contexts.payments.adapters.postgres.books import PostgresBooks
from app.contexts.payments.application.reserve import Reserve, Reserved
from app.contexts.payments.application.settle import Settle, Settlement
from app.contexts.payments.domain.outcome import Approved, Declined, FailureCode, NotSent, Outcome, Voided
from app.main.local.roles import Urls, make_database
from app.platform.messaging.inbox_database import Database
from app.platform.postgres.pool import make_pool
from app.platform.process.uuid7 import uuid7
from consumers.audit import Audit
from tests import forks
from tests.builders import money, payment_request
from tests.conftest import MakeDatabase


def strongbox(database: Urls, *words: str, **settings: str) -> "subprocess.CompletedProcess[str]":
    environment = {"DATABASE_URL": database.app_url, "PATH": os.environ["PATH"], **settings}
    return forks.run(("app", *words), Path.cwd(), environment)


@pytest.fixture(scope="module")
def written(make_fresh_database: MakeDatabase) -> Urls:
    """A database with five payments (approved, declined, pending, failed twice), their events in the audit trail."""
    database = make_fresh_database()
    user, provider = uuid.uuid4(), uuid.uuid4()
    assert strongbox(database, "provider", "add", "Acme", "--id", str(provider)).returncode == 0
    assert strongbox(database, "wallet", "fund", str(user), "USD", "1000", "--reference", "r").returncode == 0
    asyncio.run(write(database, user, provider))
    return database


async def write(database: Urls, user: uuid.UUID, provider: uuid.UUID) -> None:
    late = NotSent(FailureCode.DEADLINE_EXCEEDED)
    outcomes: list[Outcome | None] = [Approved(), Declined('"NO"'), None, Voided(FailureCode.GATEWAY_ERROR), late]
    async with make_pool(database.app_url, "test", 2) as pool:
        await pool.wait()
        reserve = Reserve(PostgresBooks(pool), HttpAnswers(), uuid7)
        settle = Settle(PostgresBooks(pool), HttpAnswers(), uuid7)
        for nth, outcome in enumerate(outcomes):
            what = {"money": money(10), "external_reference": 'a "b" \\u0000/é😀'}
            request = payment_request(user_id=user, provider_id=provider, key=f"key-{nth}", **what)
            (reserved,) = await reserve([request])
            assert isinstance(reserved, Reserved)
            if outcome is not None:
                await settle([Settlement(reserved.payment, outcome)])
    async with await psycopg.AsyncConnection.connect(database.app_url) as connection:
        rows = await (await connection.execute("SELECT payload::text FROM outbox_events ORDER BY id")).fetchall()
    await audit_all(Database(database.app_url, "test"), [document.encode() for (document,) in rows])


@pytest.fixture
def database(written: Urls, postgres_url: str) -> Urls:
    """A copy of it."""
    template = urlsplit(written.app_url).path[1:]
    name = f"copy_{uuid.uuid4().hex}"
    make_database(postgres_url, name, template)
    return Urls(*(url.removesuffix(template) + name for url in written))


@pytest.fixture
async def books(database: Urls) -> AsyncIterator[psycopg.AsyncConnection]:
    """The owner's connection to the copy."""
    async with await psycopg.AsyncConnection.connect(database.owner_url, autocommit=True) as owner:
        yield owner


async def audit_all(database: Database, documents: list[bytes]) -> None:
    await Audit(database)(documents)
    await database.close()


def on_a_terminal(database: Urls, *words: str) -> str:
    """What a command writes to its standard error when that is a terminal."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "app", *words],
        env={"DATABASE_URL": database.app_url, "PATH": os.environ["PATH"]}, stdout=subprocess.DEVNULL, stderr=theirs,
    )  # fmt: skip
    os.close(theirs)
    shown = b""
    with suppress(OSError):  # EIO: nobody has the other end any more
        while piece := os.read(ours, 4096):
            shown += piece
    os.close(ours)
    assert process.wait(300) == 0
    return shown.decode()
