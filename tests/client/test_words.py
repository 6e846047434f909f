"""What arguments become on the wire, and what words become of answers."""

import datetime
from typing import Any
from uuid import UUID

import msgspec
import pytest

from strongbox_client import UNSET, BaseUnits, UnexpectedAnswer
from strongbox_client.calls import Answer, Call
from strongbox_client.operations.auth import Auth, Role
from strongbox_client.operations.cashback import Cashback
from strongbox_client.operations.catalog import Condition, Products
from strongbox_client.operations.orders import Orders
from strongbox_client.operations.payments import Payments
from strongbox_client.operations.reconciliations import Reconciliations
from strongbox_client.operations.users import Users
from strongbox_client.operations.wallet import TransferOrder, Wallet
from strongbox_client.operations.wallets import TransactionKind, Wallets
from tests.client.talking import AT, ID, USER, ok

NOON = datetime.datetime(2026, 11, 28, 12, tzinfo=datetime.UTC)


def members(call: Call[Any]) -> Any:
    return msgspec.json.decode(call.body or b"null")


def test_what_is_left_out_is_not_sent_and_none_clears_only_where_something_can_be_cleared() -> None:
    assert members(Wallet.send.call(to="bob", amount=1, currency="USD", note=None)) == {
        "to": "bob", "amount": 1, "currency": "USD",
    }  # fmt: skip
    assert members(Auth.change_me.call(phone=None, first_name="Ada")) == {"first_name": "Ada", "phone": None}
    assert members(Auth.change_me.call(phone=UNSET)) == {}
    assert members(Users.change.call(ID, role=Role.SELLER)) == {"role": "seller"}
    assert Orders.complete.call(ID).body is None


def test_members_have_the_names_that_the_service_gives_them() -> None:
    call = Cashback.add_rule.call(
        basis_points=100, currency="USD", from_=NOON, cap_per_user_month=BaseUnits(2**200), min_amount=5
    )
    assert members(call) == {
        "basis_points": 100, "currency": "USD", "from": "2026-11-28T12:00:00Z",
        "cap_per_user_month": str(2**200), "min_amount": 5,
    }  # fmt: skip
    bulk = Wallet.send_bulk.call(
        transfers=[TransferOrder("bob", 5, "USD"), TransferOrder("cleo", 7, "USD", "tea")], mode="each", from_=USER
    )
    assert members(bulk)["transfers"] == [
        {"to": "bob", "amount": 5, "currency": "USD"},
        {"to": "cleo", "amount": 7, "currency": "USD", "note": "tea"},
    ]
    assert members(bulk)["from"] == USER


def test_a_query_says_what_is_looked_for() -> None:
    call = Payments.list.call(status="APPROVED", metadata={"order": "7 a", "till": "3"}, from_=NOON, limit=5)
    assert dict(call.query) == {
        "status": "APPROVED", "metadata.order": "7 a", "metadata.till": "3", "from": "2026-11-28T12:00:00Z",
        "limit": "5",
    }  # fmt: skip
    found = Products.list.call(condition=Condition.LIKE_NEW, in_stock=True, featured=False, seller=UUID(USER))
    assert dict(found.query) == {"condition": "like_new", "in_stock": "true", "featured": "false", "seller": USER}
    assert dict(Orders.list.call(as_="buyer").after("next").query) == {"as": "buyer", "cursor": "next"}


def test_what_stands_in_a_path_stays_one_piece_of_it() -> None:
    assert Orders.ship.call("a/../b?c#d").path == "/v1/orders/a%2F..%2Fb%3Fc%23d/ship"
    assert Orders.ship.call(UUID(ID)).path == f"/v1/orders/{ID}/ship"


def test_versions_are_entity_tags_and_files_are_sent_as_they_are() -> None:
    assert dict(Products.newer.call(ID, than=4).headers) == {"If-None-Match": '"4"'}
    said: dict[str, Any] = {"title": "A cup", "condition": "new", "price": 1, "currency": "USD", "quantity": 1}
    assert dict(Products.replace.call(ID, version=4, **said).headers)["If-Match"] == '"4"'
    call = Reconciliations.run.call(b"type,charge_id\n", date=datetime.date(2026, 11, 28))
    assert (call.body, dict(call.headers)["Content-Type"]) == (b"type,charge_id\n", "text/csv")
    assert call.query == (("date", "2026-11-28"),)


def test_a_word_that_is_new_is_kept_as_it_came() -> None:
    line = {
        "transaction_id": ID, "kind": "GIFT", "direction": "CREDIT", "amount": 5, "currency": "USD",
        "status": "COMPLETED", "balance_after": 5, "payment_id": None, "provider_id": None,
        "external_reference": None, "created_at": AT, "mood": "happy",
    }  # fmt: skip
    page = Wallets.transactions.call(USER).read(ok({"transactions": [line], "next_cursor": None}))
    (found,) = page.items
    assert (found.kind, isinstance(found.kind, TransactionKind)) == ("GIFT", True)
    assert found.kind not in [*TransactionKind]
    assert found.created_at.tzinfo is not None
    line["kind"] = "PAYMENT"
    (found,) = Wallets.transactions.call(USER).read(ok({"transactions": [line], "next_cursor": None})).items
    assert found.kind is TransactionKind.PAYMENT


def test_amounts_of_tokens_are_numbers_of_any_size() -> None:
    most = 2**256 - 1
    said = {"accrued": "0", "minting": str(most), "minted": "1", "debt": "0", "on_chain": None}
    balance = Cashback.balance.call().read(ok(said))
    assert (balance.minting, balance.minting - 1, balance.on_chain) == (most, most - 1, None)
    for wrong in (7, "seven", None):
        with pytest.raises(UnexpectedAnswer):
            Cashback.balance.call().read(ok(said | {"accrued": wrong}))


def test_what_is_the_same_as_before_is_none_and_what_has_no_body_is_nothing() -> None:
    assert Products.newer.call(ID, than=4).read(Answer(304, {}, b"")) is None
    assert Products.remove.call(ID).read(Answer(204, {}, b"")) is None
