"""GET /v1/auctions/{id}/live, over a real socket and a real database."""

import threading
import time
from collections.abc import Callable, Sequence
from uuid import uuid4

import pytest

from app.contexts.auctions.domain.auction import Auction, Phase
from tests.api_answers import check_documented
from tests.api_harness import error
from tests.auctions.gallery import Gallery, at_once, gallery
from tests.auctions.hammer import MAXIMUM, RESERVE
from tests.auctions.watched import Seen, events_of, live, watch
from tests.fakes.people import Somebody
from tests.pace import slow

__all__ = ["gallery"]


def watching(gallery: Gallery, auction: Auction, somebody: Somebody | None = None) -> Callable[[], Sequence[Seen]]:
    """Watch in the background from here on; the function waits for the end, and says what was told."""
    began, seen = threading.Event(), list[Seen]()

    def follow() -> None:
        text = ""
        shown = somebody.bearer if somebody else {}
        with gallery.served.client(headers=shown) as client, client.stream("GET", live(auction.id)) as answer:
            for piece in answer.iter_text():
                began.set()
                text += piece
        seen.extend(events_of(text))

    thread = threading.Thread(target=follow)
    thread.start()
    assert began.wait(60)

    def ended() -> Sequence[Seen]:
        thread.join(slow(60))
        assert not thread.is_alive()
        return seen

    return ended


def test_anybody_is_told_all_that_happens_each_once_with_ids_without_a_gap(gallery: Gallery) -> None:
    auction = at_once(gallery.hammer.bid(at_once(gallery.hammer.opened())))
    ended = watching(gallery, auction)
    auction = at_once(gallery.hammer.bid(auction, 3))
    at_once(gallery.hammer.closed(auction))
    seen = ended()
    assert [(each.id, each.kind) for each in seen] == [
        (2, "state"), (3, "bid"), (4, "bid"), (5, "bid"), (6, "ended"),
    ]  # fmt: skip
    assert [each.data["version"] for each in seen] == [2, 3, 4, 5, 6]
    assert [each.data["bid_count"] for each in seen] == [1, 2, 3, 4, 4]
    assert [each.data["status"] for each in seen] == ["live"] * 4 + ["ended"]
    assert seen[-1].data["leader"] == "b****1"
    assert {each.data["auction_id"] for each in seen} == {str(auction.id)}


def test_an_extension_is_told_behind_its_bid_and_a_cancellation_is_the_end(gallery: Gallery) -> None:
    opened = at_once(gallery.hammer.opened())
    auction = at_once(gallery.hammer.opened(extend=opened.ends_at - opened.starts_at))
    ended = watching(gallery, auction)
    auction = at_once(gallery.hammer.bid(auction))
    at_once(gallery.hammer.closed(auction, Phase.CANCELLED))
    assert [(each.id, each.kind) for each in ended()] == [(1, "state"), (2, "bid"), (3, "extended"), (4, "cancelled")]


def test_the_answer_is_documented_and_tells_when_to_come_back(gallery: Gallery) -> None:
    auction = at_once(gallery.hammer.closed(at_once(gallery.hammer.opened())))
    answer = gallery.client.get(live(auction.id))
    assert answer.headers["content-type"] == "text/event-stream"
    assert answer.text.startswith("retry: 1000\n\nid: 2\nevent: state\n")
    document = gallery.client.get("/openapi.json").json()
    described = document["paths"]["/v1/auctions/{id}/live"]["get"]["responses"]
    assert {"200", "204", "401", "404"} <= described.keys()
    assert list(described["200"]["content"]) == ["text/event-stream"]
    check_documented(document, "GET", live(auction.id), 200, answer.headers, answer.content)
    nothing = gallery.client.get(live(auction.id), headers={"Last-Event-ID": "2"})
    check_documented(document, "GET", live(auction.id), 204, nothing.headers, nothing.content)


def test_behind_the_last_event_there_is_nothing_to_come_back_for(gallery: Gallery) -> None:
    auction = at_once(gallery.hammer.closed(at_once(gallery.hammer.bid(at_once(gallery.hammer.opened())))))
    over = gallery.client.get(live(auction.id), headers={"Last-Event-ID": "3"})
    assert (over.status_code, over.content) == (204, b"")
    assert [each.kind for each in watch(gallery.client, auction.id)] == ["state"]
    assert [(each.id, each.kind) for each in watch(gallery.client, auction.id, 1)] == [(2, "bid"), (3, "ended")]


@pytest.mark.parametrize("last", ["4", "-1", "x", "", "1, 2", "99999999999999999999"])
def test_an_id_that_is_unknown_is_as_none(gallery: Gallery, last: str) -> None:
    auction = at_once(gallery.hammer.closed(at_once(gallery.hammer.bid(at_once(gallery.hammer.opened())))))
    text = gallery.client.get(live(auction.id), headers={"Last-Event-ID": last}).text
    assert [(each.id, each.kind) for each in events_of(text)] == [(3, "state")]


def test_before_it_begins_it_is_refused_like_any_request(gallery: Gallery) -> None:
    auction = at_once(gallery.hammer.opened())
    error(gallery.client.get(live(uuid4())), 404, "NOT_FOUND")
    error(gallery.client.get("/v1/auctions/x/live"), 400, "VALIDATION_ERROR")
    error(gallery.client.get(live(auction.id), headers={"Authorization": "Bearer nobody"}), 401, "UNAUTHORIZED")
    error(gallery.client.get(live(auction.id), headers={"Host": "other.example"}), 404, "NOT_FOUND")
    error(gallery.client.post(live(auction.id)), 405, "METHOD_NOT_ALLOWED")
    head = gallery.client.head(live(auction.id))
    assert (head.status_code, head.headers["content-type"], head.content) == (200, "text/event-stream", b"")


def test_nobody_is_told_a_maximum_a_reserve_or_who_bids(gallery: Gallery) -> None:
    hammer = gallery.hammer
    auction = at_once(hammer.opened(reserve_price_minor=RESERVE))
    ended = watching(gallery, auction)
    auction = at_once(hammer.bid(at_once(hammer.bid(auction, max_minor=MAXIMUM)), 2))
    at_once(hammer.closed(auction))
    told = repr(ended())
    told += gallery.client.get(live(auction.id), headers={"Last-Event-ID": "0"}).text
    for secret in (MAXIMUM, RESERVE, *hammer.bidders):
        assert str(secret) not in told
    assert "b****1" in told


def test_with_the_log_in_it_ends_within_a_second_and_for_others_it_goes_on(gallery: Gallery) -> None:
    somebody = gallery.people.user()
    auction = at_once(gallery.hammer.opened())
    ended, others = watching(gallery, auction, somebody), watching(gallery, auction)
    began = time.monotonic()
    gallery.people.forget(somebody)
    assert [each.kind for each in ended()] == ["state"]
    assert time.monotonic() - began < slow(1)
    error(gallery.client.get(live(auction.id), headers=somebody.bearer), 401, "UNAUTHORIZED")
    at_once(gallery.hammer.closed(auction))
    assert [each.kind for each in others()] == ["state", "ended"]


def test_who_breaks_off_goes_on_behind_what_was_told(gallery: Gallery) -> None:
    auction = at_once(gallery.hammer.opened())
    seen: list[Seen] = []
    for _ in range(5):
        auction = at_once(gallery.hammer.bid(auction, 7))
        seen += watch(gallery.client, auction.id, seen[-1].id if seen else 0, until=auction.last_event_id)
    assert [each.id for each in seen] == list(range(2, auction.last_event_id + 1))
