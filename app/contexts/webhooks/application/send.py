"""Send what is due: claim it, call without a transaction open, and write down what came of it.

A process that dies in between leaves a lease that ends: the event is sent again then, under the same id.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Final, Protocol

from app.contexts.webhooks.application.ports import Seal
from app.contexts.webhooks.application.sending import Call, Claim, Ended, Sending
from app.contexts.webhooks.domain.delivery import Error, Result
from app.contexts.webhooks.domain.endpoint import Reason
from app.contexts.webhooks.domain.ids import EndpointId
from app.contexts.webhooks.domain.signing import signature
from app.kernel.errors import Unavailable
from app.kernel.principal import TenantId
from app.platform.process.rounds import Rounds
from app.platform.process.waiting import pause

CALLS: Final = 256
"""Under way at a time in a process."""
TIMEOUT_S: Final = 10.0
"""Of a call: for its name, its connection, and its answer."""
LEASE_S: Final = 30.0
"""How long a delivery is a sender's: its call, and time to write down what came of it."""
IDLE_S: Final = 0.1
"""Between two looks at what is due."""
SHORT_S: Final = 0.005
"""As long as what else ends is waited for, to be written down together."""

_CONTENT_TYPE: Final = "application/cloudevents+json"


class Recording(Protocol):
    """Writes what became of attempts; see `RecordAttempts`."""

    async def __call__(self, tenant_id: TenantId, ended: Sequence[Ended]) -> Mapping[EndpointId, Reason]: ...


class Observer(Protocol):
    """Is told of attempts that ended, and of endpoints that were disabled for it."""

    def ended(self, results: Sequence[Result]) -> None: ...

    def disabled(self, reasons: Mapping[EndpointId, Reason]) -> None: ...


class Send:
    """Sends, until told to stop: then what is under way is finished, and written down."""

    def __init__(
        self, sending: Sending, record: Recording, call: Call, seal: Seal, observer: Observer,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:  # fmt: skip
        self._sending = sending
        self._record = record
        self._call = call
        self._seal = seal
        self._observer = observer
        self._now = now
        self._calls: set[asyncio.Task[None]] = set()
        self._ended: list[Ended] = []
        self._news = asyncio.Event()
        self._turn = asyncio.Event()

    @property
    def under_way(self) -> int:
        """How many calls are under way."""
        return len(self._calls)

    async def run(self, stop: asyncio.Event) -> None:
        """Send until told to stop."""
        over = asyncio.Event()
        recording = asyncio.create_task(self._keep_recording(over))
        try:
            await self._keep_claiming(stop)
            if self._calls:
                await asyncio.wait(self._calls)
        finally:
            over.set()
            self._news.set()
            await recording

    async def _keep_claiming(self, stop: asyncio.Event) -> None:
        rounds = Rounds("send_webhooks")
        while not stop.is_set():
            wait_s, found = rounds.wait_s(IDLE_S), 0
            self._turn.clear()
            with rounds.survived():
                found = await self._claim()
            if not found:
                await self._wait(wait_s, stop)

    async def _wait(self, wait_s: float, stop: asyncio.Event) -> None:
        """Until something was written down, which may let others have their turn, or for so long."""
        waiting = asyncio.create_task(self._turn.wait())
        stopping = asyncio.create_task(stop.wait())
        await asyncio.wait({waiting, stopping}, timeout=wait_s, return_when=asyncio.FIRST_COMPLETED)
        waiting.cancel()
        stopping.cancel()

    async def _claim(self) -> int:
        """Claim what is due, as far as there is room, and begin to call; how many calls that are.

        What is wrong with one tenant's holds up no other's: it is raised once all had their turn.
        """
        found, failed = 0, list[Exception]()
        if len(self._calls) >= CALLS:
            return 0
        for tenant_id in await self._sending.due():
            room = CALLS - len(self._calls)
            if room <= 0:
                break
            try:
                claims = await self._sending.claim(tenant_id, room)
            except Unavailable:
                raise
            except Exception as error:  # raised below
                failed.append(error)
                continue
            found += len(claims)
            for claim in claims:
                task = asyncio.create_task(self._attempt(claim))
                self._calls.add(task)
                task.add_done_callback(self._calls.discard)
        if failed:
            raise failed[0]
        return found

    async def _attempt(self, claim: Claim) -> None:
        loop = asyncio.get_running_loop()
        began = loop.time()
        if began + TIMEOUT_S > claim.until:
            return  # this process stood still: it may be another's by now
        started_at = self._now()
        result = await self._called(claim, began + TIMEOUT_S, started_at)
        self._ended.append(Ended(claim, started_at, result))
        self._news.set()

    async def _called(self, claim: Claim, until: float, at: datetime) -> Result:
        try:
            secrets = [self._seal.open(one, claim.endpoint_id) for one in claim.sealed]
        except ValueError:
            return Result(error=Error.SECRET)
        event_id, timestamp = str(claim.event_id), int(at.timestamp())
        headers = {
            "content-type": _CONTENT_TYPE,
            "webhook-id": event_id,
            "webhook-timestamp": str(timestamp),
            "webhook-signature": signature(secrets, event_id, timestamp, claim.body),
        }
        return await self._call(claim.url, headers, claim.body, until)

    async def _keep_recording(self, over: asyncio.Event) -> None:
        """Write down what ends. When all is over it is tried once more: what is not written is sent again."""
        rounds, is_last = Rounds("record_webhooks"), False
        while not is_last:
            await self._news.wait()
            self._news.clear()
            is_last = over.is_set()
            if not is_last:
                await asyncio.sleep(SHORT_S)
            with rounds.survived():
                await self._write_down()
            if self._ended and not is_last:
                await pause(rounds.wait_s(IDLE_S), over)
                self._news.set()

    async def _write_down(self) -> None:
        """Write down what has ended. Of a tenant of whom it fails it stays, and holds up no other's."""
        ended, self._ended = self._ended, []
        by_tenant: dict[TenantId, list[Ended]] = {}
        for one in ended:
            by_tenant.setdefault(one.claim.tenant_id, []).append(one)
        failed: list[Exception] = []
        for tenant_id, own in by_tenant.items():
            try:
                self._observer.disabled(await self._record(tenant_id, own))
            except Exception as error:  # raised below
                failed.append(error)
                self._ended += own
                continue
            self._observer.ended([one.result for one in own])
            self._turn.set()
        if failed:
            raise failed[0]
