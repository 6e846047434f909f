"""The report of a day: what stands at its end, a line each, as CSV; wrong where the mode says so."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from itertools import islice
from typing import NamedTuple
from uuid import UUID

from mock_gateway.charges import Charges
from mock_gateway.modes import Mode
from mock_gateway.replies import Answer, Listing, problem
from mock_gateway.values import PaymentId, wrong

HEADER = "type,charge_id,payment_id,refund_id,amount,currency,occurred_at\n"
LINES_A_PIECE = 500


class Line(NamedTuple):
    """A line: a charge, or a refund."""

    type: str
    charge_id: str
    payment_id: str
    refund_id: str
    amount: int
    currency: str
    occurred_at_s: float

    @property
    def text(self) -> str:
        """As it is in the report."""
        at = datetime.fromtimestamp(self.occurred_at_s, UTC).isoformat(timespec="microseconds")
        named = f"{self.type},{self.charge_id},{self.payment_id},{self.refund_id}"
        return f"{named},{self.amount},{self.currency},{at.removesuffix('+00:00')}Z\n"


def report_of(charges: Charges, mode: Mode, text: str) -> Listing | Answer:
    """The report of a day, of which there is one until today."""
    try:
        day = date.fromisoformat(text)
    except ValueError:
        day = date.max
    if text != day.isoformat() or day > datetime.now(UTC).date():
        return problem(404, "there is a report of each day like 2026-01-31, until today")
    return Listing(_pieces(charges, mode, day), b"text/csv")


def _pieces(charges: Charges, mode: Mode, day: date) -> Iterator[bytes]:
    """The whole may be larger than one would hold."""
    begins = datetime.combine(day, time(), UTC)
    standing = _lines(charges, begins.timestamp(), (begins + timedelta(days=1)).timestamp())
    told = (line.text for one in standing for line in _told(one, mode))
    yield HEADER.encode()
    while piece := "".join(islice(told, LINES_A_PIECE)):
        yield piece.encode()


def _lines(charges: Charges, begins_s: float, ends_s: float) -> Iterator[Line]:
    for record in charges.records():
        charge = record.charge
        if charge is None or charge.status != "APPROVED" or not begins_s <= record.charged_at_s < ends_s:
            continue
        if not record.voided or record.voided_at_s >= ends_s:
            yield Line(
                "charge", charge.charge_id, charge.payment_id, "", charge.amount, charge.currency, record.charged_at_s
            )
    for refund, at_s in charges.refunds.given():
        record = charges.of(PaymentId(refund.payment_id))
        if record.charge and begins_s <= at_s < ends_s:
            yield Line(
                "refund", record.charge.charge_id, refund.payment_id, refund.refund_id, refund.amount, refund.currency,
                at_s,
            )  # fmt: skip


def _told(line: Line, mode: Mode) -> Iterator[Line]:
    """What the report says of it."""
    match mode.draw_fault(line.refund_id or line.payment_id):
        case "missing":
            return
        case "wrong_amount":
            yield line._replace(amount=wrong(line.amount))
        case "wrong_currency":
            yield line._replace(currency="EUR" if line.currency != "EUR" else "USD")
        case "doubled":
            yield from (line, line)
        case "foreign":
            yield line
            yield _stranger(line)
        case _:
            yield line


def _stranger(line: Line) -> Line:
    """A charge that nobody has asked for: the same report has the same."""
    charge_id, payment_id = (str(UUID(int=UUID(one).int ^ 1 << 8)) for one in (line.charge_id, line.payment_id))
    return line._replace(type="charge", charge_id=charge_id, payment_id=payment_id, refund_id="")
