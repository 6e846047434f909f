"""Lanes over the real books."""

from typing import Any

from app.platform.postgres.lanes import Lane, Lanes
from tests.payments.conftest import PostgresHouse


def lanes_of(house: PostgresHouse) -> Lanes[Any, Any]:
    def lane() -> Lane[Any, Any]:
        return Lane(house.reserve, size=64, queue_limit=256, on_lost=house.pool.check)

    return Lanes(lambda request: request.user_id, lane(), lane())
