"""How an audit event is hashed, for whoever checks the chain.

    hash = SHA-256( previous_hash, then as UTF-8 text, with a line feed after each but the last: position, event_id,
                    subject, sequence, occurred_at, received_at, number of characters of the type, type and payload )

Ids are in their canonical lower-case form, numbers in decimal, times in whole microseconds since 1970-01-01T00:00:00Z.
Nothing stands between the type and the payload, which is as it came. No two rows give the same text: only a type could
hold a line feed, and its length is told. The event at position 1 has 32 zero octets for its `previous_hash`, every
other the `hash` of the position before. The same in SQL, with the table's columns:

    sha256(previous_hash || convert_to(concat_ws(E'\\n', position, event_id, subject, sequence,
        trunc(extract(epoch FROM occurred_at) * 1000000), trunc(extract(epoch FROM received_at) * 1000000),
        length(type), type || payload::text), 'UTF8'))
"""

import hashlib
from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID

GENESIS: Final = bytes(32)

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)


def chain_hash(
    previous_hash: bytes,
    position: int,
    event_id: UUID,
    type: str,
    subject: UUID,
    sequence: int,
    occurred_at: datetime,
    received_at: datetime,
    payload: bytes,
) -> bytes:
    """The hash of an audit event, 32 octets."""
    times = [(time - _EPOCH) // _MICROSECOND for time in (occurred_at, received_at)]
    row = f"{position}\n{event_id}\n{subject}\n{sequence}\n{times[0]}\n{times[1]}\n{len(type)}\n{type}"
    return hashlib.sha256(previous_hash + row.encode() + payload).digest()
