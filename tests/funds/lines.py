"""A user's money that has moved in every way there is, as rows."""

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID, uuid4

import psycopg

from app.kernel.ids import UserId
from tests.builders import NOON, user_id


@dataclass(frozen=True)
class Moved:
    """Whose money it is, from and to whom it went, and for which business."""

    user: UserId
    other: UserId
    hold: UUID
    business: UUID


# Kind, amount, account and signed amount of the leg that is the user's own, balance behind it.
WAYS: list[tuple[str, int, str, int, int | None]] = [
    ("FUNDING", 10_000, "funding", -10_000, 10_000),
    ("TRANSFER_OUT", 100, "transfers", 100, 9_900),
    ("TRANSFER_IN", 50, "transfers", -50, 9_950),
    ("HOLD", 500, "held", 500, 9_450),
    ("CAPTURE_OUT", 300, "transfers", 300, None),
    ("RELEASE", 200, "held", -200, 9_650),
    ("CAPTURE_IN", 20, "transfers", -20, 9_670),
    ("FEE", 5, "transfers", -5, 9_675),
]


def move(owner_url: str) -> Moved:
    """Let it move, a minute between one movement and the next; a hold of 70 is still open, another is captured."""
    moved = Moved(user_id(), user_id(), uuid4(), uuid4())
    with psycopg.connect(owner_url, autocommit=True) as owner:
        owner.execute(
            "INSERT INTO wallet_balances (user_id, currency, current_balance, held, version, updated_at)"
            " VALUES (%s, 'USD', 9675, 70, 7, %s)",
            (moved.user, NOON),
        )
        version = 0
        for nth, way in enumerate(WAYS):
            version += way[4] is not None
            _movement(owner, moved, nth, way, version)
        for hold_id, captured, released, status, nth in (
            (moved.hold, 300, 200, "CAPTURED", 0),
            (uuid4(), 0, 0, "OPEN", 1),
        ):
            amount = captured + released or 70
            closed = status != "OPEN"
            owner.execute(
                "INSERT INTO holds (user_id, id, tenant_id, context, business_id, amount, captured, released, currency,"
                " status, version, capture_fingerprint, created_at, closed_at)"
                " VALUES (%s, %s, %s, 'auctions', %s, %s, %s, %s, 'USD', %s, 1, %s, %s, %s)",
                (moved.user, hold_id, uuid4(), moved.business, amount, captured, released, status,
                 b"f" if closed else None, NOON + timedelta(minutes=nth), NOON if closed else None),
            )  # fmt: skip
    return moved


def _movement(
    owner: psycopg.Connection, moved: Moved, nth: int, way: tuple[str, int, str, int, int | None], version: int
) -> None:
    kind, amount, account, signed, balance = way
    at = NOON + timedelta(minutes=nth)
    movement = moved.hold if kind == "CAPTURE_OUT" else uuid4()
    of_a_hold = kind in ("HOLD", "RELEASE", "CAPTURE_OUT")
    owner.execute(
        "INSERT INTO transactions (user_id, id, kind, reference, amount, currency, status, created_at, counterparty,"
        " note, business_id, hold_id) VALUES (%s, %s, %s, %s, %s, 'USD', 'COMPLETED', %s, %s, %s, %s, %s)",
        (moved.user, movement, kind, "top-up" if kind == "FUNDING" else None, amount, at,
         moved.other if kind in ("TRANSFER_OUT", "TRANSFER_IN", "CAPTURE_IN") else None,
         f"note {nth}" if kind.startswith("TRANSFER") else None,
         moved.business if of_a_hold or kind == "CAPTURE_IN" else None, moved.hold if of_a_hold else None),
    )  # fmt: skip
    insert = (
        "INSERT INTO ledger_entries (user_id, transaction_id, account, currency, amount, balance_after, wallet_version,"
        " created_at) VALUES (%s, %s, %s, 'USD', %s, %s, %s, %s)"
    )
    owner.execute(insert, (moved.user, movement, account, signed, None, None, at))
    if balance is None:
        owner.execute(insert, (moved.user, movement, "held", -signed, None, None, at))
    else:
        owner.execute(insert, (moved.user, movement, "wallet", -signed, balance, version, at))
