"""The forms that a statement can be had in: each says its beginning, its lines page by page, and its end."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final, Protocol

from app.contexts.funds.adapters.statements.camt import Camt
from app.contexts.funds.adapters.statements.csv_form import CsvForm
from app.contexts.funds.adapters.statements.json_form import JsonForm
from app.contexts.funds.application.statement import OpenStatement, StatementLine
from app.platform.people import Person


class Form(Protocol):
    """Of one statement, for one answer. Pieces come in this order; there may be no page."""

    media_type: str
    ending: str
    """Of the names of files."""

    def begin(self, statement: OpenStatement, now: datetime) -> bytes:
        """What stands before all lines. `now` is when it is made."""
        ...

    def lines(self, page: Sequence[StatementLine], people: Mapping[str, Person]) -> bytes:
        """The lines of a page, in their order. `people` are those that may be named."""
        ...

    def end(self, statement: OpenStatement) -> bytes:
        """What stands behind all lines."""
        ...


FORMS: Final[Mapping[str, type[JsonForm | CsvForm | Camt]]] = {
    "json": JsonForm,
    "csv": CsvForm,
    "camt.053": Camt,
}
"""By the name that a client asks with."""
