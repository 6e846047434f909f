"""Statements of one round trip as one transaction, which neither BEGIN nor COMMIT stands around."""

from collections.abc import AsyncIterator

import psycopg
import pytest
from psycopg import AsyncConnection

from app.main.local.roles import Urls
from app.platform.postgres.pipeline import Statement
from app.platform.postgres.pool import lock_patience_ms
from app.platform.postgres.transactions import at_once

COUNT = Statement("SELECT count(*) FROM pg_temp.noted")
FAIL = Statement("SELECT 1 / 0")
INSERT = Statement("INSERT INTO pg_temp.noted VALUES (%b::bigint)")
SETTING = Statement("SELECT current_setting('app.current_tenant', true)")


@pytest.fixture
async def connection(module_database: Urls) -> AsyncIterator[AsyncConnection]:
    async with await AsyncConnection.connect(module_database.app_url, autocommit=True) as opened:
        await opened.execute("CREATE TEMP TABLE noted (n bigint UNIQUE DEFERRABLE INITIALLY DEFERRED)")
        yield opened


async def noted(connection: AsyncConnection) -> int:
    ((count,),) = (await at_once(connection, [(COUNT, ())], plan_anew=False))[0]
    return int(count)


@pytest.mark.parametrize("plan_anew", [False, True])
async def test_all_of_it_happens(connection: AsyncConnection, plan_anew: bool) -> None:
    rows = await at_once(connection, [(INSERT, (1,)), (INSERT, (2,)), (COUNT, ())], plan_anew=plan_anew)
    assert rows == [[], [], [(2,)]]
    assert connection.info.transaction_status == psycopg.pq.TransactionStatus.IDLE
    assert await noted(connection) == 2


async def test_or_nothing_of_it_and_the_connection_goes_on(connection: AsyncConnection) -> None:
    with pytest.raises(psycopg.errors.DivisionByZero):
        await at_once(connection, [(INSERT, (1,)), (FAIL, ()), (INSERT, (2,))], plan_anew=False)
    assert connection.info.transaction_status == psycopg.pq.TransactionStatus.IDLE
    assert await noted(connection) == 0


async def test_what_fails_only_at_the_end_is_an_error_too(connection: AsyncConnection) -> None:
    """A rule that is looked at when all is done: nothing of it stands, and nobody is told that it does."""
    with pytest.raises(psycopg.Error):
        await at_once(connection, [(INSERT, (1,)), (INSERT, (1,))], plan_anew=False)


async def test_a_setting_of_it_is_over_with_it(connection: AsyncConnection) -> None:
    setting = Statement("SELECT set_config('app.current_tenant', %b::text, true)")
    patience = lock_patience_ms.set(50)
    locks = Statement("SELECT current_setting('lock_timeout')")
    (_, *rows) = await at_once(connection, [(setting, ("a",)), (SETTING, ()), (locks, ())], plan_anew=False)
    lock_patience_ms.reset(patience)
    assert rows == [[("a",)], [("50ms",)]]
    assert await at_once(connection, [(SETTING, ())], plan_anew=False) == [[("",)]]
