"""A user of the broker that may not do all that Strongbox does: what is missing is said by name."""

import asyncio

import pytest

from app.adapters.rabbitmq import topology
from app.adapters.rabbitmq.connection import connected
from app.adapters.rabbitmq.queues import unconfigurable
from app.adapters.rabbitmq.topology import NotPermitted
from app.application.status import judge
from tests.crash.fragile import Fragile


def test_a_permission_that_is_missing_is_named(house: Fragile) -> None:
    house.broker.control("add_user", "reader", "reader")
    house.broker.control("set_permissions", "reader", "^$", ".*", ".*")
    url = house.broker.node.url.replace("guest:guest", "reader:reader")

    async def declare() -> None:
        async with connected([url], "the tests") as connection:
            await topology.declare(await connection.open_channel())

    with pytest.raises(NotPermitted, match=r"the permission `configure` for payments\.events is missing"):
        asyncio.run(declare())
    missing = {"nobodys.queue": None}
    assert list(asyncio.run(unconfigurable([house.broker.node.url], list(missing)))) == []
    forbidden = asyncio.run(unconfigurable([url], list(missing)))
    assert judge.broker(missing, forbidden).hint == (
        "the broker's user has no permission `configure` for nobodys.queue: nobody can declare them"
    )
    assert house.broker.depth("audit.queue") == 0, "nothing of it did any harm"
    house.broker.control("delete_user", "reader")
