"""The clients: payments, retries, races, misuse and reads, over wallets of which a few are hot."""

import asyncio
import itertools
import random
import uuid
from collections import Counter
from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import aiohttp
import msgspec

from tests.system.e2e.house import HEADERS
from tests.system.soak.records import Call, History, Kind, Order, interpret

CLIENTS: Final = 32
WALLETS: Final = 50
HOT_WALLETS: Final = 3
CURRENCIES: Final = ("USD", "EUR", "JPY")
RICH, POOR = 100_000_000, 5_000
RACERS: Final = 8
PAUSE_S: Final = 0.16
"""The longest that a client rests between two operations."""
CALL_LIMIT_S: Final = 5.0
MOST_CALLS: Final = 200_000
NO_PROVIDER: Final = str(uuid.UUID(int=1))
_WAYS: Final[dict[str, int]] = {"pay": 58, "retry": 16, "race": 3, "other": 5, "malformed": 3, "read": 15}


class Wallet(NamedTuple):
    """A wallet and what it holds at the beginning, in minor units."""

    user_id: uuid.UUID
    currency: str
    initial: int


def wallets(seed: int) -> list[Wallet]:
    """Two wallets a user, of different currencies. Every fifth will run dry, but for the hot ones."""
    dice = random.Random(f"{seed}/wallets")
    users = [uuid.UUID(int=dice.getrandbits(128), version=4) for _ in range(WALLETS // 2)]
    poor = {nth for nth in range(HOT_WALLETS, WALLETS) if nth % 5 == 0}
    return [Wallet(users[nth // 2], CURRENCIES[nth % 3], POOR if nth in poor else RICH) for nth in range(WALLETS)]


class Load:
    """The clients' work, and the record of it. `apis` are the base URLs; a call goes to one of them by its number."""

    def __init__(self, apis: Sequence[str], provider_id: uuid.UUID, owned: Sequence[Wallet], seed: int) -> None:
        self.history = History()
        self.in_flight: Counter[int] = Counter()
        self._apis = apis
        self._provider_id = str(provider_id)
        self._wallets = owned
        self._seed = seed
        self._loop = asyncio.get_running_loop()
        self._session = aiohttp.ClientSession(
            headers=HEADERS,
            connector=aiohttp.TCPConnector(limit=0),
            timeout=aiohttp.ClientTimeout(total=CALL_LIMIT_S),
        )

    async def close(self) -> None:
        """Close the connections."""
        await self._session.close()

    async def run(self, stop: asyncio.Event) -> None:
        """Let all clients work until told to stop, or until there are enough calls."""
        async with asyncio.TaskGroup() as tasks:
            for number in range(CLIENTS):
                tasks.create_task(self._client(number, stop))

    async def _client(self, number: int, stop: asyncio.Event) -> None:
        dice = random.Random(f"{self._seed}/client/{number}")
        mine: list[Order] = []
        while not stop.is_set() and len(self.history.calls) < MOST_CALLS:
            way = dice.choices(list(_WAYS), list(_WAYS.values()))[0]
            await self._operation(way, dice, mine, f"{number}-{len(mine)}")
            await asyncio.sleep(dice.uniform(0, PAUSE_S))

    async def _operation(self, way: str, dice: random.Random, mine: list[Order], name: str) -> None:
        api = dice.randrange(len(self._apis))
        lately = dice.choice(mine[-20:]) if mine else None
        if way == "read":
            await self._read(api, self._pick(dice))
        elif way == "malformed":
            await self._malformed(api, self._pick(dice), dice, name)
        elif way == "retry" and lately is not None:
            await self.call("retry", api, lately)
        elif way == "other" and lately is not None and lately.final is not None:
            await self.call("other", api, lately, amount=lately.amount + 1)
        else:
            order = self._order(self._pick(dice), dice, name)
            mine.append(order)
            if way == "race":
                await asyncio.gather(*(self.call("race", (api + nth) % 2, order) for nth in range(RACERS)))
            else:
                await self.call("pay", api, order)

    def _pick(self, dice: random.Random) -> Wallet:
        hot = dice.random() < 0.5
        return self._wallets[dice.randrange(HOT_WALLETS) if hot else dice.randrange(HOT_WALLETS, WALLETS)]

    def _order(self, wallet: Wallet, dice: random.Random, name: str) -> Order:
        order = Order(wallet.user_id, f"soak-{name}", wallet.currency, dice.randint(1, 500))
        self.history.orders.append(order)
        return order

    async def call(self, kind: Kind, api: int, order: Order, **changed: Any) -> Call:
        """Send the order's payment, or another under its key."""
        body = {
            "provider_id": self._provider_id,
            "external_reference": order.key,
            "amount": order.amount,
            "currency": order.currency,
        }
        answered, _ = await self._send(
            kind,
            api,
            order,
            "POST",
            f"/wallets/{order.user_id}/payments",
            headers={"Idempotency-Key": order.key},
            json=body | changed,
        )
        if answered.meaning == "final":
            _matches(answered, order, self.history)
        return answered

    async def _malformed(self, api: int, wallet: Wallet, dice: random.Random, name: str) -> None:
        """A request that is refused without a trace, under a key that is never used otherwise."""
        order = Order(wallet.user_id, f"soak-bad-{name}-{dice.getrandbits(32)}", wallet.currency, 7)
        changed: dict[str, Any] = dice.choice(
            [{"amount": 0}, {"amount": "7"}, {"provider_id": NO_PROVIDER}, {"currency": "CHF"}]
        )
        call = await self.call("malformed", api, order, **changed)
        order.calls.append(call)
        self.history.orders.append(order)
        if call.meaning not in ("traceless", "unknown", "unsent"):
            self.history.complaints.append(f"{order.key}: a malformed request was answered {call.status} {call.code}")

    async def _read(self, api: int, wallet: Wallet) -> None:
        await self.balance(wallet, api)
        path = f"/wallets/{wallet.user_id}/transactions"
        _, content = await self._send("read", api, None, "GET", path, params={"currency": wallet.currency})
        if content is not None:
            self.history.complaints.extend(_gaps(content["transactions"], path))

    async def balance(self, wallet: Wallet, api: int) -> int | None:
        """What the API says the wallet holds; None when it does not say."""
        path = f"/wallets/{wallet.user_id}/balance"
        _, content = await self._send("read", api, None, "GET", path, params={"currency": wallet.currency})
        return int(content["balances"][0]["current_balance"]) if content else None

    async def _send(
        self, kind: Kind, api: int, order: Order | None, method: str, path: str, **request: Any
    ) -> tuple[Call, Any]:
        call = Call(kind, api, self._loop.time())
        content = None
        self.in_flight[api] += kind != "read"
        try:
            async with self._session.request(method, self._apis[api] + path, **request) as answer:
                body = await answer.read()
                interpret(call, answer.status, answer.headers, body)
                content = msgspec.json.decode(body) if call.meaning == "read" else None
        except aiohttp.ClientConnectorError:
            call.meaning = "unsent"
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            call.meaning, call.code = "unknown", type(error).__name__
        finally:
            self.in_flight[api] -= kind != "read"
            call.ended = self._loop.time()
        self.history.note(call, order, order.key if order else path)
        return call, content


def _matches(call: Call, order: Order, history: History) -> None:
    if call.status != 201:
        return
    told = msgspec.json.decode(call.body)
    if (told["user_id"], told["amount"], told["currency"]) != (str(order.user_id), order.amount, order.currency):
        history.complaints.append(f"{order.key}: answered with a payment that was not asked for")


def _gaps(lines: Sequence[dict[str, Any]], path: str) -> list[str]:
    """Where a wallet's page, newest first, does not lead from one balance to the next. What was set aside before leaves
    it as it is."""
    return [
        f"{path}: {newer['transaction_id']} does not follow {older['transaction_id']}"
        for newer, older in itertools.pairwise(line for line in lines if line["balance_after"] is not None)
        if newer["balance_after"]
        != older["balance_after"] + (newer["amount"] if newer["direction"] == "CREDIT" else -newer["amount"])
    ]
