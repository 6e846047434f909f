"""POST /v1/wallet/send and /v1/wallet/receive."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Final

from msgspec import UNSET

from app.contexts.funds.adapters.http.answers import RECEIVED, SENT
from app.contexts.funds.adapters.http.bodies import RECEIVE_BODY, SEND_BODY, SendBody
from app.contexts.funds.adapters.http.own_wallet import TAG
from app.contexts.funds.adapters.http.refusals import RECEIVING, SENDING
from app.contexts.funds.application.asked import ReceiveRequest, Result, SendRequest
from app.contexts.funds.application.wallet_reader import WalletReader
from app.contexts.funds.domain.ids import TransferId
from app.contexts.funds.domain.refusals import UserNotFound, WalletNotFound
from app.kernel.ids import UserId
from app.kernel.money import Currency, Money
from app.kernel.new_ids import Ids
from app.kernel.principal import Principal, Role
from app.platform.http import queries
from app.platform.http.errors import validation
from app.platform.http.inflight import InFlight
from app.platform.http.keyed import keyed, reply_of
from app.platform.http.operations import BEARER, Access, Operation, Request
from app.platform.http.parameters import IDEMPOTENCY_KEY, TRACEPARENT
from app.platform.http.replies import Reply
from app.platform.idempotency.keys import Answered, KeyedRequest
from app.platform.people import Directory

Sending = Callable[[SendRequest, float], Awaitable[Result]]
Receiving = Callable[[ReceiveRequest, float], Awaitable[Result]]
"""The batched use cases: each call is one command of a batch, begun by a time of the event loop or not at all."""
Recalling = Callable[[KeyedRequest], Awaitable[Answered | None]]
"""Tells what answered a request before, if something did."""

RECEIVE_SCOPE: Final = "wallet:receive"
_SEND, _RECEIVE = "/v1/wallet/send", "/v1/wallet/receive"
ONCE: Final = (
    "At most once for each who asks and key, however often it is sent. A finished request is answered again with the "
    "same bytes and `Idempotent-Replayed: true`."
)


@dataclass(frozen=True, slots=True)
class Transfers:
    """The handlers, with what they need. `known` are the currencies; a request is answered within the time."""

    send: Sending
    receive: Receiving
    answer_of: Recalling
    wallets: WalletReader
    directory: Directory
    ids: Ids
    in_flight: InFlight
    known: AbstractSet[str]
    timeout_s: float

    def operations(self) -> Sequence[Operation]:
        """What HTTP offers of sending and paying in."""
        send = Operation(
            method="POST",
            template=_SEND,
            name="sendMoney",
            tag=TAG,
            summary="Send money to another user",
            description=ONCE,
            who=BEARER,
            buckets=("wallet",),
            handler=self.send_money,
            parameters=(IDEMPOTENCY_KEY, TRACEPARENT),
            body=SEND_BODY,
            successes=(SENT,),
            refusals=SENDING,
        )
        receive = Operation(
            method="POST",
            template=_RECEIVE,
            name="receiveMoney",
            tag=TAG,
            summary="Pay in what came from outside",
            description=f"{ONCE} A reference pays in once for each user and currency, whatever the key.",
            who=BEARER,
            access=Access(frozenset({Role.ADMIN}), RECEIVE_SCOPE),
            handler=self.receive_money,
            parameters=(IDEMPOTENCY_KEY, TRACEPARENT),
            body=RECEIVE_BODY,
            successes=(RECEIVED,),
            refusals=RECEIVING,
        )
        return [send, receive]

    async def send_money(self, request: Request) -> Reply:
        """Answer a request to send."""
        body = request[SEND_BODY].normal()
        asked = keyed(request, f"POST {_SEND}", body)
        deadline = self._deadline()
        sending = self._send(request, asked, body, deadline)
        return reply_of(request, await self.in_flight.write(sending, deadline))

    async def receive_money(self, request: Request) -> Reply:
        """Answer a request to pay in."""
        asked = keyed(request, f"POST {_RECEIVE}", request[RECEIVE_BODY])
        deadline = self._deadline()
        receiving = self._receive(request, asked, deadline)
        return reply_of(request, await self.in_flight.write(receiving, deadline))

    def _deadline(self) -> float:
        return asyncio.get_running_loop().time() + self.timeout_s

    async def _send(self, request: Request, asked: KeyedRequest, body: SendBody, deadline: float) -> Answered:
        asker = request.asker
        recipient = await self.directory.resolve(asker.tenant_id, body.to)
        if recipient is None:
            return await self._answered_before(asked, await self._without_recipient(asker, Currency(body.currency)))
        if recipient.id == asker.id:
            raise validation({"to": "must be somebody else"})
        wanted = SendRequest(
            scope=asked.scope,
            fingerprint=asked.fingerprint,
            tenant_id=asker.tenant_id,
            transfer_id=TransferId(self.ids()),
            sender=UserId(asker.id),
            recipient=recipient.id,
            money=Money(body.amount, Currency(body.currency)),
            note=None if body.note is UNSET else body.note,
            traceparent=request[TRACEPARENT],
        )
        return self._answered(await self.send(wanted, deadline))

    async def _receive(self, request: Request, asked: KeyedRequest, deadline: float) -> Answered:
        asker, body = request.asker, request[RECEIVE_BODY]
        if problem := queries.unknown_currency(Currency(body.currency), self.known):
            return await self._answered_before(asked, problem)
        recipient = await self.directory.resolve(asker.tenant_id, str(body.user_id))
        if recipient is None:
            return await self._answered_before(asked, UserNotFound())
        wanted = ReceiveRequest(
            scope=asked.scope,
            fingerprint=asked.fingerprint,
            tenant_id=asker.tenant_id,
            transfer_id=TransferId(self.ids()),
            recipient=recipient.id,
            money=Money(body.amount, Currency(body.currency)),
            reference=body.reference,
            traceparent=request[TRACEPARENT],
        )
        return self._answered(await self.receive(wanted, deadline))

    async def _without_recipient(self, sender: Principal, currency: Currency) -> Exception:
        """What is wrong with a request to send to nobody: a currency that nobody knows is said first."""
        problem = queries.unknown_currency(currency, self.known)
        if problem is None or any(b.currency == currency for b in await self.wallets.balances(UserId(sender.id))):
            return UserNotFound()
        return problem

    def _answered(self, result: Result) -> Answered:
        """The answer, if there is one. A currency that nobody knows is malformed where there is no wallet in it."""
        match result:
            case Answered():
                return result
            case WalletNotFound(currency=currency):
                raise queries.unknown_currency(currency, self.known) or result
            case refusal:
                raise refusal

    async def _answered_before(self, asked: KeyedRequest, otherwise: Exception) -> Answered:
        """What the key has, where nothing can come of the request any more. If it has nothing: `otherwise`."""
        answered = await self.answer_of(asked)
        if answered is None:
            raise otherwise
        return answered
