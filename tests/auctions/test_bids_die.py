"""Whatever dies in the middle of a bid: recovery undoes it, or it was placed before; none is placed late."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import pytest

from app.contexts.auctions.application.asked import BidRequest
from app.contexts.auctions.application.recover import Terms
from app.contexts.auctions.domain.intent import Intent
from app.kernel.ids import UserId
from tests.auctions.house import LATE, AuctionHouse, code_of, try_out
from tests.ordering.fates import Death, Fate


@dataclass
class Scene:
    """An auction in which somebody is about to bid."""

    request: BidRequest
    before: tuple[int, int, UserId | None, int | None]
    """Bids, price, leader and maximum."""
    placed: tuple[int, int, UserId | None, int | None]
    balance: int
    """What the bidder has, held or not."""
    held: tuple[int, int]
    """What is set aside of it before, and once the bid is placed."""
    rival: UserId | None = None
    """Who leads before, with the same balance."""

    async def of_rival(self, house: AuctionHouse, *, is_placed: bool) -> bool:
        """Whether who led before has what that takes set aside, and nothing else."""
        leads = self.placed[2:] if is_placed else self.before[2:]
        held = leads[1] if leads[0] == self.rival and leads[1] else 0
        return self.rival is None or await house.wallet(self.rival) == (self.balance - held, held)


async def first(house: AuctionHouse) -> Scene:
    auction, ann = await house.auction(), await house.bidder(1_000)
    request = house.request(auction, ann, 100, 400)
    return Scene(request, (0, 100, None, None), (1, 100, ann, 400), 1_000, (0, 400))


async def outbidding(house: AuctionHouse) -> Scene:
    auction, ann, bob = await house.auction(), await house.bidder(1_000), await house.bidder(1_000)
    await house.here.bid(house.request(auction, bob, 100, 200))
    request = house.request(auction, ann, 125, 400)
    return Scene(request, (1, 100, bob, 200), (2, 225, ann, 400), 1_000, (0, 400), bob)


async def outbid_at_once(house: AuctionHouse) -> Scene:
    auction, ann, bob = await house.auction(), await house.bidder(1_000), await house.bidder(1_000)
    await house.here.bid(house.request(auction, bob, 100, 400))
    request = house.request(auction, ann, 125, 200)
    return Scene(request, (1, 100, bob, 400), (2, 225, bob, 400), 1_000, (0, 0), bob)


async def raising(house: AuctionHouse) -> Scene:
    auction, ann = await house.auction(), await house.bidder(1_000)
    await house.here.bid(house.request(auction, ann, 100, 600))
    request = house.request(auction, ann, 100, 1_000)
    return Scene(request, (1, 100, ann, 600), (2, 100, ann, 1_000), 1_000, (600, 1_000))


SCENES: dict[str, tuple[Callable[[AuctionHouse], Awaitable[Scene]], list[str]]] = {
    "first": (first, ["step", "hold", "step"]),
    "outbidding": (outbidding, ["step", "hold", "step", "release", "step"]),
    "outbid at once": (outbid_at_once, ["step", "hold", "step", "release", "step"]),
    "raising": (raising, ["step", "resize", "step"]),
}
DEATHS = [(name, at, behind) for name, (_, calls) in SCENES.items() for at in range(len(calls)) for behind in (0, 1)]


@pytest.mark.parametrize("name", SCENES)
async def test_nobody_dies_and_it_takes_these_calls(house: AuctionHouse, name: str) -> None:
    make, calls = SCENES[name]
    scene, fate = await make(house), Fate()
    await house.here.bid(scene.request, fate)
    assert fate.calls == calls
    assert await house.stands(scene.request.auction_id) == scene.placed


@pytest.mark.parametrize(("name", "at", "behind"), DEATHS)
async def test_recovery_undoes_what_a_death_left_and_never_places_it(
    house: AuctionHouse, name: str, at: int, behind: int
) -> None:
    make, _ = SCENES[name]
    scene = await make(house)
    request, auction = scene.request, scene.request.auction_id
    with pytest.raises(Death):
        await house.here.bid(request, Fate(at, behind=bool(behind)))
    there = await house.process()
    await there.recover()
    is_placed = (at, behind) >= (2, 1)
    assert await house.stands(auction) == (scene.placed if is_placed else scene.before)
    held = scene.held[is_placed]
    assert await house.wallet(request.bidder) == (scene.balance - held, held)
    assert await scene.of_rival(house, is_placed=is_placed)
    assert await house.nothing_is_left(auction)
    assert await house.key(request) == ([(request.bid_id, 201)] if is_placed else [])
    again = house.request(auction, request.bidder, request.amount_minor, request.max_minor, key=request.key)
    assert code_of(await try_out(there, again)) == ("outbid" if name == "outbid at once" else "leads")
    assert await house.stands(auction) == scene.placed
    assert await house.wallet(request.bidder) == (scene.balance - scene.held[1], scene.held[1])


UNDOINGS = [(name, at, behind) for name in ("first", "raising") for at in range(4) for behind in (0, 1)]


@pytest.mark.parametrize(("name", "at", "behind"), UNDOINGS)
async def test_recovery_may_die_too(house: AuctionHouse, name: str, at: int, behind: int) -> None:
    """It gives the intent up, forbids what holds for it, and lets that go: each again by the next one."""
    make, _ = SCENES[name]
    scene = await make(house)
    with pytest.raises(Death):
        await house.here.bid(scene.request, Fate(1, behind=True))
    fate = Fate(at, behind=bool(behind))
    (intent,) = await _intents(house, scene.request)
    with pytest.raises(Death):
        await house.here.clean_up(fate).decide(intent)
    last = "release" if name == "first" else "resize"
    assert fate.calls == ["step", "forbid", last, "step"][: at + 1]
    await house.here.recover()
    assert await house.stands(scene.request.auction_id) == scene.before
    held = scene.held[0]
    assert await house.wallet(scene.request.bidder) == (scene.balance - held, held)
    assert (await house.nothing_is_left(scene.request.auction_id), await house.key(scene.request)) == (True, [])


@pytest.mark.parametrize("at", [0, 1, 2])
@pytest.mark.parametrize("name", SCENES)
async def test_two_who_recover_and_one_who_was_only_slow_agree(house: AuctionHouse, name: str, at: int) -> None:
    """Whoever is first decides it: the bid is placed, and stays, or never is."""
    make, _ = SCENES[name]
    scene = await make(house)
    fate = _Slow(at)
    bidding = asyncio.create_task(house.here.place_bid(fate)(scene.request, LATE))
    await fate.reached.wait()
    there = await house.process()
    recovering = [asyncio.create_task(process.recover()) for process in (house.here, there)]
    fate.go_on.set()
    results = await asyncio.gather(bidding, *recovering, return_exceptions=True)
    await there.recover()
    assert await house.nothing_is_left(scene.request.auction_id)
    stands = await house.stands(scene.request.auction_id)
    assert stands in (scene.before, scene.placed)
    held = scene.held[stands == scene.placed]
    assert await house.wallet(scene.request.bidder) == (scene.balance - held, held)
    is_told = not isinstance(results[0], BaseException)
    assert (stands == scene.placed) >= is_told, "what somebody was told of is there"


class _Slow(Fate):
    """A process that is paused before a call."""

    def __init__(self, at: int) -> None:
        super().__init__()
        self.reached, self.go_on, self._pause_at = asyncio.Event(), asyncio.Event(), at

    async def call(self, name: str, calling: Callable[[], Awaitable[object]]) -> object:  # type: ignore[override]
        if len(self.calls) == self._pause_at:
            self.reached.set()
            await self.go_on.wait()
        return await super().call(name, calling)


async def _intents(house: AuctionHouse, request: BidRequest) -> list[Intent]:
    due = await house.here.container.due().take(house.tenant, Terms(0.0, 0.0, 0.0, 64))
    return [intent for intent in due.intents if intent.auction_id == request.auction_id]
