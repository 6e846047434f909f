"""What people of the market ask of the APIs, and what they are told."""

import asyncio
import random
from collections import Counter
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from typing import Any, Final

import aiohttp
import msgspec

from tests.system.e2e.crowd import Person

CALL_LIMIT_S: Final = 5.0
AGAIN_S: Final = 0.3
WAITS: Final = ((503, "UNAVAILABLE"), (409, "IDEMPOTENCY_IN_PROGRESS"), (409, "CHECKOUT_IN_PROGRESS"))
MOST_KEPT: Final = 200_000


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer of the API of that number, between two of the event loop's times; status 0 where there was none."""

    api: int
    began: float
    ended: float
    status: int = 0
    body: bytes = b""
    version: int = 0
    """Of the entity tag."""
    is_replay: bool = False

    @property
    def told(self) -> Any:
        """What it says."""
        return msgspec.json.decode(self.body) if self.body else None

    @property
    def code(self) -> str:
        """The error's, if it is one."""
        return str(self.told["error"]["code"]) if self.status >= 400 else ""

    @property
    def is_known(self) -> bool:
        """Whether it says what became of what was asked."""
        return self.status != 0 and (self.status, self.code) not in WAITS


class Asking:
    """Asks any of the APIs, for so long at the most as `patience_s`. `seen` counts what was answered to what."""

    def __init__(self, apis: Sequence[str], patience_s: float) -> None:
        self.apis = apis
        self.complaints: list[str] = []
        self.seen: Counter[str] = Counter()
        self.in_flight: Counter[int] = Counter()
        self._patience_s = patience_s
        self._loop = asyncio.get_running_loop()
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0), timeout=aiohttp.ClientTimeout(total=CALL_LIMIT_S)
        )

    @property
    def calls(self) -> int:
        """How many there were."""
        return self.seen.total()

    async def close(self) -> None:
        """Close the connections."""
        await self._session.close()

    async def ask(self, what: str, who: Person | None, api: int, method: str, path: str, /, **request: Any) -> Answer:
        """Ask once. What is not documented is complained of."""
        api %= len(self.apis)
        headers = (who.bearer if who else {}) | request.pop("headers", {})
        began, answer = self._loop.time(), None
        self.in_flight[api] += 1
        try:
            url = self.apis[api] + path
            async with self._session.request(method, url, headers=headers, **request) as reply:
                body = await reply.read()
                tag, replayed = reply.headers.get("ETag", '"0"'), reply.headers.get("Idempotent-Replayed") == "true"
                answer = Answer(api, began, self._loop.time(), reply.status, body, int(tag.strip('"')), replayed)
                if (answer.status, answer.code) in WAITS and "Retry-After" not in reply.headers:
                    self.complaints.append(f"{what}: {answer.status} {answer.code} without Retry-After")
        except (aiohttp.ClientError, OSError, TimeoutError):  # nothing is known then
            answer = answer or Answer(api, began, self._loop.time())
        finally:
            self.in_flight[api] -= 1
        self.seen[f"{what} {answer.code or answer.status or 'unknown'}"] += 1
        if answer.status >= 500 and not (answer.status == 503 and answer.code == "UNAVAILABLE"):
            self.complaints.append(f"{what} was answered {answer.status} {answer.code}")
        return answer

    async def insist(self, ask: Callable[[int], Coroutine[Any, Any, Answer]], api: int) -> Answer:
        """Ask until it is known, by turns at each API; the last answer, where that takes too long."""
        deadline = self._loop.time() + self._patience_s
        while not (answer := await ask(api)).is_known and self._loop.time() < deadline:
            api += 1
            await asyncio.sleep(AGAIN_S)
        return answer


def somewhere(dice: random.Random) -> int:
    """The number of any API."""
    return dice.randrange(2)
