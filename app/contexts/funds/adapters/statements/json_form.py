"""A statement as JSON: the lines as in the pages of transactions."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from msgspec import Struct, field, json

from app.contexts.funds.adapters.http.own_views import OwnTransactionShape, own_transaction
from app.contexts.funds.adapters.http.views import BalanceAmount
from app.contexts.funds.application.statement import OpenStatement, StatementLine
from app.platform.http.shapes import Code, Time, timestamp
from app.platform.people import Person

_encode = json.Encoder().encode


class StatementShape(Struct, frozen=True):
    """What a wallet held, all that moved it, oldest first, and what it held then: `opening` + lines = `closing`."""

    user_id: UUID
    currency: Code
    since: Time = field(name="from")
    until: Time = field(name="to")
    opening: BalanceAmount
    lines: list[OwnTransactionShape]
    closing: BalanceAmount


class JsonForm:
    """One JSON object, said in pieces. It implements `Form`."""

    media_type = "application/json"
    ending = "json"

    def __init__(self) -> None:
        self._has_lines = False

    def begin(self, statement: OpenStatement, _: datetime) -> bytes:
        """See `Form.begin`."""
        known = {
            "user_id": statement.user_id,
            "currency": statement.currency,
            "from": timestamp(statement.since),
            "to": timestamp(statement.until),
            "opening": statement.opening_minor,
        }
        return _encode(known)[:-1] + b',"lines":['

    def lines(self, page: Sequence[StatementLine], people: Mapping[str, Person]) -> bytes:
        """See `Form.lines`."""
        between, self._has_lines = b"," if self._has_lines else b"", True
        by_id = {UUID(id_): person for id_, person in people.items()}
        return between + _encode([own_transaction(line.as_transaction(), by_id) for line in page])[1:-1]

    def end(self, statement: OpenStatement) -> bytes:
        """See `Form.end`."""
        return b'],"closing":%d}' % statement.closing_minor
