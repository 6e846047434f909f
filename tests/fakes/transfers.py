"""Sending, paying in and reading of one's own, told how to end."""

import asyncio
from collections.abc import Sequence

from app.contexts.funds.adapters.http.answers import HttpTransferAnswers
from app.contexts.funds.application.asked import ReceiveRequest, Result, SendRequest
from app.contexts.funds.application.read_holds import HoldLine
from app.contexts.funds.application.read_transactions import Position
from app.contexts.funds.domain.refusals import BalanceLimit, InsufficientFunds, WalletNotFound
from app.contexts.funds.domain.transfer import CompletedTransfer
from app.kernel.errors import Unavailable
from app.kernel.ids import UserId
from app.platform.idempotency.keys import Answered, KeyedRequest, KeyScope
from app.platform.idempotency.refusals import KeyInProgress, KeyReused
from tests.builders import NOON

ANSWERS = HttpTransferAnswers()


class FakeTransfers:
    """Ends each request as its note says, or its reference. `hold` waits for the release."""

    def __init__(self) -> None:
        self.asked: list[SendRequest | ReceiveRequest] = []
        self.release = asyncio.Event()
        self.finished = 0
        self.known: dict[KeyScope, Answered] = {}

    async def answer_of(self, request: KeyedRequest) -> Answered | None:
        return self.known.get(request.scope)

    async def send(self, request: SendRequest, _: float) -> Result:
        return await self._end(request, request.note, request.sender)

    async def receive(self, request: ReceiveRequest, _: float) -> Result:
        return await self._end(request, request.reference, None)

    async def _end(self, request: SendRequest | ReceiveRequest, how: str | None, sender: UserId | None) -> Result:
        self.asked.append(request)
        money = request.money
        refusals: dict[str | None, Result] = {
            "no-wallet": WalletNotFound(money.currency),
            "in-progress": KeyInProgress(),
            "reused": KeyReused(),
            "unavailable": Unavailable("the secret of the house"),
        }
        if how == "bug":
            raise RuntimeError("the secret of the house")
        if how in refusals:
            return refusals[how]
        if how == "hold":
            await self.release.wait()
        self.finished += 1
        if how == "poor":
            return Answered(ANSWERS.refused(InsufficientFunds(money.currency, 1, money.amount_minor)))
        if how == "full":
            return Answered(ANSWERS.refused(BalanceLimit()))
        note = request.note if isinstance(request, SendRequest) else None
        transfer = CompletedTransfer(
            request.transfer_id, request.tenant_id, sender, request.recipient, money, NOON, note
        )  # fmt: skip
        return Answered(ANSWERS.completed(transfer), replayed=how == "replayed")


class FakeHolds:
    """Nothing is set aside."""

    async def holds(self, _: UserId, __: Position | None, ___: int) -> Sequence[HoldLine]:
        return []
