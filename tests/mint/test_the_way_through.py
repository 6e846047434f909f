"""From an event that asks for tokens to tokens on a chain, and back to an event that tells: every process is real."""

import asyncio
import signal
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import httpx
import pytest

from app.main.local.roles import Urls
from tests.mint.mint_house import MintHouse
from tests.mint.minting import request
from tests.platform.outbox_fixtures import query
from tests.system.e2e.conftest import without_what_others_left
from tests.system.e2e.house import wait_until


@pytest.fixture
def house(database: Urls, rabbitmq_url: str, tmp_path: Path) -> Iterator[MintHouse]:
    asyncio.run(without_what_others_left(rabbitmq_url))
    house = MintHouse(database, rabbitmq_url, tmp_path, CHAIN_CONFIRMATIONS="3")
    try:
        yield house
    finally:
        house.stop_everything()


def test_tokens_are_on_the_chain_and_it_is_told(house: MintHouse) -> None:
    house.start_minting()
    asked = [request(amount=str(1_000 + nth)) for nth in range(5)]
    house.ask(asked)
    house.all_are_minted(5)
    assert house.supply() == sum(int(one.amount) for one in asked)
    told = "SELECT count(*) FROM mint.outbox_events WHERE type = 'mint.completed' AND sent_at IS NOT NULL"
    wait_until(lambda: query(house.database.app_url, told) == [(5,)], "the events to be relayed")
    assert "holds   every request that came to its end was told once" in house.command("verify")
    shown = house.command("mint", "show", str(asked[0].entry_id))
    assert f"request_id    {asked[0].request_id}" in shown
    assert "status        MINTED" in shown
    counted = 'strongbox_mints_total{result="minted"} 5.0'
    wait_until(lambda: counted in httpx.get(house.mint_metrics_url).text, "all to be counted")
    assert "strongbox_mint_breaker_state 0.0" in httpx.get(house.mint_metrics_url).text
    assert {house.stop(name) for name in ("mint", "relay", "chain", "node")} == {0}


def noted(house: MintHouse, more_than: int) -> bool:
    return sum(house.statuses().values()) > more_than


def test_whatever_is_killed_each_request_is_minted_once(house: MintHouse) -> None:
    """Consumer, adapter, node and relay, each in the midst of it."""
    house.start_minting()
    asked = [request(amount=str(1_000 + nth)) for nth in range(60)]
    for nth, (name, start) in enumerate(
        (
            ("mint", house.start_mint),
            ("chain", house.start_chain),
            ("node", house.start_node),
            ("relay", lambda: house.start("relay", "app", "relay")),
        )
    ):
        some = asked[nth * 15 : nth * 15 + 15]
        house.ask(some)
        wait_until(partial(noted, house, nth * 15), "some of them to be noted")
        assert house.stop(name, signal.SIGKILL) == -signal.SIGKILL
        start()
    house.all_are_minted(60)
    assert house.supply() == sum(int(one.amount) for one in asked)
    assert "BROKEN" not in house.command("verify")
