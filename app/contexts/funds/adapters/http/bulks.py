"""POST /v1/wallet/send/bulk."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Final

from msgspec import UNSET

from app.contexts.funds.adapters.http.answers import PAID_OUT
from app.contexts.funds.adapters.http.bodies import BULK_BODY, BulkBody
from app.contexts.funds.adapters.http.own_wallet import TAG
from app.contexts.funds.adapters.http.refusals import SENDING_TO_SEVERAL
from app.contexts.funds.adapters.http.transfers import ONCE, Recalling
from app.contexts.funds.application.asked import BulkRequest, Payout, Result
from app.contexts.funds.application.wallet_reader import WalletReader
from app.contexts.funds.domain.bulk import BulkMode
from app.contexts.funds.domain.refusals import UserNotFound
from app.kernel.ids import UserId
from app.kernel.money import Currency, Money
from app.kernel.new_ids import Ids
from app.kernel.principal import Principal, Role
from app.platform.http.errors import validation
from app.platform.http.inflight import InFlight
from app.platform.http.keyed import keyed, reply_of
from app.platform.http.operations import BEARER, Access, Operation, Request
from app.platform.http.parameters import IDEMPOTENCY_KEY, TRACEPARENT
from app.platform.http.replies import Reply
from app.platform.http.shapes import CURRENCY_RULE
from app.platform.idempotency.keys import Answered, KeyedRequest
from app.platform.people import Directory

SendingToSeveral = Callable[[BulkRequest, float], Awaitable[Result]]
"""The batched use case; see `Sending`."""

WRITE_SCOPE: Final = "transfers:write"
_BULK: Final = "/v1/wallet/send/bulk"


@dataclass(frozen=True, slots=True)
class Bulks:
    """The handler, with what it needs. `known` are the currencies; a request is answered within the time."""

    send: SendingToSeveral
    answer_of: Recalling
    wallets: WalletReader
    directory: Directory
    ids: Ids
    in_flight: InFlight
    known: AbstractSet[str]
    timeout_s: float

    def operations(self) -> Sequence[Operation]:
        """What HTTP offers of it."""
        bulk = Operation(
            method="POST",
            template=_BULK,
            name="sendToSeveral",
            tag=TAG,
            summary="Send money to several users",
            description=f"{ONCE} All of it is one transaction.",
            who=BEARER,
            access=Access(frozenset(Role), WRITE_SCOPE),
            buckets=("wallet",),
            handler=self.send_to_several,
            parameters=(IDEMPOTENCY_KEY, TRACEPARENT),
            body=BULK_BODY,
            successes=(PAID_OUT,),
            refusals=SENDING_TO_SEVERAL,
        )
        return [bulk]

    async def send_to_several(self, request: Request) -> Reply:
        """Answer a request to send to several."""
        body = request[BULK_BODY].normal()
        if request.asker.is_machine and body.sender is UNSET:
            raise validation({"from": "is required where a machine asks"})
        asked = keyed(request, f"POST {_BULK}", body)
        deadline = asyncio.get_running_loop().time() + self.timeout_s
        sending = self._send(request, asked, body, deadline)
        return reply_of(request, await self.in_flight.write(sending, deadline))

    async def _send(self, request: Request, asked: KeyedRequest, body: BulkBody, deadline: float) -> Answered:
        asker = request.asker
        sender = await self._sender(asker, body)
        problem = UserNotFound() if sender is None else await self._unknown_currency(sender, body)
        if sender is None or problem is not None:
            answered = await self.answer_of(asked)
            if answered is None:
                assert problem is not None
                raise problem
            return answered
        result = await self.send(
            BulkRequest(
                scope=asked.scope,
                fingerprint=asked.fingerprint,
                tenant_id=asker.tenant_id,
                bulk_id=self.ids(),
                sender=sender,
                mode=BulkMode(body.mode),
                payouts=await self._payouts(asker, body),
                traceparent=request[TRACEPARENT],
            ),
            deadline,
        )
        if isinstance(result, Answered):
            return result
        raise result

    async def _sender(self, asker: Principal, body: BulkBody) -> UserId | None:
        """Whose money it is: the user's own, or whose the machine names."""
        if body.sender is UNSET:
            return UserId(asker.id)
        person = await self.directory.resolve(asker.tenant_id, body.sender)
        if person is None or not (asker.is_machine or person.id == asker.id):
            return None
        return person.id

    async def _unknown_currency(self, sender: UserId, body: BulkBody) -> Exception | None:
        """What is wrong with transfers in currencies that nobody knows, if the sender has no wallet in them."""
        unknown = {one.currency for one in body.transfers} - self.known
        if not unknown:
            return None
        held = {balance.currency for balance in await self.wallets.balances(sender)}
        wrong = {
            f"transfers[{index}].currency": CURRENCY_RULE
            for index, one in enumerate(body.transfers)
            if one.currency in unknown - held
        }
        return validation(wrong) if wrong else None

    async def _payouts(self, asker: Principal, body: BulkBody) -> tuple[Payout, ...]:
        """To whom each goes."""
        found = await self.directory.resolve_all(asker.tenant_id, {one.to for one in body.transfers})
        return tuple([
            Payout(
                found[one.to].id if one.to in found else None,
                Money(one.amount, Currency(one.currency)),
                None if one.note is UNSET else one.note,
            )
            for one in body.transfers
        ])  # fmt: skip
