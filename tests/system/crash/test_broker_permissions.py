"""A user of the broker that may not do all that Strongbox does: what is missing is said by name."""

import asyncio

import pytest

from app.contexts.payments.public import EVENTS
from app.platform.operations import judgement as judge
from app.platform.rabbitmq import topology
from app.platform.rabbitmq.connection import connected
from app.platform.rabbitmq.queues import unconfigurable
from app.platform.rabbitmq.topology import NotPermitted
from tests.system.crash.fragile import Fragile
from tests.system.e2e.house import wait_until


def test_a_permission_that_is_missing_is_named(house: Fragile) -> None:
    house.broker.control("add_user", "reader", "reader")
    house.broker.control("set_permissions", "reader", "^$", ".*", ".*")
    url = house.broker.node.url.replace("guest:guest", "reader:reader")

    async def declare() -> None:
        async with connected([url], "the tests") as connection:
            await topology.declare(await connection.open_channel(), EVENTS)

    with pytest.raises(NotPermitted, match=r"the permission `configure` for payments\.events is missing"):
        asyncio.run(declare())
    missing = {"nobodys.queue": None}
    assert list(asyncio.run(unconfigurable([house.broker.node.url], list(missing)))) == []
    forbidden = asyncio.run(unconfigurable([url], list(missing)))
    assert judge.broker(missing, forbidden).hint == (
        "the broker's user has no permission `configure` for nobodys.queue: nobody can declare them"
    )
    wait_until(lambda: house.broker.depth("audit.queue") == 0, "the queue to be read: nothing of it did any harm")
    house.broker.control("delete_user", "reader")
