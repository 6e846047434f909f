"""What is said of reports and findings."""

from typing import Annotated, Any, Final

from msgspec import Meta, Struct

from app.contexts.reconciliation.adapters.http.errors import MOST_BYTES
from app.contexts.reconciliation.adapters.http.examples import NOTE, REPORT
from app.contexts.reconciliation.application.resolve_finding import MOST_OF_A_NOTE
from app.platform.http.csv_body import CsvBody
from app.platform.http.json_body import JsonBody, Rule
from app.platform.http.shapes import PLAIN_TEXT, is_plain

_TEXT: Final = f"must be a string of 1 to {MOST_OF_A_NOTE} characters, none of them a control character"
_Text = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=MOST_OF_A_NOTE,
        description="No control characters and no line separators.",
        extra_json_schema={"pattern": PLAIN_TEXT},
    ),
]


def _plain(text: Any) -> bool:
    return not isinstance(text, str) or is_plain(text)


class NoteBody(Struct, frozen=True, forbid_unknown_fields=True):
    """What was found out about a finding."""

    note: Annotated[_Text, Rule(_TEXT, _plain)]


NOTE_BODY: Final = JsonBody(NoteBody, {"note": NOTE}, "a resolution")
REPORT_BODY: Final = CsvBody(MOST_BYTES, REPORT)
