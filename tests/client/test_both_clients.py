"""The client whose calls answer and the one whose calls are awaited: the same service, the same words, the same end."""

import asyncio
import inspect
import json
import time
from collections.abc import AsyncIterator, Iterator
from typing import Any, assert_type

import httpx
import pytest

from strongbox_client import (
    AsyncClient,
    AsyncPages,
    Client,
    LiveEvent,
    NoAnswer,
    OutcomeUnknown,
    Pages,
    codes,
)
from strongbox_client.operations.orders import Order
from strongbox_client.operations.wallet import OwnWallet, Transfer
from tests.client.offered import operations
from tests.client.served import EITHER, HASTY, QUICK, Asked, in_turn
from tests.client.talking import AT, ID, TRANSFER, USER

ORDER = {
    "order_id": ID, "checkout_id": ID, "buyer_id": USER, "seller_id": ID, "items": [], "total": 5, "fee": 0,
    "currency": "USD", "status": "paid", "payment_ref": None, "tracking": None, "created_at": AT, "updated_at": AT,
}  # fmt: skip


def test_both_offer_the_same_and_say_how_it_is_called() -> None:
    names = [name for name, _ in operations()]
    assert len(names) > 70
    with Client("http://service") as one:
        other = AsyncClient("http://service")
        for name in names:
            resource, method = name.split(".")
            for client in (one, other):
                bound = getattr(getattr(client, resource), method)
                assert bound.__doc__, name
                assert callable(bound)
        asyncio.run(other.close())


@EITHER
def test_a_request_says_what_it_was_told(by: Any) -> None:
    service = in_turn(httpx.Response(201, json=TRANSFER))
    done = by(service, lambda client: client.wallet.send(to="bob", amount=5, currency="USD", key="tea-1"))
    (request,) = service.requests
    assert (request.method, str(request.url)) == ("POST", "http://service/base/v1/wallet/send")
    assert json.loads(request.content) == {"to": "bob", "amount": 5, "currency": "USD"}
    assert request.headers["idempotency-key"] == "tea-1"
    assert request.headers["content-type"] == "application/json"
    assert request.headers["user-agent"].startswith("strongbox-client/")
    assert (str(done.from_), str(done.to)) == (USER, ID)


@EITHER
def test_an_answer_that_is_lost_is_asked_for_with_the_same_key(by: Any) -> None:
    lost = httpx.ReadError("connection reset")
    service = in_turn(lost, httpx.ReadTimeout("late"), httpx.Response(201, json=TRANSFER))
    by(service, lambda client: client.wallet.send(to="bob", amount=5, currency="USD"), patience=QUICK)
    assert len({request.headers["idempotency-key"] for request in service.requests}) == 1
    assert len(service.requests) == 3


@EITHER
def test_lists_are_asked_for_page_by_page_as_far_as_they_are_read(by: Any) -> None:
    def page(request: httpx.Request) -> httpx.Response:
        nth = int(request.url.params.get("cursor", "0"))
        return httpx.Response(200, json={"orders": [ORDER] * 2, "next_cursor": str(nth + 1) if nth < 2 else None})

    service = Asked(page)
    assert len(by(service, lambda client: client.orders.list(as_="seller", limit=2))) == 6
    assert [str(request.url.query, "ascii") for request in service.requests] == [
        "as=seller&limit=2", "as=seller&limit=2&cursor=1", "as=seller&limit=2&cursor=2",
    ]  # fmt: skip
    service = Asked(page)
    pages = by(service, lambda client: client.orders.list(cursor="1").by_page())
    assert [(len(each.items), each.next_cursor) for each in pages] == [(2, "2"), (2, None)]


def test_a_list_that_is_not_read_to_its_end_is_not_asked_for_to_its_end() -> None:
    service = Asked(lambda _: httpx.Response(200, json={"orders": [ORDER], "next_cursor": "more"}))
    with Client("http://service", http=httpx.Client(transport=httpx.MockTransport(service))) as client:
        assert next(iter(client.orders.list())).total == 5
    assert len(service.requests) == 1


@EITHER
def test_who_drips_an_answer_is_not_waited_for(by: Any) -> None:
    drips: list[int] = []

    class Dripping(httpx.SyncByteStream, httpx.AsyncByteStream):
        def __iter__(self) -> Iterator[bytes]:
            for each in range(100):
                time.sleep(0.1)
                drips.append(each)
                yield b" "

        async def __aiter__(self) -> AsyncIterator[bytes]:
            for each in range(100):
                await asyncio.sleep(0.1)
                drips.append(each)
                yield b" "

    service = Asked(lambda _: httpx.Response(201, stream=Dripping()))
    with pytest.raises(OutcomeUnknown) as unknown:
        by(service, lambda client: client.wallet.send(to="bob", amount=5, currency="USD"), patience=HASTY)
    assert isinstance(unknown.value.last, NoAnswer)
    assert drips
    assert max(drips) < 50


@EITHER
def test_an_error_is_a_type_with_what_it_says(by: Any) -> None:
    short = {"currency": "USD", "current_balance": 1, "amount": 5}
    error = {"error": {"code": "INSUFFICIENT_FUNDS", "message": "no", "details": short}}
    service = in_turn(httpx.Response(409, json=error, headers={"X-Request-ID": "r-7"}))
    with pytest.raises(codes.InsufficientFunds) as refused:
        by(service, lambda client: client.wallet.send(to="bob", amount=5, currency="USD"))
    assert (refused.value.currency, refused.value.current_balance, refused.value.amount) == ("USD", 1, 5)
    assert (refused.value.http_status, refused.value.details, refused.value.request_id) == (409, short, "r-7")


@EITHER
def test_what_can_never_be_sent_is_not_tried_again(by: Any) -> None:
    for error in (httpx.UnsupportedProtocol("no scheme"), httpx.LocalProtocolError("illegal header")):
        service = in_turn(error)
        with pytest.raises(type(error)):
            by(service, lambda client: client.wallet.send(to="bob", amount=5, currency="USD"))


@EITHER
def test_one_client_acts_as_many_and_within_any_time(by: Any) -> None:
    service = Asked(lambda _: httpx.Response(503))
    with pytest.raises(OutcomeUnknown):
        by(service, lambda client: client.acting_as(None).within(0.5).wallet.send(to="b", amount=1, currency="USD"))
    assert "authorization" not in service.requests[0].headers


def test_a_type_checker_sees_what_is_answered_and_what_is_awaited() -> None:
    """mypy does: here it is only run."""
    said = {"user_id": USER, "balances": []}
    transport = httpx.MockTransport(
        lambda request: httpx.Response(200, json=said if request.method == "GET" else TRANSFER)
    )

    async def awaited() -> None:
        async with AsyncClient("http://service", http=httpx.AsyncClient(transport=transport)) as client:
            assert_type(client, AsyncClient)
            assert_type(await client.wallet.get(), OwnWallet)
            assert_type(await client.wallet.send(to="bob", amount=1, currency="USD"), Transfer)
            assert_type(client.orders.list(), AsyncPages[Order])
            assert_type(client.auctions.live(ID), AsyncIterator[LiveEvent])

    with Client("http://service", http=httpx.Client(transport=transport)) as client:
        assert_type(client, Client)
        assert_type(client.wallet.get(), OwnWallet)
        assert_type(client.acting_as(None).wallet.send(to="bob", amount=1, currency="USD"), Transfer)
        assert_type(client.orders.list(), Pages[Order])
        assert_type(client.auctions.live(ID), Iterator[LiveEvent])
    asyncio.run(awaited())


def test_what_is_a_method_of_the_client_has_the_signature_that_it_was_written_with() -> None:
    with Client("http://service") as client:
        told = str(inspect.signature(client.orders.ship))
        assert told == "(order_id: uuid.UUID | str, *, tracking: str | None = None) -> " + repr(Order)[8:-2]
    for name, operation in operations():
        parameters = [*inspect.signature(operation.function).parameters.values()]
        by_place = [one for one in parameters[1:] if one.kind is not one.KEYWORD_ONLY]
        in_path = [one for one in operation.arguments if one.where in ("path", "body")]
        assert len(by_place) == len(in_path), name
