"""Watching auctions: whoever does is told all that happens to one, in order and each once, out of what is committed.

One look in a process finds what is new of all that is watched there. What happened lately to an auction is kept once
for all its watchers, each of whom has a place in it: who is slow delays nobody, and has to begin anew when what comes
next for them is kept no longer. From an earlier place one begins with the auction's events as they are stored.
"""

import asyncio
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Final, NamedTuple

from app.contexts.auctions.application.browse import Seen
from app.contexts.auctions.application.live_events import Happened, LiveEvents, Place
from app.contexts.auctions.domain.auction import Auction
from app.contexts.auctions.domain.ids import AuctionId
from app.contexts.auctions.domain.refusals import AuctionNotFound
from app.kernel.principal import TenantId
from app.platform.asked_together import AskedTogether
from app.platform.process.rounds import Rounds
from app.platform.process.waiting import pause

EVERY_S: Final = 0.05
KEPT: Final = 256
"""Events of an auction that are kept at the least, once so many have happened; up to twice as many."""
PAGE: Final = 32
"""Events that are told at once."""
LAST: Final = frozenset(("ended", "cancelled"))
"""Behind one of these nothing happens any more."""
UNTOLD: Final = "opened"
"""Nobody can watch before it has happened."""


class Told(NamedTuple):
    """An event as watchers are told of it."""

    event_id: int
    piece: bytes
    is_last: bool


Tell = Callable[[str, int, bytes], bytes]
"""How watchers are told of an event: by its word, its number and the document."""
Key = tuple[TenantId, AuctionId]


class TooSlow(Exception):  # noqa: N818 -- it says what happened
    """What comes next is kept no longer: who watches has to begin anew behind what was told last."""


class _Channel:
    """What has happened lately to an auction that is watched. Events have no gap: each is found by its number."""

    __slots__ = ("before_kept", "kept", "wakes")

    def __init__(self, last_event_id: int) -> None:
        self.before_kept = last_event_id
        self.kept: list[Told] = []
        self.wakes: set[Callable[[], None]] = set()

    @property
    def last(self) -> int:
        """The number of what happened last."""
        return self.before_kept + len(self.kept)

    def add(self, told: Told) -> None:
        """One more."""
        self.kept.append(told)
        if len(self.kept) >= 2 * KEPT:
            del self.kept[:KEPT]
            self.before_kept += KEPT


class Watch:
    """What happens to the auctions that are watched in this process."""

    def __init__(
        self, events: LiveEvents, tell: Tell, observe: Callable[[float], None], every_s: float = EVERY_S
    ) -> None:
        self._events = events
        self._tell = tell
        self._observe = observe
        self._every_s = every_s
        self._channels: dict[Key, _Channel] = {}
        self._looked_at = 0.0
        # When a process has ended, all its watchers come at once.
        self._standings: dict[TenantId, AskedTogether[AuctionId, Seen]] = {}
        self._places: dict[TenantId, AskedTogether[Place, Sequence[Happened]]] = {}

    async def standing(self, tenant_id: TenantId, auction_id: AuctionId) -> Seen:
        """How the auction stands.

        Raises:
            AuctionNotFound: the tenant has no such auction.
            Unavailable: it cannot be known now.
        """
        if tenant_id not in self._standings:
            self._standings[tenant_id] = AskedTogether(partial(self._events.standing, tenant_id))
        seen = await self._standings[tenant_id].ask(auction_id)
        if seen is None:
            raise AuctionNotFound
        return seen

    def begin(self, auction: Auction, told: int | None) -> "Watching | None":
        """Begin to watch an auction, as it was read just now: behind the event of the number that was told last; where
        there is none of it, by how the auction stands. None where that was the last one.
        """
        last, is_over = auction.last_event_id, auction.closed_at is not None
        if told is None or told > last:
            return Watching(self, auction, last, begins_anew=True, is_over=is_over)
        return None if is_over and told == last else Watching(self, auction, told)

    async def stored(self, tenant_id: TenantId, place: Place) -> Sequence["Told"]:
        """How watchers are told of what happened behind that place, out of what is stored: a page of it.

        Raises:
            Unavailable: it cannot be known now.
        """
        if tenant_id not in self._places:
            self._places[tenant_id] = AskedTogether(partial(self._behind, tenant_id))
        return list(map(self._told, await self._places[tenant_id].ask(place) or ()))

    async def _behind(self, tenant_id: TenantId, places: Collection[Place]) -> Mapping[Place, Sequence[Happened]]:
        return await self._events.after(tenant_id, places, PAGE)

    @contextmanager
    def watched(self, key: Key, last_event_id: int, wake: Callable[[], None]) -> Iterator[_Channel]:
        """Have all kept meanwhile that happens to the auction, and somebody woken whenever something has."""
        if not self._channels:
            self._looked_at = asyncio.get_running_loop().time()
        channel = self._channels.setdefault(key, _Channel(last_event_id))
        channel.wakes.add(wake)
        try:
            yield channel
        finally:
            channel.wakes.discard(wake)
            if not channel.wakes:
                del self._channels[key]

    @property
    def behind_s(self) -> float:
        """For how long nobody has looked at what is watched."""
        return asyncio.get_running_loop().time() - self._looked_at if self._channels else 0.0

    async def run(self, stop: asyncio.Event) -> None:
        """Look again and again at what is watched, until the event is set."""
        rounds = Rounds("watch_auctions")
        while not stop.is_set():
            with rounds.survived():
                await self._look()
            await pause(rounds.wait_s(self._every_s), stop)

    async def _look(self) -> None:
        began = asyncio.get_running_loop().time()
        for tenant_id in {tenant_id for tenant_id, _ in self._channels}:
            places = [Place(id_, one.last) for (owner, id_), one in self._channels.items() if owner == tenant_id]
            for place, found in (await self._behind(tenant_id, places)).items():
                self._spread(tenant_id, place, found)
        self._looked_at = began

    def _spread(self, tenant_id: TenantId, place: Place, found: Sequence[Happened]) -> None:
        """Keep what was found for whoever is there now, and wake them."""
        channel = self._channels.get((tenant_id, place.auction_id))
        # Its last watcher may have gone meanwhile, and another come, who begins elsewhere.
        if channel is None or channel.last != place.told:
            return
        for happened in found:
            channel.add(self._told(happened))
            self._observe(happened.age_s)
        for wake in channel.wakes:
            wake()

    def _told(self, happened: Happened) -> Told:
        word = happened.word
        piece = b"" if word == UNTOLD else self._tell(word, happened.event_id, happened.document)
        return Told(happened.event_id, piece, word in LAST)


class Watching:
    """Somebody's place in what happens to an auction. Who `begins_anew` is to be told first how it stands."""

    __slots__ = ("_channel", "_is_abreast", "_key", "_last_event_id", "_told", "_watch", "begins_anew", "is_over")

    def __init__(
        self, watch: Watch, auction: Auction, told: int, *, begins_anew: bool = False, is_over: bool = False
    ) -> None:
        self._watch = watch
        self._key = auction.tenant_id, auction.id
        self._last_event_id = auction.last_event_id
        self._told = told
        self._is_abreast = False
        self._channel: _Channel | None = None
        self.begins_anew = begins_anew
        self.is_over = is_over

    @contextmanager
    def woken(self, wake: Callable[[], None]) -> Iterator[None]:
        """Be woken meanwhile whenever something happens."""
        with self._watch.watched(self._key, self._last_event_id, wake) as self._channel:
            yield

    async def next(self) -> bytes:
        """What comes next, as far as it has happened. It is over behind the last there is.

        Raises:
            TooSlow: it is kept no longer.
            Unavailable: it cannot be known now.
        """
        told = self._kept()
        if told is None:
            if self._is_abreast:
                raise TooSlow
            tenant_id, auction_id = self._key
            told = await self._watch.stored(tenant_id, Place(auction_id, self._told))
        else:
            self._is_abreast = True
        if told:
            self._told, _, self.is_over = told[-1]
        return b"".join(each.piece for each in told)

    def _kept(self) -> Sequence[Told] | None:
        """What is kept from here on; None where there were events before."""
        channel = self._channel
        assert channel is not None, "nobody keeps what happens"
        at = self._told - channel.before_kept
        return None if at < 0 else channel.kept[at : at + PAGE]
