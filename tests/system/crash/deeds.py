"""All that moves money for people, each as something that is asked for again and again, and done once."""

import json
import uuid
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from typing import Any, NamedTuple, ParamSpec, TypeVar

import httpx

from app.kernel.principal import Role
from app.platform.process.processes import free_port
from tests.system.crash.fragile import PARTS, Fragile
from tests.system.e2e.crowd import Person, person
from tests.system.e2e.house import LIMIT_S, _ok, wait_until
from tests.system.teller.asking import ask, listens

P = ParamSpec("P")
R = TypeVar("R")
PATIENCE_S = 60.0
_LATER = ThreadPoolExecutor(64)


def later(do: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> "Future[R]":
    """Do it, and go on."""
    return _LATER.submit(do, *args, **kwargs)


class Said(NamedTuple):
    """An answer. Of one that is not `known` nobody can tell what was done."""

    known: bool
    content: bytes


@dataclass(frozen=True)
class Place:
    """A process that can be asked."""

    house: Fragile
    name: str
    port: int

    def begin(self) -> "Place":
        """Start it."""
        if self.name.startswith("teller"):
            ready, own = (lambda: listens(self.port)), {"TELLER_PORT": str(self.port)}
            self.house.start(self.name, "tests.system.teller", expect=ready, **own)
        else:
            url = f"http://127.0.0.1:{self.port}/readyz"
            self.house.start(self.name, *PARTS["api"], expect=lambda: _ok(url), HTTP_PORT=str(self.port))
        return self

    def another(self) -> "Place":
        """One more of its kind."""
        return Place(self.house, f"{self.name}2", free_port()).begin()


def places(house: Fragile) -> dict[str, Place]:
    """The API and the teller of the house, which both talk to the database through its proxy."""
    house.own["teller"] = house.own["api"]
    teller = Place(house, "teller", free_port())
    if "teller" in house.processes:
        house.stop("teller")
    return {"api": Place(house, "api", house.ports["HTTP_PORT"]), "teller": teller.begin()}


@dataclass(frozen=True)
class Deed:
    """Something to be done. `stands` shows what comes of it: `before`, and `after` it was done once."""

    at: Place
    ask: Callable[[Place], Said]
    stands: Callable[[], Any]
    before: Any
    after: Any
    business: str = ""
    """Of the operation, if it is one."""

    def now(self, place: Place | None = None) -> Said:
        """Ask for it."""
        return self.ask(place or self.at)

    def later(self, place: Place | None = None) -> "Future[Said]":
        """Ask, and go on."""
        return later(self.now, place)

    def insist(self, place: Place | None = None) -> Said:
        """Ask until it is known."""
        said: list[Said] = []

        def is_known() -> bool:
            try:
                said.append(self.now(place))
            except (OSError, httpx.HTTPError):
                return False
            return said[-1].known

        wait_until(is_known, "an answer", PATIENCE_S)
        return said[-1]

    def is_done_once(self, answer: Said | None = None) -> None:
        """See that it was done once, and that whoever asks again is told the same."""
        told = self.insist()
        assert answer is None or answer == told
        assert self.stands() == self.after
        assert self.insist() == told
        assert self.stands() == self.after


def _http(path: str, who: Person, body: dict[str, Any]) -> Callable[[Place], Said]:
    headers = who.bearer | {"Idempotency-Key": str(uuid.uuid4())}

    def asking(place: Place) -> Said:
        answer = httpx.post(f"http://127.0.0.1:{place.port}{path}", json=body, headers=headers, timeout=LIMIT_S)
        assert answer.status_code in (201, 409, 503), answer.text
        is_under_way = answer.status_code == 409 and answer.json()["error"]["code"] == "IDEMPOTENCY_IN_PROGRESS"
        known = answer.status_code != 503 and not is_under_way
        assert known or "Retry-After" in answer.headers
        return Said(known, b"%d %b" % (answer.status_code, answer.content))

    return asking


def _port(question: str, **asked: Any) -> Callable[[Place], Said]:
    def asking(place: Place) -> Said:
        told = ask(place.port, ask=question, **asked)
        return Said("unavailable" not in told, json.dumps(told).encode())

    return asking


def wallet_of(house: Fragile, who: Person) -> tuple[Any, ...] | None:
    """What can be spent, and what is set aside; None where there is no wallet."""
    find = "SELECT current_balance, held FROM wallet_balances WHERE user_id = %s"
    return next(iter(house.query(find, who.id)), None)


def _hold(house: Fragile, teller: Place, owner: Person, amount: int = 400, in_s: float | None = None) -> dict[str, Any]:
    """A hold that stands, as it is named to the teller."""
    ((now,),) = house.query("SELECT clock_timestamp()")
    until = None if in_s is None else (now + timedelta(seconds=in_s)).isoformat()
    business, who = str(uuid.uuid4()), str(owner.id)
    told = ask(teller.port, ask="hold", business=business, owner=who, amount=amount, until=until)
    return {"owner": who, "hold": told["done"][0]}


def ending_hold(house: Fragile, teller: Place, in_s: float) -> tuple[Person, dict[str, Any]]:
    """Somebody with 1000, of which 400 are set aside for so many seconds."""
    owner = person(house, 1_000)
    return owner, _hold(house, teller, owner, 400, in_s)


def deed(what: str, house: Fragile, at: dict[str, Place]) -> Deed:
    """A new one: 400 of the 1000 that somebody has go to somebody else, are set aside, or handed over."""
    ada, bob, teller = person(house, 1_000), person(house), at["teller"]
    mine, theirs = partial(wallet_of, house, ada), partial(wallet_of, house, bob)
    business, owner, other = str(uuid.uuid4()), str(ada.id), str(bob.id)
    if what in ("resize", "capture", "release"):
        hold = _hold(house, teller, ada)
    match what:
        case "send" | "bulk" | "each" | "receive":
            return _over_http(what, house, at["api"], ada, bob)
        case "transfer":
            asked = {"from": owner, "to": other, "amount": 400}
            return Deed(teller, _port("transfer", business=business, **asked), mine, (1_000, 0), (600, 0))
        case "credit":
            return Deed(teller, _port("credit", business=business, to=other, amount=400), theirs, None, (400, 0))
        case "hold":
            asking = _port("hold", business=business, owner=owner, amount=400)
            return Deed(teller, asking, mine, (1_000, 0), (600, 400), business)
        case "holds":
            asking = _port("holds", business=business, owner=owner, amounts=[100, 200, 100])
            return Deed(teller, asking, mine, (1_000, 0), (600, 400))
        case "forbid":
            forbidden = "SELECT count(*) FROM operations WHERE business_id = %s AND forbidden"
            stands = partial(house.query, forbidden, business)
            return Deed(teller, _port("forbid", business=business), stands, [(0,)], [(1,)])
        case "resize":
            asking = _port("resize", business=business, amount=700, **hold)
            return Deed(teller, asking, mine, (600, 400), (300, 700))
        case "capture":
            asking = _port("capture", parts=[[other, 250]], **hold)
            return Deed(teller, asking, lambda: (mine(), theirs()), ((600, 400), None), ((750, 0), (250, 0)))
        case _:
            return Deed(teller, _port("release", **hold), mine, (600, 400), (1_000, 0))


def forbidden(one: Deed) -> Deed:
    """That this is not to be done, asked of those whom it is asked of."""
    return replace(one, ask=_port("forbid", business=one.business))


def _over_http(what: str, house: Fragile, api: Place, ada: Person, bob: Person) -> Deed:
    money = {"amount": 400, "currency": "USD"}
    if what == "send":
        asking = _http("/v1/wallet/send", ada, {"to": str(bob.id)} | money)
        return Deed(api, asking, partial(wallet_of, house, ada), (1_000, 0), (600, 0))
    if what in ("bulk", "each"):
        parts = [{"to": str(bob.id), "amount": amount, "currency": "USD"} for amount in (100, 50, 250)]
        if what == "each":
            parts.insert(1, parts[0] | {"to": str(uuid.uuid4())})  # nobody: it is refused, and the others go on
        asking = _http("/v1/wallet/send/bulk", ada, {"transfers": parts, "mode": "all" if what == "bulk" else "each"})
        return Deed(api, asking, partial(wallet_of, house, ada), (1_000, 0), (600, 0))
    asking = _http(
        "/v1/wallet/receive", person(house, role=Role.ADMIN), {"user_id": str(bob.id), "reference": "one"} | money
    )
    return Deed(api, asking, partial(wallet_of, house, bob), None, (400, 0))


ALL = (
    *("send", "bulk", "each", "receive", "transfer", "credit"),
    *("hold", "holds", "resize", "capture", "release", "forbid"),
)
WRITES = "strongbox-move: COMMIT"
"""All that a work writes is sent together with its COMMIT."""
COMMITTED = b"COMMIT\0"
