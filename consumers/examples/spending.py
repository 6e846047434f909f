"""What each user spends a day, by currency: a consumer of one's own. Its tables are in spending.sql."""

from collections.abc import Sequence
from uuid import UUID

from msgspec import Struct

from consumers.kit import Connection, Event, consume

ADD = """
INSERT INTO spending.daily AS d (user_id, day, currency, payments, amount) VALUES (%s, %s, %s, 1, %s)
ON CONFLICT (user_id, day, currency) DO UPDATE SET payments = d.payments + 1, amount = d.amount + EXCLUDED.amount
"""


class Payment(Struct):
    user_id: UUID
    currency: str
    amount: int


async def add(connection: Connection, events: Sequence[Event]) -> None:
    rows = []
    for event in events:
        payment = event.data_as(Payment)
        rows.append((payment.user_id, event.time.date(), payment.currency, payment.amount))
    await connection.cursor().executemany(ADD, rows)


if __name__ == "__main__":
    consume("spending", ["payment.completed"], add, inbox="spending.inbox")
