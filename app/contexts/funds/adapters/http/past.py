"""GET …/wallet/balance and …/wallet/statement: what a wallet held at a time, and all that moved it between two."""

import asyncio
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from msgspec import json

from app.contexts.funds.adapters.http.past_operations import (
    AT,
    FORMAT,
    OF_OTHERS,
    ONES_OWN,
    SINCE,
    UNTIL,
    WALLET,
    PastBalanceShape,
    reading,
)
from app.contexts.funds.adapters.statements import camt
from app.contexts.funds.adapters.statements.forms import FORMS, Form
from app.contexts.funds.application.past import LookBack, Question, stood_at
from app.contexts.funds.application.statement import OpenStatement, StatementLine, Statements
from app.contexts.funds.domain.refusals import TimeToCome, UserNotFound, WalletNotFound
from app.kernel.ids import UserId
from app.kernel.principal import TenantId
from app.platform.http import queries
from app.platform.http.errors import validation
from app.platform.http.inflight import InFlight
from app.platform.http.operations import Operation, Request
from app.platform.http.parameters import USER_ID
from app.platform.http.replies import Reply
from app.platform.http.shapes import timestamp
from app.platform.http.streamed import Streamed
from app.platform.http.streams import Stream
from app.platform.people import Directory, Person

LINES_A_PIECE = 100
"""So many are put into words at once: a millisecond in which nothing else happens here."""
MOST_REMEMBERED = 10_000
"""People of a statement whose names are kept from page to page."""
_TO_COME = "must not be a time to come"

_encode = json.Encoder().encode


@dataclass(frozen=True, slots=True)
class Past:
    """The handlers, with what they need. `known` are the currencies; an answer begins within the time."""

    look_back: LookBack
    statements: Statements
    directory: Directory
    in_flight: InFlight
    known: AbstractSet[str]
    timeout_s: float

    def operations(self) -> Sequence[Operation]:
        """What HTTP offers of wallets as they were: one's own, and others'."""
        return [
            *reading(ONES_OWN, self.own_balance, self.own_statement),
            *reading(OF_OTHERS, self.balance_of, self.statement_of),
        ]

    async def own_balance(self, request: Request) -> Reply:
        """Answer what one's own wallet held."""
        return await self._balance(request, UserId(request.asker.id))

    async def own_statement(self, request: Request) -> Streamed:
        """Answer a statement of one's own wallet."""
        return await self._statement(request, UserId(request.asker.id))

    async def balance_of(self, request: Request) -> Reply:
        """Answer what a user's wallet held."""
        return await self._balance(request, await self._somebody(request))

    async def statement_of(self, request: Request) -> Streamed:
        """Answer a statement of a user's wallet."""
        return await self._statement(request, await self._somebody(request))

    async def _somebody(self, request: Request) -> UserId:
        """The user of the tenant that it is about."""
        user_id, tenant_id = request[USER_ID], request.asker.tenant_id
        if user_id not in await self.in_flight.read(self.directory.names(tenant_id, [user_id]), self.timeout_s):
            raise UserNotFound
        return user_id

    async def _balance(self, request: Request, user_id: UserId) -> Reply:
        currency, at = request[WALLET], request[AT]
        question = Question(user_id, currency, (at,), wants_held=True)
        try:
            looking = stood_at(self.look_back, question, self._deadline())
            (stood,) = await self.in_flight.read(looking, self.timeout_s)
        except WalletNotFound as refusal:
            raise queries.unknown_currency(currency, self.known) or refusal from None
        except TimeToCome:
            raise validation({"at": _TO_COME}) from None
        shape = PastBalanceShape(user_id, currency, timestamp(at), stood.balance_minor, stood.held_minor)
        return Reply(200, _encode(shape))

    async def _statement(self, request: Request, user_id: UserId) -> Streamed:
        name = request[FORMAT]
        statement = await self._open(request, user_id)
        if name == "camt.053":
            largest = await self.in_flight.read(self.statements.largest_minor(statement), self.timeout_s)
            if why := camt.why_not(statement.currency, largest):
                raise validation({"format": f"camt.053 cannot say this: {why}"})
        form = FORMS[name]()
        saying = _Saying(self.statements, self.directory, request.asker.tenant_id, statement, form)
        file = f'attachment; filename="statement-{statement.currency}.{form.ending}"'
        return Streamed(saying, form.media_type.encode(), ((b"content-disposition", file.encode()),), is_whole=True)

    async def _open(self, request: Request, user_id: UserId) -> OpenStatement:
        currency, since, until = request[WALLET], request[SINCE], request[UNTIL]
        if since > until:
            raise validation({"from": "must not be later than to"})
        try:
            opening = self.statements.open(user_id, currency, since, until, self._deadline())
            return await self.in_flight.read(opening, self.timeout_s)
        except WalletNotFound as refusal:
            raise queries.unknown_currency(currency, self.known) or refusal from None
        except TimeToCome:
            raise validation({"to": _TO_COME}) from None

    def _deadline(self) -> float:
        return asyncio.get_running_loop().time() + self.timeout_s


@dataclass(frozen=True, slots=True)
class _Saying:
    """Says a statement, page by page, with nothing held open in between."""

    statements: Statements
    directory: Directory
    tenant_id: TenantId
    statement: OpenStatement
    form: Form

    async def __call__(self, stream: Stream) -> None:
        await stream.say(self.form.begin(self.statement, datetime.now(UTC)))
        people: dict[str, Person | None] = {}
        async for page in self.statements.pages(self.statement):
            named = await self._named(page, people)
            for first in range(0, len(page), LINES_A_PIECE):
                await stream.say(self.form.lines(page[first : first + LINES_A_PIECE], named))
                await asyncio.sleep(0)  # others have their turn, and the next page is asked for
        if end := self.form.end(self.statement):
            await stream.say(end)

    async def _named(self, page: Sequence[StatementLine], people: dict[str, Person | None]) -> Mapping[str, Person]:
        """Those of the tenant with whom the lines are. `people` are those who were looked for so far."""
        others = {line.counterparty for line in page if line.counterparty}
        if missing := others - people.keys():
            if len(people) > MOST_REMEMBERED:
                people.clear()
                missing = others
            found = await self.directory.names(self.tenant_id, [UUID(id_) for id_ in missing])
            people |= {id_: found.get(UUID(id_)) for id_ in missing}
        return {id_: person for id_ in others if (person := people[id_])}
