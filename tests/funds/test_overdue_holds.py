"""Holds whose time is over are seen until somebody releases them."""

from app.contexts.funds.adapters.postgres.overdue import PostgresOverdue
from app.contexts.funds.application.overdue import Overdue, health_of_holds
from app.platform.operations.health import State
from tests.funds.moving import Books
from tests.funds.test_holds import LATER

AGO = "UPDATE holds SET expires_at = now() - interval '90 s' WHERE id = %s RETURNING 1"


async def test_only_open_holds_whose_time_is_over_are_overdue(books: Books) -> None:
    ada = await books.user(100)
    look = PostgresOverdue(books.pool).overdue
    await books.hold(ada, 10, LATER)
    await books.hold(ada, 10)
    assert await look() == Overdue(0, 0.0)
    over = await books.hold(ada, 10, LATER)
    await books.all(AGO, over.id)
    seen = await look()
    assert seen.count == 1
    assert 90 <= seen.oldest_s < 150
    assert health_of_holds(seen).state is State.DOWN
    assert "strongbox recover" in (health_of_holds(seen).hint or "")
    await books.desk.release(over)
    assert health_of_holds(await look()).state is State.OK


def test_a_hold_that_has_just_ended_is_no_trouble() -> None:
    health = health_of_holds(Overdue(3, 2.0))
    assert (health.state, health.seen) == (State.OK, "3 overdue, the oldest for 2.0 s")
