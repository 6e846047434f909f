"""Who gives back what was paid: in parts and wholly, several times at once, more than is left; until it is known."""

import asyncio
import random
import uuid
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from typing import Any, Final

import aiohttp
import httpx

from tests.system.e2e.crowd import Person
from tests.system.soak.asking import Answer
from tests.system.soak.deeds import Deed
from tests.system.soak.fleet import Fleet
from tests.system.soak.listener import Listener
from tests.system.soak.moves import Account
from tests.system.soak.records import History, Order

REFUNDERS: Final = 4
RACERS: Final = 3
PAUSE_S: Final = 0.5
AGAIN_S: Final = 0.3
CALL_LIMIT_S: Final = 5.0
REFUSED: Final = ("REFUND_TOO_LARGE", "BALANCE_LIMIT")
# With what it is not known yet: the refund is promised, or nothing was done.
_WAITS: Final = {
    (409, "IDEMPOTENCY_IN_PROGRESS"), (502, "GATEWAY_ERROR"), (503, "GATEWAY_UNAVAILABLE"), (503, "UNAVAILABLE"),
    (504, "GATEWAY_TIMEOUT"),
}  # fmt: skip


class Refunders:
    """Their work, and the record of it. They refund payments that were approved, by what their askers heard."""

    def __init__(self, apis: Sequence[str], history: History, who: Person, seed: int, patience_s: float) -> None:
        self.deeds: list[Deed] = []
        self.complaints: list[str] = []
        self._apis = apis
        self._history = history
        self._who = who
        self._seed = seed
        self._patience_s = patience_s
        self._orders: dict[str, Order] = {}
        self._loop = asyncio.get_running_loop()
        self._session = aiohttp.ClientSession(
            headers=who.bearer, timeout=aiohttp.ClientTimeout(total=CALL_LIMIT_S)
        )  # fmt: skip

    async def close(self) -> None:
        """Close the connections."""
        await self._session.close()

    async def run(self, stop: asyncio.Event) -> None:
        """Let all of them work until told to stop, and finish what they have begun."""
        async with asyncio.TaskGroup() as tasks:
            for number in range(REFUNDERS):
                tasks.create_task(self._work(random.Random(f"{self._seed}/refunder/{number}"), stop))

    async def replay(self) -> None:
        """Have all be asked for once more: everybody is told the same again."""
        for number, deed in enumerate(self.deeds):
            before = len(deed.finals)
            await self._insist(deed, number)
            if not all(final.is_replay for final in deed.finals[before:]):
                self.complaints.append(f"{deed.name}: answered again without Idempotent-Replayed")

    async def _work(self, dice: random.Random, stop: asyncio.Event) -> None:
        while not stop.is_set():
            order = self._approved(dice)
            if order is not None:
                await self._give_back(order, dice)
            await asyncio.sleep(dice.uniform(0, PAUSE_S))

    def _approved(self, dice: random.Random) -> Order | None:
        orders = self._history.orders
        for order in dice.sample(orders, min(len(orders), 5)):
            if order.final is not None and order.final.code == "APPROVED":
                return order
        return None

    async def _give_back(self, order: Order, dice: random.Random) -> None:
        """Once, or several times at once; two of them may compete for what is left."""
        assert order.final is not None
        payment_id = order.final.payment_id
        self._orders[payment_id] = order
        many, racers = (2, 1) if dice.random() < 0.2 else (1, RACERS if dice.random() < 0.2 else 1)
        begun = []
        for _ in range(many):
            asked: dict[str, Any] = {} if dice.random() < 0.3 else {"amount": dice.randint(1, order.amount)}
            key = str(uuid.UUID(int=dice.getrandbits(128), version=4))
            path = f"/v1/payments/{payment_id}/refunds"
            begun.append(Deed("refund", self._who, path, asked, self._loop.time(), key))
        self.deeds += begun
        first = dice.randrange(len(self._apis))
        await asyncio.gather(*(self._insist(deed, first + nth) for deed in begun for nth in range(racers)))

    async def _insist(self, deed: Deed, api: int) -> None:
        """Ask until it is known, by turns at each API."""
        deadline = self._loop.time() + self._patience_s
        while True:
            answer = await self._ask(deed, api)
            if answer.status and (answer.status, answer.code) not in _WAITS:
                deed.finals.append(answer)
                return
            if self._loop.time() > deadline:
                return
            api += 1
            await asyncio.sleep(AGAIN_S)

    async def _ask(self, deed: Deed, api: int) -> Answer:
        deed.calls += 1
        began, api = self._loop.time(), api % len(self._apis)
        try:
            headers = {"Idempotency-Key": deed.key or ""}
            async with self._session.post(self._apis[api] + deed.path, json=deed.asked, headers=headers) as reply:
                replayed = reply.headers.get("Idempotent-Replayed") == "true"
                answer = Answer(
                    api, began, self._loop.time(), reply.status, await reply.read(), is_replay=replayed
                )  # fmt: skip
                if answer.status == 503 and "Retry-After" not in reply.headers:
                    self.complaints.append(f"{deed.name}: {answer.status} {answer.code} without Retry-After")
                return answer
        except (aiohttp.ClientError, OSError, TimeoutError):  # nothing is known then
            return Answer(api, began, self._loop.time())

    def effects(self) -> Counter[Account]:
        """What came back to people, by what was told."""
        came_back: Counter[Account] = Counter()
        for told in self.told():
            if told["status"] == "COMPLETED":
                came_back[told["user_id"], told["currency"]] += told["amount"]
        return came_back

    def told(self) -> Iterator[Any]:
        """The refunds that there are, as they were told of."""
        yield from (deed.told for deed in self.deeds if deed.status == 201)

    def contradictions(self) -> Iterator[str]:
        """What cannot have become of refunds."""
        yield from self.complaints
        given: Counter[str] = Counter()
        for deed in self.deeds:
            yield from deed.contradictions()
            order = self._orders[deed.path.split("/")[3]]
            if deed.status not in (0, 201) and deed.outcome not in REFUSED:
                yield f"{deed.name}: was answered {deed.status} {deed.outcome}"
            if deed.status != 201:
                continue
            told, asked = deed.told, deed.asked.get("amount", deed.told["amount"])
            if (told["user_id"], told["currency"], told["amount"]) != (str(order.user_id), order.currency, asked):
                yield f"{deed.name}: answered with a refund that was not asked for"
            if told["status"] == "COMPLETED":
                given[told["payment_id"]] += told["amount"]
        for payment_id, amount in given.items():
            if amount > self._orders[payment_id].amount:
                yield f"of payment {payment_id} of {self._orders[payment_id].amount} {amount} were given back"

    def counts(self) -> Counter[str]:
        """How they ended."""
        return Counter(deed.told["status"] if deed.status == 201 else deed.outcome for deed in self.deeds)

    def missed(self) -> list[str]:
        """What the run has not seen, and should have."""
        return [] if self.counts()["COMPLETED"] else ["no refund was completed"]


def booked(fleet: Fleet, refunders: Refunders) -> Iterator[str]:
    """The books have the refunds that were told of, as they were told, and no others; each completed one a credit."""
    columns = "id::text, payment_id::text, user_id::text, amount, currency, status"
    found = {row[0]: row for row in fleet.query(f"SELECT {columns} FROM payments.refunds")}
    credits_ = Counter(
        id_ for (id_,) in fleet.query("SELECT id::text FROM transactions WHERE kind = 'MERCHANT_REFUND'")
    )
    for told in refunders.told():
        names = ("refund_id", "payment_id", "user_id", "amount", "currency", "status")
        row = found.pop(told["refund_id"], None)
        if row != tuple(told[name] for name in names):
            yield f"refund {told['refund_id']} was told as {told}, and is {row} in the books"
        if (made := credits_.pop(told["refund_id"], 0)) != (told["status"] == "COMPLETED"):
            yield f"refund {told['refund_id']}, {told['status']}, was credited {made} times"
    yield from (f"refund {id_} is in the books, and was told to nobody" for id_ in found)
    yield from (f"{id_} was credited, and is no refund" for id_ in credits_)


def given_back(fleet: Fleet) -> Iterator[str]:
    """The gateway's record: what is completed was given back, once and as much, and nothing else was."""
    listed = httpx.get(f"{fleet.gateway_url}/admin/refunds", timeout=60).raise_for_status().json()["refunds"]
    theirs = {one["refund_id"]: one for one in listed if one["status"] == "REFUNDED"}
    rows = fleet.query(
        "SELECT id::text, payment_id::text, amount, currency FROM payments.refunds WHERE status = 'COMPLETED'"
    )
    for refund_id, *ours in rows:
        one = theirs.pop(refund_id, None)
        if one is None:
            yield f"refund {refund_id} is completed, and the gateway has given nothing back"
        elif [one["payment_id"], one["amount"], one["currency"]] != ours:
            yield f"refund {refund_id} is {ours}, and the gateway has given back {one}"
    yield from (f"the gateway has given back {one}, which is not completed in the books" for one in theirs.values())


def events(fleet: Fleet, listener: Listener) -> Iterator[str]:
    """Each refund was told of in its order, first of all, and is in the audit trail once."""
    trail: dict[str, list[int]] = defaultdict(list)
    types = "type IN ('refund.requested', 'refund.completed', 'refund.refused')"
    for subject, sequence in fleet.query(
        f"SELECT subject::text, sequence FROM audit.events WHERE {types} ORDER BY 1, 2"
    ):
        trail[subject].append(sequence)
    for (refund_id,) in fleet.query("SELECT id::text FROM payments.refunds WHERE status <> 'PENDING'"):
        if (seen := listener.sequences.get(refund_id, [])) != [1, 2]:
            yield f"refund {refund_id} was first published as {seen}"
        if (kept := trail.pop(refund_id, [])) != [1, 2]:
            yield f"refund {refund_id} is in the audit trail as {kept}"
    yield from (f"the audit trail has refund {subject}, the books do not" for subject in trail)
