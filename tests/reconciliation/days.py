"""Days with every kind of fault, and what is to be found on them: each payment has a story, and a story has its answer.

The answer is known from how the day was made, and never worked out from what is compared.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from hypothesis import strategies as st

from app.kernel.principal import TenantId
from tests.reconciliation.desk import DAY, Refund, Row, at, line

Found = tuple[str, str]
"""A kind, and what it is about."""
LONG_AGO = at(DAY - timedelta(days=9))


@dataclass
class Story:
    """A payment or a refund: as it is here, what reports say of it, and what is to be found. The lines of a day are in
    no order. `here` is None for what nobody here has asked for; `then` is what becomes of it before the next day's run.
    """

    here: Row | Refund | None
    lines: Sequence[str] = ()
    findings: Sequence[Found] = ()
    carried: int = 0
    matched: int = 0
    then: tuple[str, str] | None = None
    next_lines: Sequence[str] = ()
    next_findings: Sequence[Found] = ()
    next_matched: int = 0
    is_others: bool = False


def _made(tenant: TenantId, is_refund: bool, amount: int, status: str, clock: str = "12:00:00") -> Row | Refund:
    """Something that became final on the day. `status` is a charge's."""
    if not is_refund:
        return Row(tenant, status, at(DAY, clock), amount)
    of_refund = {"APPROVED": "COMPLETED", "DECLINED": "REFUSED", "FAILED": "REFUSED"}.get(status, status)
    return Refund(Row(tenant, finalized_at=LONG_AGO, amount=amount), of_refund, at(DAY, clock), amount)


def _strange(is_refund: bool) -> tuple[UUID, str]:
    """A line of what there is not."""
    row: Row | Refund = Refund(Row(None)) if is_refund else Row(None)
    return row.id, line(row)


def story(name: str, tenant: TenantId, other: TenantId, is_refund: bool, amount: int) -> Story:
    """The story of that name."""
    if name == "another tenant's":
        theirs = _made(other, is_refund, amount, "APPROVED")
        return Story(theirs, [line(theirs), line(theirs, amount=amount + 1)], is_others=True)
    found = _quiet(name, tenant, is_refund, amount) or _wrong(name, tenant, is_refund, amount)
    assert found is not None, name
    return found


def _quiet(name: str, tenant: TenantId, is_refund: bool, amount: int) -> Story | None:
    """Of which nothing, or nothing but what is missing there, is to be found."""
    made = _made(tenant, is_refund, amount, "APPROVED")
    about = str(made.id)
    match name:
        case "fits":
            return Story(made, [line(made)], matched=1)
        case "fits, told the next day":
            late = _made(tenant, is_refund, amount, "APPROVED", "23:59:00")
            return Story(late, carried=1, next_lines=[line(late)], next_matched=1)
        case "not told, close to midnight":
            late = _made(tenant, is_refund, amount, "APPROVED", "00:03:00")
            return Story(late, carried=1, next_findings=[("missing_there", str(late.id))])
        case "not told":
            return Story(made, findings=[("missing_there", about)])
        case "refused, and rightly not told":
            return Story(_made(tenant, is_refund, amount, "DECLINED"))
    return None


def _wrong(name: str, tenant: TenantId, is_refund: bool, amount: int) -> Story | None:
    """Of which the report says something else than what is here."""
    made = _made(tenant, is_refund, amount, "APPROVED")
    about = str(made.id)
    match name:
        case "refused, and told":
            refused = _made(tenant, is_refund, amount, "DECLINED")
            return Story(refused, [line(refused)], [("status_differs", str(refused.id))])
        case "pending, then fine":
            pending = _made(tenant, is_refund, amount, "PENDING")
            return Story(pending, [line(pending)], carried=1, then=("APPROVED", "COMPLETED"))
        case "pending, then refused":
            pending = _made(tenant, is_refund, amount, "PENDING")
            wrong = [("status_differs", str(pending.id))]
            return Story(pending, [line(pending)], carried=1, then=("FAILED", "REFUSED"), next_findings=wrong)
        case "pending for long":
            pending = _made(tenant, is_refund, amount, "PENDING")
            return Story(pending, [line(pending)], carried=1, next_findings=[("status_differs", str(pending.id))])
        case "another amount":
            return Story(made, [line(made, amount=amount + 1)], [("amount_differs", about)])
        case "another currency":
            return Story(made, [line(made, currency="EUR", amount=amount + 1)], [("currency_differs", about)])
        case "told twice":
            return Story(made, [line(made)] * 2, [("doubled", about)], matched=1)
        case "told three times, and strange":
            strange, told = _strange(is_refund)
            return Story(None, [told] * 3, [("missing_here", str(strange)), *[("doubled", str(strange))] * 2])
        case "strange":
            strange, told = _strange(is_refund)
            return Story(None, [told], [("missing_here", str(strange))])
    return None


NAMES = (
    "fits", "fits, told the next day", "not told, close to midnight", "not told", "refused, and rightly not told",
    "refused, and told", "pending, then fine", "pending, then refused", "pending for long", "another amount",
    "another currency", "told twice", "told three times, and strange", "strange", "another tenant's",
)  # fmt: skip

Plot = tuple[str, bool, int]

plots = st.lists(st.tuples(st.sampled_from(NAMES), st.booleans(), st.integers(1, 2**40)), min_size=1, max_size=25)
"""Of a day: the story's name, whether it is a refund's, the amount."""


def made_of(of_a_day: Sequence[Plot], tenant: TenantId, other: TenantId) -> Sequence[Story]:
    """The stories of a day."""
    return [story(name, tenant, other, is_refund, amount) for name, is_refund, amount in of_a_day]
