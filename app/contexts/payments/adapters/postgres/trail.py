"""Whether the audit trail has the events of every payment and refund, and no others."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple
from uuid import UUID

from app.contexts.payments.domain.payment import Status
from app.contexts.payments.domain.refund import RefundStatus
from app.contexts.payments.domain.refund_events import RefundEventType
from app.platform.postgres.inspection import Session
from app.platform.postgres.integrity import rows
from app.platform.postgres.pipeline import Row

SETTLING_S = 60.0
"""How long a sent event may take into the audit trail before it counts as lost."""

# What other contexts tell is theirs to compare.
# Types and ids are gathered in the order in which the subquery brings them: sorting all rows once is cheaper than each
# subject's few. Of what is too many, one is enough to tell. They come as the text of an array, which quotes whatever
# else than a type of ours could be in it, and are only taken apart where they differ from what they should be.
_TRAIL: Final = """
    SELECT subject, (array_agg(type))[:4]::text, (array_agg(event_id))[:4]::text
    FROM (
        SELECT subject, type, event_id FROM audit.events
        WHERE {ours}
        ORDER BY subject, sequence, position
    ) e
    GROUP BY subject
    ORDER BY subject
"""

# A payment, or a refund, is due in the trail when the last of its events has been sent for a while, or cleaned up
# since. "now()" is when the snapshot was taken, however long ago that is.
_SUBJECTS: Final = f"""
    SELECT p.id, p.user_id, p.status, o.types, o.ids,
           coalesce(o.are_settled, true)
               AND coalesce(p.finalized_at, p.created_at) < now() - interval '{SETTLING_S} s' AS is_due
    FROM {{table}} p
    LEFT JOIN (
        SELECT user_id, subject, (array_agg(type))[:4]::text AS types, (array_agg(event_id))[:4]::text AS ids,
               bool_and(sent_at IS NOT NULL AND sent_at < now() - interval '{SETTLING_S} s') AS are_settled
        FROM (
            SELECT user_id, subject, type, event_id, sent_at FROM payments.outbox_events
            ORDER BY subject, user_id, sequence
        ) e
        GROUP BY subject, user_id
    ) o ON o.user_id = p.user_id AND o.subject = p.id
    ORDER BY p.id
"""


class Subjects(NamedTuple):
    """What events are about: what it is called, where it is, the types, and those that it has where it stands so."""

    noun: str
    table: str
    ours: str
    """A condition for the events of the trail that are about it."""
    events: Mapping[str, str]


# Another word of theirs would be nobody's: so it is with the payments that those are which nobody knows.
_REFUNDS: Final = ", ".join(f"'{type_.value}'" for type_ in RefundEventType)

PAYMENTS: Final = Subjects(
    "payment",
    "payments",
    f"split_part(type, '.', 1) IN ('payment', 'refund') AND type NOT IN ({_REFUNDS})",
    {
        Status.PENDING: "{payment.created}",
        Status.APPROVED: "{payment.created,payment.completed}",
        Status.DECLINED: "{payment.created,payment.failed,refund.created}",
        Status.FAILED: "{payment.created,payment.failed,refund.created}",
    },
)
REFUNDS: Final = Subjects(
    "refund",
    "payments.refunds",
    f"type IN ({_REFUNDS})",
    {
        RefundStatus.PENDING: "{refund.requested}",
        RefundStatus.COMPLETED: "{refund.requested,refund.completed}",
        RefundStatus.REFUSED: "{refund.requested,refund.refused}",
    },
)


class _Told(NamedTuple):
    """What the trail has of a subject: the types of its events, and their ids."""

    subject: UUID
    types: str
    ids: str


class _Subject(NamedTuple):
    """A payment or a refund, and what the outbox still has of it."""

    id: UUID
    user_id: UUID
    status: str
    types: str | None
    ids: str | None
    is_due: bool


@dataclass(frozen=True, slots=True)
class TrailIsComplete:
    """Compares the trail with the subjects, both in the order of their ids. The trail's snapshot is the older."""

    trail: Session
    books: Session
    of: Subjects = PAYMENTS

    @property
    def name(self) -> str:
        """See `Check.name`."""
        return "audit_trail_is_complete" if self.of is PAYMENTS else f"audit_trail_has_every_{self.of.noun}"

    @property
    def claim(self) -> str:
        """See `Check.claim`."""
        noun = self.of.noun
        return f"every {noun}'s events are in the audit trail, each once, and no other {noun}'s"

    async def offenders(self) -> AsyncIterator[str]:
        """Subjects whose events are missing, doubled or foreign."""
        trail = rows(self.trail, _TRAIL.format(ours=self.of.ours))
        told = await _next(trail)
        async for row in rows(self.books, _SUBJECTS.format(table=self.of.table)):
            subject = _Subject(*row)
            while told is not None and told.subject < subject.id:
                yield self._phantom(told)
                told = await _next(trail)
            of_it = _Told(subject.id, "{}", "{}")
            if told is not None and told.subject == subject.id:
                of_it = told
                told = await _next(trail)
            if contradiction := self._contradiction(subject, of_it):
                yield contradiction
        while told is not None:
            yield self._phantom(told)
            told = await _next(trail)

    def _contradiction(self, subject: _Subject, told: _Told) -> str | None:
        expected, noun = self.of.events.get(subject.status, "{}"), self.of.noun
        if told.types == expected and subject.ids in (told.ids, None):
            return None
        types = _parts(told.types)
        is_part = set(types) <= set(_parts(expected)) and len(types) == len(set(types))
        if not is_part or (subject.is_due and told.types != expected):
            return f"{noun} {subject.id} of user {subject.user_id} is {subject.status}, the trail has {told.types}"
        # Some events may have been cleaned up from the outbox, others may be on their way: what both have is the same.
        kept = dict(zip(_parts(subject.types), _parts(subject.ids), strict=False))
        for type_, event_id in zip(types, _parts(told.ids), strict=True):
            if kept.get(type_, event_id) != event_id:
                return f"the trail has event {event_id} as {type_} of {noun} {subject.id}, the outbox has {kept[type_]}"
        return None

    def _phantom(self, told: _Told) -> str:
        return f"the trail has {told.types} of {self.of.noun} {told.subject}, which does not exist"


async def _next(trail: AsyncIterator[Row]) -> _Told | None:
    row = await anext(trail, None)
    return None if row is None else _Told(*row)


def _parts(array: str | None) -> list[str]:
    """What is in an array of plain words; of quoted ones anything but plain words."""
    return array[1:-1].split(",") if array not in (None, "{}") else []
