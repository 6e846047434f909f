"""People who come and go: they log in with a password or a wallet, renew what they got, and log out."""

import asyncio
import random
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any, Final

import aiohttp
import psycopg

from tests.identity.wallets import Wallet, at, message_text
from tests.system.soak.fleet import DOMAIN
from tests.system.soak.servers import DATABASE, Servers

VISITORS: Final = 4
PAUSE_S: Final = 1.0
PASSWORD: Final = "a line of a song"
CALL_LIMIT_S: Final = 5.0
FIRST_WALLET: Final = 70_000


class Visitors:
    """Their log-ins, and what came of them. `seen` counts the answers, `unknown` those of whom nobody knows."""

    def __init__(self, apis: Sequence[str], seed: int) -> None:
        self.complaints: list[str] = []
        self.seen: Counter[str] = Counter()
        self.let_in: Counter[str] = Counter()
        self.unknown: Counter[str] = Counter()
        self._apis = apis
        self._seed = seed
        self._session = aiohttp.ClientSession(
            timeout=aiohttp.ClientTimeout(total=CALL_LIMIT_S),
            headers={"Host": DOMAIN},
            cookie_jar=aiohttp.DummyCookieJar(),
        )

    async def close(self) -> None:
        """Close the connections."""
        await self._session.close()

    async def run(self, stop: asyncio.Event) -> None:
        """Let all of them come and go until told to stop."""
        async with asyncio.TaskGroup() as tasks:
            for number in range(VISITORS):
                tasks.create_task(self._come_and_go(number, stop))

    async def _come_and_go(self, number: int, stop: asyncio.Event) -> None:
        dice = random.Random(f"{self._seed}/visitor/{number}")
        way = self._by_wallet if number % 2 else self._by_password
        await self._register(number, stop)
        while not stop.is_set():
            told = await way(number, dice)
            for _ in range(dice.randint(0, 3)):
                await asyncio.sleep(dice.uniform(0, PAUSE_S))
                told = told and await self._renew(told, dice)
            if told is not None and dice.random() < 0.3:
                await self._post(dice, "logout", {"refresh_token": told["refresh_token"]})
            await asyncio.sleep(dice.uniform(0, PAUSE_S))

    async def _register(self, number: int, stop: asyncio.Event) -> None:
        status = 503
        while status not in (201, 409) and not stop.is_set():
            status, _ = await self._post(random.Random(number), "register", _account(number))
            await asyncio.sleep(0.2)

    async def _by_password(self, number: int, dice: random.Random) -> dict[str, Any] | None:
        status, told = await self._post(dice, "login", _account(number))
        if status not in (0, 200, 503):
            self.complaints.append(f"a log-in was answered {status}")
        return told if status == 200 else None

    async def _by_wallet(self, number: int, dice: random.Random) -> dict[str, Any] | None:
        """The same message twice at once, at two places: one of them at the most is let in."""
        wallet = Wallet(FIRST_WALLET + number)
        status, given = await self._get(dice, "nonce")
        if status != 200:
            return None
        text = message_text(
            domain=given["domain"], uri=given["uri"], nonce=given["nonce"], address=wallet.address,
            issued_at=at(0, datetime.now(UTC)),
        )  # fmt: skip
        signed = {"message": text, "signature": wallet.sign(text)}
        answers = await asyncio.gather(*(self._post(dice, "siwe", signed) for _ in range(2)))
        let_in = [told for status, told in answers if status == 200]
        self.let_in[wallet.address] += len(let_in)
        self.unknown[wallet.address] += sum(status in (0, 503) for status, _ in answers)
        if len(let_in) > 1:
            self.complaints.append(f"a nonce let in {len(let_in)} times")
        return let_in[0] if let_in else None

    async def _renew(self, told: dict[str, Any], dice: random.Random) -> dict[str, Any] | None:
        """Show the token once, or twice at once; what is not answered is asked for again with the same token.

        A process that sleeps over a question may answer it after the grace: then the log-in has to end, and is left.
        """
        body = {"refresh_token": told["refresh_token"]}
        answers = await asyncio.gather(*(self._post(dice, "refresh", body) for _ in range(dice.choice([1, 1, 2]))))
        renewed = [answer for status, answer in answers if status == 200]
        if len({answer["refresh_token"] for answer in renewed}) > 1:
            self.complaints.append("a refresh token has two successors")
        if all(status in (200, 401) for status, _ in answers):
            if len(renewed) < len(answers):
                self.complaints.append("the head of a log-in was refused")
            return renewed[0] if renewed else None
        status, again = await self._post(dice, "refresh", body)
        if status == 200 and renewed and again["refresh_token"] != renewed[0]["refresh_token"]:
            self.complaints.append("a refresh token has two successors")
        return None

    async def _post(self, dice: random.Random, what: str, body: dict[str, Any]) -> tuple[int, Any]:
        return await self._ask(what, lambda: self._session.post(self._url(dice, what), json=body))

    async def _get(self, dice: random.Random, what: str) -> tuple[int, Any]:
        return await self._ask(what, lambda: self._session.get(self._url(dice, what)))

    def _url(self, dice: random.Random, what: str) -> str:
        return f"{dice.choice(self._apis)}/v1/auth/{what}"

    async def _ask(self, what: str, ask: Callable[[], Any]) -> tuple[int, Any]:
        """The status, 0 where nothing was answered, and what came with it."""
        try:
            async with ask() as answer:
                status, told = answer.status, None if answer.status == 204 else await answer.json()
        except (aiohttp.ClientError, OSError, TimeoutError):
            status, told = 0, None
        self.seen[f"{what} {status or 'unknown'}"] += 1
        if status >= 500 and (status != 503 or "Retry-After" not in answer.headers):
            self.complaints.append(f"{what} was answered {status}")
        return status, told


def _account(number: int) -> dict[str, str]:
    return {"email": f"visitor-{number}@example.org", "password": PASSWORD}


def log_ins(servers: Servers, visitors: Visitors) -> Iterator[str]:
    """Each log-in has one head, and whoever came by wallet has as many as were let in, but for what is unknown."""
    yield from visitors.complaints
    with psycopg.connect(servers.postgres.url(DATABASE)) as superuser:  # whom no wall between tenants holds
        heads = superuser.execute(
            "SELECT family_id, count(*) FROM identity.refresh_tokens WHERE spent_at IS NULL GROUP BY family_id"
            " HAVING count(*) > 1"
        ).fetchall()
        by_wallet = superuser.execute(
            "SELECT u.wallet_address, count(f.id) FROM identity.users u LEFT JOIN identity.families f"
            " ON f.user_id = u.id WHERE u.wallet_address IS NOT NULL GROUP BY u.wallet_address"
        ).fetchall()
    yield from (f"log-in {family} has {count} heads" for family, count in heads)
    found: dict[str, int] = dict(by_wallet)
    for address in visitors.let_in.keys() | found.keys():
        sure, count = visitors.let_in[address], found.get(address, 0)
        if not sure <= count <= sure + visitors.unknown[address]:
            yield f"a wallet was let in {sure} times, and has {count} log-ins"
