"""Watching an auction: events out of any pieces, over connections that end, each of them once."""

import itertools
from collections.abc import Iterator, Sequence
from typing import Any

import httpx
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as some

from strongbox_client import LiveEvent, Machine, NoAnswer, Patience, UnexpectedAnswer, codes
from strongbox_client.live import Lines
from tests.client.served import EITHER, Asked, in_turn
from tests.client.talking import AT, ID, USER

VIEW = {
    "auction_id": ID, "product_id": ID, "seller_id": USER, "currency": "USD", "starting_price": 100,
    "buy_now_price": None, "reserve_met": True, "current_price": 150, "minimum_bid": 160, "bid_count": 3,
    "leader": "b****2", "status": "live", "starts_at": AT, "ends_at": AT, "version": 7, "order_id": None,
}  # fmt: skip
ENDLESS = "text/event-stream"


def said(id: int, kind: str, **changes: Any) -> bytes:
    data = msgspec.json.encode(VIEW | {"bid_count": id} | changes)
    return b"id: %d\nevent: %s\ndata: %s\n\n" % (id, kind.encode(), data)


WHOLE = b"retry: 10\n\n" + said(3, "state", leading=True) + b":\n\n" + said(4, "bid") + said(5, "ended", status="ended")


def stream(*pieces: bytes, breaks: bool = False) -> httpx.Response:
    def coming() -> Iterator[bytes]:
        yield from pieces
        if breaks:
            raise httpx.ReadError("connection reset")

    class Both(httpx.SyncByteStream, httpx.AsyncByteStream):
        def __iter__(self) -> Iterator[bytes]:
            return coming()

        async def __aiter__(self) -> Any:
            for piece in coming():
                yield piece

    return httpx.Response(200, stream=Both(), headers={"Content-Type": ENDLESS})


def watched(by: Any, service: Asked, after: int | None = None, **how: Any) -> Sequence[LiveEvent]:
    found: Sequence[LiveEvent] = by(service, lambda client: client.auctions.live(ID, after=after), **how)
    return found


def ids(events: Sequence[LiveEvent]) -> list[tuple[int, str]]:
    return [(event.id, event.type) for event in events]


@given(some.lists(some.integers(0, len(WHOLE)), max_size=12))
def test_events_come_out_of_any_pieces(cuts: list[int]) -> None:
    lines, places = Lines(), [0, *sorted(cuts), len(WHOLE)]
    pieces = [WHOLE[one:other] for one, other in itertools.pairwise(places)]
    events = [event for piece in pieces for event in lines.take(piece)]
    assert ids(events) == [(3, "state"), (4, "bid"), (5, "ended")]
    assert [event.data.bid_count for event in events] == [3, 4, 5]
    assert lines.retry_s == 0.01


def test_lines_may_end_as_others_end_them_and_data_go_over_several() -> None:
    (event,) = Lines().take(said(4, "bid").replace(b"\n", b"\r\n"))
    assert (event.id, event.type, event.data.current_price) == (4, "bid", 150)
    data = msgspec.json.format(msgspec.json.encode(VIEW)).replace(b"\n", b"\ndata: ")
    (event,) = Lines().take(b"id: 1\nevent: bid\ndata: " + data + b"\n\n")
    assert event.data.leader == "b****2"


@EITHER
def test_a_stream_ends_with_the_auction(by: Any) -> None:
    service = in_turn(stream(WHOLE, b"id: 6\nevent: bid\n"))
    assert ids(watched(by, service)) == [(3, "state"), (4, "bid"), (5, "ended")]
    assert "last-event-id" not in service.requests[0].headers


@EITHER
def test_connections_that_end_are_made_anew_and_no_event_comes_twice(by: Any) -> None:
    service = in_turn(
        stream(b"retry: 1\n\n" + said(1, "state"), said(2, "bid")[:20]),
        stream(said(2, "bid"), b"id: 3\nevent: b", breaks=True),
        httpx.ConnectError("nobody listens"),
        httpx.Response(503, json={"error": {"code": "UNAVAILABLE", "message": "no", "details": {}}}),
        stream(),
        stream(said(3, "extended") + said(4, "cancelled", status="cancelled")),
    )
    assert ids(watched(by, service)) == [(1, "state"), (2, "bid"), (3, "extended"), (4, "cancelled")]
    assert [each.headers.get("last-event-id") for each in service.requests] == [None, "1", "2", "2", "2", "2"]


@EITHER
def test_one_may_begin_behind_an_event_and_where_there_is_none_left_it_is_over(by: Any) -> None:
    service = in_turn(httpx.Response(204))
    assert watched(by, service, after=5) == []
    assert service.requests[0].headers["last-event-id"] == "5"


@EITHER
def test_a_token_that_ends_meanwhile_is_followed_by_another(by: Any) -> None:
    token = {"token_type": "Bearer", "expires_in": 3600, "scope": ""}
    refused = {"error": {"code": "UNAUTHORIZED", "message": "no", "details": {}}}
    service = in_turn(
        httpx.Response(200, json=token | {"access_token": "t1"}),
        stream(b"retry: 1\n\n" + said(1, "state")),
        httpx.Response(401, json=refused),
        httpx.Response(200, json=token | {"access_token": "t2"}),
        stream(said(2, "ended")),
    )
    assert ids(watched(by, service, credential=Machine("m", "s"))) == [(1, "state"), (2, "ended")]
    assert [each.headers.get("authorization") for each in service.requests] == [
        None, "Bearer t1", "Bearer t1", None, "Bearer t2",
    ]  # fmt: skip


@EITHER
def test_what_will_not_pass_is_told(by: Any) -> None:
    gone = {"error": {"code": "NOT_FOUND", "message": "no", "details": {}}}
    with pytest.raises(codes.NotFound):
        watched(by, in_turn(httpx.Response(404, json=gone)))
    with pytest.raises(UnexpectedAnswer):
        watched(by, in_turn(stream(b"id: 1\nevent: bid\ndata: {}\n\n")))
    with pytest.raises(NoAnswer):
        watched(by, in_turn(*[httpx.ConnectError("nobody listens")] * 99), patience=Patience(deadline_s=0.05))
