"""`strongbox recover` releases what is set aside for no longer, and counts it."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest

from app.main.local.roles import Urls
from app.platform.process.processes import free_port
from tests.funds.moving import Books
from tests.platform.outbox_fixtures import eventually
from tests.system.e2e.house import House


@pytest.mark.parametrize("switched_on", [{}, {"CONTEXTS": "identity,funds", "GATEWAY_URL": ""}], ids=["all", "funds"])
async def test_recovery_releases_holds_when_their_time_is_over(
    switched_on: dict[str, str], books: Books, module_database: Urls, tmp_path: Path
) -> None:
    port = free_port()
    house = House(module_database, "amqp://127.0.0.1:1/", tmp_path, RECOVER_METRICS_PORT=str(port), **switched_on)
    ada, soon = await books.user(100), datetime.now(UTC) + timedelta(seconds=0.5)
    over = [await books.hold(ada, 10, soon) for _ in range(3)]
    await books.hold(ada, 5)
    house.start("recover", "app", "recover")
    try:

        async def are_released() -> bool:
            return await books.stands(ada) == (95, 5)

        async def are_counted() -> bool:
            shown = (await client.get(f"http://127.0.0.1:{port}/metrics")).text.splitlines()
            released = 'strongbox_wallet_transactions_total{kind="RELEASE",status="COMPLETED"} 3.0'
            return {"strongbox_holds_expired_total 3.0", released} <= {*shown}

        await eventually(are_released)
        async with httpx.AsyncClient() as client:
            await eventually(are_counted)  # behind the transaction that has released them
    finally:
        assert house.stop("recover") == 0, house.log("recover")
    assert [await books.events(hold.id) for hold in over] == [[("hold.placed", 1), ("hold.released", 2)]] * 3
