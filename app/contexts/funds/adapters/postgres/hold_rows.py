"""Holds as they are locked and written."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from app.contexts.funds.domain.hold import Hold, HoldRef, HoldStatus
from app.contexts.funds.domain.ids import HoldId
from app.kernel.ids import UserId
from app.kernel.money import Currency, Money
from app.kernel.principal import TenantId
from app.platform.postgres.pipeline import Call, Row, Statement, columns

COLUMNS: Final = """
    h.id, h.user_id, h.tenant_id, h.context, h.business_id, h.amount, h.currency, h.created_at, h.expires_at,
    h.captured, h.released, h.status, h.version, h.capture_fingerprint, h.closed_at
"""
"""Of a hold, in the order of `hold_of`; the table is `h`."""

_LOCK: Final = Statement(f"""
    SELECT {COLUMNS}
    FROM holds h
    WHERE (h.user_id, h.id) IN (SELECT * FROM unnest(%b::uuid[], %b::uuid[]))
    ORDER BY h.user_id, h.id
    FOR UPDATE OF h
""")

_INSERT: Final = Statement("""
    INSERT INTO holds (user_id, id, tenant_id, context, business_id, amount, currency, status, version, created_at,
                       expires_at)
    SELECT * FROM unnest(%b::uuid[], %b::uuid[], %b::uuid[], %b::text[], %b::uuid[], %b::bigint[], %b::text[],
                         %b::text[], %b::smallint[], %b::timestamptz[], %b::timestamptz[])
""")

# A closed one stays as it is, whoever means to write it.
_UPDATE: Final = Statement("""
    UPDATE holds h
    SET amount = r.amount, captured = r.captured, released = r.released, status = r.status, version = r.version,
        capture_fingerprint = r.capture_fingerprint, closed_at = r.closed_at
    FROM unnest(%b::uuid[], %b::uuid[], %b::bigint[], %b::bigint[], %b::bigint[], %b::text[], %b::smallint[],
                %b::bytea[], %b::timestamptz[])
        AS r (user_id, id, amount, captured, released, status, version, capture_fingerprint, closed_at)
    WHERE h.user_id = r.user_id AND h.id = r.id AND h.closed_at IS NULL
""")


def lock_holds(refs: Iterable[HoldRef]) -> Call:
    """The statement that locks those of the holds that there are; `holds_of` reads its rows. There has to be one."""
    return _LOCK, columns([*dict.fromkeys((ref.owner, ref.id) for ref in refs)])


def holds_of(rows: Iterable[Row]) -> Mapping[HoldId, Hold]:
    """The holds that were locked."""
    return {HoldId(row[0]): hold_of(row) for row in rows}


def insert_holds(holds: Iterable[Hold]) -> Call:
    """The statement that writes new holds."""
    return _INSERT, columns([
        (h.owner, h.id, h.tenant_id, h.context, h.business_id, h.money.amount_minor, h.money.currency, h.status,
         h.version, h.created_at, h.expires_at)
        for h in holds
    ])  # fmt: skip


def update_holds(holds: Iterable[Hold]) -> Call:
    """The statement that writes holds as they are now, each of which is locked."""
    return _UPDATE, columns([
        (h.owner, h.id, h.money.amount_minor, h.captured_minor, h.released_minor, h.status, h.version,
         h.capture_fingerprint, h.closed_at)
        for h in holds
    ])  # fmt: skip


def hold_of(row: Sequence[Any]) -> Hold:
    """The hold of a row of `COLUMNS`."""
    return Hold(
        id=HoldId(row[0]),
        owner=UserId(row[1]),
        tenant_id=TenantId(row[2]),
        context=row[3],
        business_id=row[4],
        money=Money(row[5], Currency(row[6])),
        created_at=row[7],
        expires_at=row[8],
        captured_minor=row[9],
        released_minor=row[10],
        status=HoldStatus(row[11]),
        version=row[12],
        capture_fingerprint=row[13],
        closed_at=row[14],
    )
