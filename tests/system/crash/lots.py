"""An auction that may be killed at any point: somebody leads it, somebody else may buy it, and what became of it."""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final, NamedTuple

import httpx

from app.kernel.principal import Role
from tests.system.crash.deeds import COMMITTED, Place, wallet_of
from tests.system.crash.fragile import Fragile
from tests.system.crash.proxy import Then
from tests.system.crash.trade import LIMIT_S, ask, insist, product, seen
from tests.system.e2e.crowd import Person, people
from tests.system.e2e.house import body, wait_until

# What is said last of all, together with the COMMIT, in each step.
AUCTION: Final = r"strongbox-auctions: \s*UPDATE auctions.auctions"
MONEY: Final = "strongbox-move: COMMIT"
STOCK: Final = r"strongbox-stock: \s*UPDATE catalog.reservation_lines"
SOLD: Final = r"strongbox-checkout: \s*INSERT INTO ordering.orders"
ENDING: Final = {"1 decided": AUCTION, "2 money": MONEY, "3 stock": STOCK, "4 order": SOLD, "5 over": AUCTION}
BUYING: Final = {
    "1 intent": r"strongbox-auctions: \s*INSERT INTO auctions.intents",
    "2 hold": MONEY,
    "3 decided": AUCTION,
    "4 stock": STOCK,
    "5 order": SOLD,
    "6 over": AUCTION,
}
CANCELLING: Final = {"1 decided": AUCTION, "2 money": MONEY, "3 stock": STOCK, "4 over": AUCTION}
OPENING: Final = {
    "1 intent": "strongbox-auctions: COMMIT",
    "2 stock": r"strongbox-stock: \s*INSERT INTO catalog.reservation_lines",
    "3 open": r"strongbox-auctions: \s*INSERT INTO auctions.auctions",
}


class Lot(NamedTuple):
    """What has become of an auction."""

    phase: str
    orders: list[tuple[str, int]]
    """Of both who bid."""
    leader: tuple[Any, ...] | None
    """The wallet of who leads: what can be spent, and what is set aside."""
    other: tuple[Any, ...] | None
    stock: tuple[int, int, int]
    """What is left of the product, what of it is reserved, and what is sold."""


LED: Final = Lot("open", [], (600, 400), (1_000, 0), (5, 1, 0))
ENDED: Final = Lot("ended", [("paid", 100)], (900, 100), (1_000, 0), (4, 0, 1))
BOUGHT: Final = Lot("ended", [("paid", 500)], (1_000, 0), (500, 500), (4, 0, 1))
CANCELLED: Final = Lot("cancelled", [], (1_000, 0), (1_000, 0), (5, 0, 0))


@dataclass(frozen=True)
class Auction:
    """One of five lamps, from 100, or at once for 500. Ann leads at 100, up to 400; Bob has 1000."""

    house: Fragile
    seller: Person
    ann: Person
    bob: Person
    lamp: str
    id: str
    key: str = field(default_factory=lambda: str(uuid.uuid4()))

    def buy(self, place: Place | None = None) -> httpx.Response:
        """Have Bob ask for it, by the one key."""
        headers = {"Idempotency-Key": self.key}
        return ask(self.house, self.bob, "POST", f"/v1/auctions/{self.id}/buy", place, headers=headers)

    def cancel(self, who: Person, place: Place | None = None) -> httpx.Response:
        """Call it off."""
        return ask(self.house, who, "POST", f"/v1/auctions/{self.id}/cancel", place)

    def end(self) -> None:
        """Let its end come, and whatever was bid be as much longer ago."""
        by = "interval '2 hours'"
        with self.house.as_superuser() as session:
            session.execute(
                f"UPDATE auctions.bids SET created_at = created_at - {by}, ends_at = ends_at - {by}"
                " WHERE auction_id = %s".encode(),
                (self.id,),
            )
            session.execute(
                f"UPDATE auctions.auctions SET starts_at = starts_at - {by}, planned_end = planned_end - {by},"
                f" ends_at = ends_at - {by} WHERE id = %s".encode(),
                (self.id,),
            )

    def stands(self) -> Lot:
        """What has become of it."""
        house = self.house
        ((phase,),) = seen(house, "SELECT status FROM auctions.auctions WHERE id = %s", self.id)
        orders = "SELECT status, total FROM ordering.orders WHERE user_id = ANY(%s)"
        of_lamps = "SELECT quantity, reserved, sold FROM catalog.products WHERE id = %s"
        return Lot(
            phase,
            seen(house, orders, [self.ann.id, self.bob.id]),
            wallet_of(house, self.ann),
            wallet_of(house, self.bob),
            seen(house, of_lamps, self.lamp)[0],
        )

    def comes_to(self, lot: Lot) -> None:
        """Wait until it has come to that."""
        wait_until(lambda: self.stands() == lot, f"{lot}, and not {self.stands()}", LIMIT_S)


def opening(lamp: str) -> dict[str, Any]:
    """What is said of one that goes on for an hour."""
    ends_at = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    return {
        "product_id": lamp, "starting_price": 100, "buy_now_price": 500, "currency": "USD", "ends_at": ends_at
    }  # fmt: skip


def an_auction(house: Fragile) -> Auction:
    """A new one, of people who are new."""
    ann, bob = people(house, 2, 1_000)
    (seller,) = people(house, 1, role=Role.SELLER)
    lamp = product(house, seller, 400)
    opened = body(insist(lambda: ask(house, seller, "POST", "/v1/auctions", json=opening(lamp))), 201)
    auction = Auction(house, seller, ann, bob, lamp, opened["auction_id"])
    headers = {"Idempotency-Key": str(uuid.uuid4())}
    bid = {"amount": 100, "max_amount": 400}
    path = f"/v1/auctions/{auction.id}/bids"
    body(insist(lambda: ask(house, ann, "POST", path, json=bid, headers=headers)), 201)
    assert auction.stands() == LED
    return auction


@contextmanager
def worker_behind_the_proxy(house: Fragile) -> Iterator[None]:
    """The one who recovers talks to the database through the proxy meanwhile, and closes what is due by itself."""
    own = house.own["recover"]
    house.stop("recover")
    house.own["recover"] = own | {"DATABASE_URL": house.own["api"]["DATABASE_URL"]}
    house.begin("recover")
    try:
        yield
    finally:
        house.own["recover"] = own


def worker_dies(house: Fragile, words: str, end: str, do: Any, after: str | None = None) -> None:
    """Do it, and kill whoever recovers before these words are with the database, or behind their COMMIT; where they are
    said more than once, those after the others.
    """
    then = Then.HOLD if end == "before" else Then.SWALLOW_ANSWERS
    with house.postgres.trap(after or words, Then.HOLD if after else then, b"" if after else COMMITTED) as first:
        do()
        first.wait()
        if after is None:
            _kill(house, first, end)
        else:
            with house.postgres.trap(words, then, COMMITTED) as second:
                first.let_go()
                second.wait()
                _kill(house, second, end)
    house.wait_until_rolled_back(words.partition(":")[0])


def _kill(house: Fragile, trap: Any, end: str) -> None:
    if end == "behind":
        trap.wait_for_the_answer()
    house.kill("recover")
    trap.drop()


def all_is_well(house: Fragile) -> None:
    """Nothing is under way, nothing waits; whatever can be verified holds."""
    left = (
        "SELECT (SELECT count(*) FROM auctions.openings) + (SELECT count(*) FROM auctions.intents)"
        " + (SELECT count(*) FROM auctions.returns)"
        " + (SELECT count(*) FROM auctions.auctions WHERE status = 'closing')"
        " + (SELECT count(*) FROM catalog.cache_deletions)"
        " + (SELECT count(*) FROM (SELECT event_id, sent_at FROM auctions.outbox_events"
        "    UNION ALL SELECT event_id, sent_at FROM ordering.outbox_events"
        "    UNION ALL SELECT event_id, sent_at FROM catalog.outbox_events) o"
        "    LEFT JOIN audit.events a USING (event_id) WHERE o.sent_at IS NULL OR a.event_id IS NULL)"
    )
    wait_until(lambda: seen(house, left) == [(0,)], "the auctions to be at rest", LIMIT_S)
    house.verify()
