"""A database that is not UTF-8 is refused by name, by whatever would use it."""

from uuid import uuid4

import psycopg
import pytest

from app.main import databases
from app.main.local.roles import OWNER, Urls
from app.platform.messaging.inbox_database import Database, DatabaseAway
from app.platform.postgres import migrations
from app.platform.postgres.home import MigrationError
from tests.platform.copying import problems, start


def test_a_database_that_is_not_utf8_is_refused_by_name(postgres_url: str, database: Urls) -> None:
    for encoding in ("LATIN1", "SQL_ASCII"):
        other = made_in(postgres_url, encoding)
        named = f"{other.owner_url.rpartition('/')[2]} is encoded in {encoding}"
        for url, consumers_url in ((other.owner_url, other.owner_url), (database.owner_url, other.owner_url)):
            with pytest.raises(MigrationError, match=named):
                migrations.up(databases.at(url, consumers_url))
        with psycopg.connect(other.owner_url) as connection:
            assert connection.execute("SELECT count(*) FROM pg_class WHERE relname LIKE '%yoyo%'").fetchone() == (0,)
        refused = start(other)  # at once: nobody waits for it to become another one
        assert (refused.returncode, f"encoding: {encoding}" in refused.stderr) == (1, True)
        assert "Traceback" not in refused.stderr


async def test_neither_readiness_nor_a_consumer_takes_a_database_that_is_not_utf8(postgres_url: str) -> None:
    other = made_in(postgres_url, "LATIN1")
    said = "LATIN1, which does not hold every text: it has to be UTF8"
    assert await problems(other) == {"encoding": said}
    consumer = Database(other.app_url, "test")
    with pytest.raises(DatabaseAway, match=said):
        async with consumer.connection():
            pass
    await consumer.close()


def made_in(postgres_url: str, encoding: str) -> Urls:
    """A database of the owner's in an encoding, and its name."""
    name = f"{encoding.lower()}_{uuid4().hex[:8]}"
    with psycopg.connect(postgres_url, autocommit=True) as superuser:
        superuser.execute(
            f"CREATE DATABASE {name} TEMPLATE template0 OWNER {OWNER} ENCODING '{encoding}' LOCALE 'C'".encode()
        )
    url = f"{postgres_url.rpartition('/')[0]}/{name}"
    return Urls(url, url)
