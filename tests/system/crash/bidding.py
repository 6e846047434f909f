"""A bid that may be killed at any point: an auction in which somebody leads, who outbids, and what comes of it."""

import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final, NamedTuple

import httpx

from app.kernel.principal import Role
from tests.system.crash.deeds import Place, wallet_of
from tests.system.crash.fragile import Fragile
from tests.system.crash.trade import ask, insist, product, seen
from tests.system.e2e.crowd import Person, people
from tests.system.e2e.house import body, wait_until

LIMIT_S: Final = 90.0
MONEY: Final = "strongbox-move: COMMIT"
INTENT, BID, STRUCK_OUT = (
    rf"strongbox-auctions: \s*{said}"
    for said in ("INSERT INTO auctions.intents", "UPDATE auctions.auctions", "DELETE FROM auctions.returns")
)
"""What the API says last of all, together with the COMMIT, in each step of a bid."""


class State(NamedTuple):
    """What has become of an auction, and of the money of the two who bid in it."""

    bids: list[tuple[int, uuid.UUID, bool]]
    """Sequence, bidder, and whether that led."""
    leads: tuple[uuid.UUID, int]
    """Who, up to how much."""
    price: int
    events: list[str]
    """As watchers are told of them."""
    wallets: tuple[Any, Any]
    """Of who led and of who outbids: what can be spent, and what is set aside."""
    half_done: int


@dataclass(frozen=True)
class Contest:
    """Somebody leads with 200 of the 1000 that they have; somebody else with as much bids 125, and up to 400."""

    house: Fragile
    auction: str
    first: Person
    second: Person
    key: str = field(default_factory=lambda: str(uuid.uuid4()))

    def bid(self, place: Place | None = None, key: str | None = None) -> httpx.Response:
        """Outbid, by the one key, if no other is given."""
        return self.bid_of(self.second, 125, 400, key or self.key, place)

    def bid_of(
        self, who: Person, amount: int, most: int, key: str | None = None, place: Place | None = None
    ) -> httpx.Response:
        """A bid of one of them."""
        headers = {"Idempotency-Key": key or str(uuid.uuid4())}
        asked = {"amount": amount, "max_amount": most}
        return ask(self.house, who, "POST", f"/v1/auctions/{self.auction}/bids", place, json=asked, headers=headers)

    def insist(self, place: Place | None = None) -> httpx.Response:
        """Ask until it is known what became of it."""
        return insist(lambda: self.bid(place))

    def stored(self) -> list[tuple[int | None]]:
        """The status that is stored with the key, if it is anybody's."""
        find = "SELECT response_status FROM v1_idempotency_keys WHERE user_id = %s AND key = %s"
        return seen(self.house, find, self.second.id, self.key)

    def stands(self) -> State:
        """What has become of it."""
        house, auction = self.house, self.auction
        bids = "SELECT sequence, user_id, leads FROM auctions.bids WHERE auction_id = %s ORDER BY sequence"
        ((leader, most, price),) = seen(
            house, "SELECT leader_id, leader_max, price FROM auctions.auctions WHERE id = %s", auction
        )
        events = "SELECT type FROM auctions.events WHERE auction_id = %s ORDER BY event_id"
        half_done = (
            "SELECT (SELECT count(*) FROM auctions.intents WHERE auction_id = %s)"
            " + (SELECT count(*) FROM auctions.returns WHERE auction_id = %s)"
        )
        return State(
            seen(house, bids, auction),
            (leader, most),
            price,
            [type_ for (type_,) in seen(house, events, auction)],
            (wallet_of(house, self.first), wallet_of(house, self.second)),
            seen(house, half_done, auction, auction)[0][0],
        )

    @property
    def before(self) -> State:
        """Before anybody outbids."""
        first = self.first.id
        return State([(1, first, True)], (first, 200), 100, ["opened", "bid"], ((800, 200), (1_000, 0)), 0)

    @property
    def outbid(self) -> State:
        """Once the bid counts, and nothing of it is left to be done."""
        first, second = self.first.id, self.second.id
        bids = [(1, first, True), (2, second, True)]
        return State(bids, (second, 400), 225, ["opened", "bid", "bid"], ((1_000, 0), (600, 400)), 0)

    def wait_until_over(self) -> None:
        """Wait until whoever recovers has seen to what is half done."""
        wait_until(lambda: self.stands().half_done == 0, "the end of what is half done", LIMIT_S)


def a_contest(house: Fragile) -> Contest:
    """A new one, of people who are new."""
    (seller,) = people(house, 1, role=Role.SELLER)
    first, second = people(house, 2, 1_000)
    ends_at = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    about = {"product_id": product(house, seller, 400), "starting_price": 100, "currency": "USD", "ends_at": ends_at}
    opened = insist(lambda: ask(house, seller, "POST", "/v1/auctions", json=about))
    contest = Contest(house, str(body(opened, 201)["auction_id"]), first, second)
    key = str(uuid.uuid4())
    assert body(insist(lambda: contest.bid_of(first, 100, 200, key)), 201)["leading"]
    return contest


def all_is_well(house: Fragile) -> None:
    """Nothing is under way or unsent; whatever can be verified holds."""
    wait_until(lambda: _at_rest(house), "the auctions to be at rest", LIMIT_S)
    house.verify()


def _at_rest(house: Fragile) -> bool:
    left = (
        "SELECT (SELECT count(*) FROM auctions.intents) + (SELECT count(*) FROM auctions.returns)"
        " + (SELECT count(*) FROM auctions.outbox_events o LEFT JOIN audit.events a USING (event_id)"
        "    WHERE o.sent_at IS NULL OR a.event_id IS NULL)"
    )
    return bool(seen(house, left) == [(0,)])
