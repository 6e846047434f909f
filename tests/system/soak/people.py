"""People who send money, have it set aside and handed over, while things die: each move until it is known."""

import asyncio
import random
import uuid
from collections import Counter
from collections.abc import Callable, Coroutine, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import aiohttp
import msgspec

from tests.system.e2e.crowd import Person
from tests.system.soak.load import Wallet
from tests.system.soak.moves import HTTP, Account, Move, What
from tests.system.teller.asking import ask_soon

SENDERS: Final = 6
HOLDERS: Final = 4
RACERS: Final = 4
PAUSE_S: Final = 0.5
"""The longest that somebody rests between two moves."""
AGAIN_S: Final = 0.3
CALL_LIMIT_S: Final = 5.0
ENDS_IN_S: Final = 3.0
CURRENCIES: Final = ("USD", "EUR", "JPY")
WAITS: Final = ((503, "UNAVAILABLE"), (409, "IDEMPOTENCY_IN_PROGRESS"))
FINAL_CODES: Final = ("INSUFFICIENT_FUNDS", "BALANCE_LIMIT", "REFERENCE_REUSED")


class People:
    """Their work, and the record of it. Of the APIs and tellers each move goes to any."""

    def __init__(
        self,
        apis: Sequence[str],
        tellers: Sequence[int],
        crowd: Sequence[Person],
        owned: Sequence[Wallet],
        cashier: Person,
        seed: int,
        patience_s: float,
    ) -> None:
        self.moves: list[Move] = []
        self.complaints: list[str] = []
        self._apis = apis
        self._tellers = tellers
        self._crowd = crowd
        self._currencies = {who.id: [one.currency for one in owned if one.user_id == who.id] for who in crowd}
        self._cashier = cashier
        self._seed = seed
        self._patience_s = patience_s
        self._loop = asyncio.get_running_loop()
        self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=CALL_LIMIT_S))

    async def close(self) -> None:
        """Close the connections."""
        await self._session.close()

    async def run(self, stop: asyncio.Event) -> None:
        """Let all of them work until told to stop, and finish what they have begun."""
        async with asyncio.TaskGroup() as tasks:
            for number in range(SENDERS):
                tasks.create_task(self._work(f"sender/{number}", self._pay, stop))
            for number in range(HOLDERS):
                tasks.create_task(self._work(f"holder/{number}", self._deal, stop))

    async def _work(
        self, name: str, do: Callable[[random.Random], Coroutine[Any, Any, None]], stop: asyncio.Event
    ) -> None:
        dice = random.Random(f"{self._seed}/{name}")
        while not stop.is_set():
            await do(dice)
            await asyncio.sleep(dice.uniform(0, PAUSE_S))

    async def _pay(self, dice: random.Random) -> None:
        """Send, or have something come from outside; now and then several times at once."""
        sender, to = dice.sample(self._crowd, 2)
        # Who has no wallet in a currency is told so without a trace: nothing is to be learned of that.
        currency, key = dice.choice(self._currencies[sender.id]), str(uuid.UUID(int=dice.getrandbits(128), version=4))
        asked: dict[str, Any] = {"amount": dice.randint(1, 500), "currency": currency}
        what: What = "receive" if dice.random() < 0.15 else "send"
        who = self._cashier if what == "receive" else sender
        asked |= {"user_id": str(to.id), "reference": key} if what == "receive" else {"to": str(to.id)}
        move = self._begin(Move(what, currency, asked, who.bearer | {"Idempotency-Key": key}, who.id))
        many = RACERS if dice.random() < 0.1 else 1
        await asyncio.gather(*(self.insist(move, nth) for nth in range(many)))

    async def _deal(self, dice: random.Random) -> None:
        """Have money set aside; then it is handed over, given back, or forgotten; or given up before it is known."""
        owner, *others = dice.sample(self._crowd, 3)
        currency, amount = dice.choice(CURRENCIES), dice.randint(10, 500)
        business = str(uuid.UUID(int=dice.getrandbits(128), version=4))
        until = datetime.now(UTC) + timedelta(seconds=ENDS_IN_S) if dice.random() < 0.2 else None
        asked = {"business": business, "owner": str(owner.id), "amount": amount, "currency": currency}
        hold = self._begin(Move("hold", currency, asked | {"until": until and until.isoformat()}))
        if dice.random() < 0.2:
            await self._give_up(hold, dice)
        else:
            await self.insist(hold, dice.randrange(2))
        if "done" not in hold.told or until is not None:
            return
        of = {"owner": str(owner.id), "hold": hold.told["done"][0], "currency": currency}
        if dice.random() < 0.3:
            end = Move("release", currency, of)
        else:
            first = dice.randint(1, amount - 5)
            end = Move("capture", currency, of | {"parts": [[str(others[0].id), first], [str(others[1].id), 4]]})
        self._begin(end)
        await asyncio.gather(*(self.insist(end, nth) for nth in range(2 if dice.random() < 0.2 else 1)))

    async def _give_up(self, hold: Move, dice: random.Random) -> None:
        """Ask once, and forbid it at the same time at another teller's, as whoever finds a half-done business does."""
        forbid = self._begin(Move("forbid", hold.currency, {"business": hold.asked["business"]}))
        nth = dice.randrange(2)
        await asyncio.gather(self._call(hold, nth), self.insist(forbid, nth + 1))
        await self.insist(hold, nth)
        if ("done" in hold.told) != ("done" in forbid.told):
            self.complaints.append(f"{hold.name}: it ended {hold.outcome()}, and was {forbid.outcome()} when forbidden")

    def _begin(self, move: Move) -> Move:
        self.moves.append(move)
        return move

    async def insist(self, move: Move, place: int) -> None:
        """Ask until it is known, by turns at each place."""
        deadline, before = self._loop.time() + self._patience_s, len(move.finals)
        while True:
            await self._call(move, place)
            if len(move.finals) > before or self._loop.time() > deadline:
                return
            place += 1
            await asyncio.sleep(AGAIN_S)

    async def _call(self, move: Move, place: int) -> None:
        move.calls += 1
        with suppress(aiohttp.ClientError, OSError, TimeoutError):  # nothing is known then
            await (self._http if move.what in HTTP else self._teller)(move, place)

    async def _http(self, move: Move, place: int) -> None:
        url = f"{self._apis[place % len(self._apis)]}/v1/wallet/{move.what}"
        async with self._session.post(url, json=move.asked, headers=move.headers) as answer:
            body = await answer.read()
            code = "" if answer.status == 201 else (await answer.json())["error"]["code"]
            if answer.status == 201 or (answer.status == 409 and code in FINAL_CODES):
                move.finals.append(body)
                move.replays += answer.headers.get("Idempotent-Replayed") == "true"
            elif (answer.status, code) not in WAITS or "Retry-After" not in answer.headers:
                self.complaints.append(f"{move.name}: answered {answer.status} {code}")

    async def _teller(self, move: Move, place: int) -> None:
        port = self._tellers[place % len(self._tellers)]
        told = await ask_soon(port, CALL_LIMIT_S, ask=move.what, **move.asked)
        if "unavailable" not in told:
            move.finals.append(msgspec.json.encode(told))

    def effects(self) -> Counter[Account]:
        """What all of it did to what people have, by what they were told."""
        total: Counter[Account] = Counter()
        for move in self.moves:
            total.update(move.effect())
        return total
