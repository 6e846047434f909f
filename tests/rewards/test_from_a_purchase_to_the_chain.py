"""From what somebody buys and pays to tokens at their address, and back to their balance: every process is real."""

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from argon2 import PasswordHasher
from eth_account import Account

from app.main.local.roles import Urls
from tests.mint.mint_house import MintHouse
from tests.system.e2e.conftest import without_what_others_left
from tests.system.e2e.house import body, wait_until
from tests.system.e2e.people import PASSWORD, SignedIn, admin, log_in, machine


class CashbackHouse(MintHouse):
    """All that takes part."""

    def start_everything(self) -> None:
        """Start it."""
        self.start_minting()
        self.start("rewards", "consumers", "rewards")
        self.start("audit", "consumers", "audit")
        self.start_gateway()
        self.start_api()
        self.command("provider", "add", "Acme", "--id", str(self.provider_id))

    def newcomer(self, user_id: UUID) -> SignedIn:
        """Whose wallet that is comes to be a user, with an address."""
        email, address = f"{uuid4().hex}@example.com", Account.create().address
        line = {
            "user_id": str(user_id), "email": email, "password_hash": PasswordHasher().hash(PASSWORD),
            "wallet_address": address.lower(),
        }  # fmt: skip
        (self.folder / "people.jsonl").write_text(json.dumps(line) + "\n")
        self.command("user", "import", "people.jsonl")
        return SignedIn(self, str(user_id), None, log_in(self, email))


@pytest.fixture
def house(database: Urls, rabbitmq_url: str, tmp_path: Path) -> Iterator[CashbackHouse]:
    asyncio.run(without_what_others_left(rabbitmq_url))
    house = CashbackHouse(database, rabbitmq_url, tmp_path, CHAIN_CONFIRMATIONS="3")
    try:
        yield house
    finally:
        house.stop_everything()


def balance(who: SignedIn) -> tuple[int | None, ...]:
    """Accrued, minting, minted, debt, and what the chain says."""
    told = body(who.ask("GET", "/v1/cashback/balance"), 200)
    return tuple(
        None if told[name] is None else int(told[name]) for name in ("accrued", "minting", "minted", "debt", "on_chain")
    )


def wait_for(who: SignedIn, wanted: tuple[int | None, ...]) -> None:
    last: list[Any] = []

    def is_there() -> bool:
        last[:] = [balance(who)]
        return last == [wanted]

    try:
        wait_until(is_there, f"a balance of {wanted}")
    except AssertionError as error:
        raise AssertionError(f"it is {last} at last, not {wanted}") from error


def test_what_is_bought_and_paid_is_minted_once_and_a_refund_is_owed(house: CashbackHouse) -> None:
    house.start_everything()
    rule = {"basis_points": 100, "currency": "USD"}
    body(admin(house).ask("POST", "/v1/rewards/rules", json=rule), 201)
    user_id = house.wallet(10_000)
    house.paid(user_id, 2_000)  # whose that is nobody has told yet
    parked = "SELECT count(*) FROM rewards.parked_events WHERE user_id = %s"
    wait_until(lambda: house.query(parked, user_id) == [(1,)], "the payment to wait for its user")
    dora = house.newcomer(user_id)
    wait_for(dora, (0, 0, 200_000, 0, 200_000))
    till = machine(house, "purchases:write")
    bought = {
        "user_id": dora.id, "merchant": "lamps", "external_reference": "1", "amount": 1_000, "currency": "USD",
    }  # fmt: skip
    purchase = body(till.ask("POST", "/v1/purchases", json=bought, headers={"Idempotency-Key": "1"}), 201)
    assert purchase["cashback"]["status"] == "MINTING"
    wait_for(dora, (0, 0, 300_000, 0, 300_000))
    path = f"/v1/purchases/{purchase['purchase_id']}/refund"
    body(till.ask("POST", path, json={"reference": "r"}, headers={"Idempotency-Key": "2"}), 201)
    wait_for(dora, (0, 0, 300_000, 100_000, 300_000))  # the chain may be asked in vain
    house.paid(user_id, 3_000)
    wait_for(dora, (0, 0, 500_000, 0, 500_000))
    assert house.supply() == 500_000
    story = house.command("cashback", "show", dora.id, "--entry", purchase["cashback"]["entry_id"])
    assert "MINTED 100000" in story
    assert "REVERSED 100000, 100000 of it owed" in story
    wait_until(house.quiet, "everything to be sent and audited")
    assert "BROKEN" not in house.command("verify")
    house.stop("chain")
    assert balance(dora) == (0, 0, 500_000, 0, None)
    assert {house.stop(name) for name in ("rewards", "api", "relay", "mint")} == {0}
