"""How an audit event is hashed, for whoever checks the chain.

    hash = SHA-256( previous_hash, then for each field: its length in octets as a big-endian 64-bit integer, the field )

The fields, in this order, all as UTF-8 text: the position in decimal; the event's id in its canonical lower-case form;
the type; the subject in the same form as the id; the sequence in decimal; the time of the event in whole microseconds
since 1970-01-01T00:00:00Z in decimal; the payload, as it came. The event at position 1 has 32 zero octets for its
`previous_hash`, every other the `hash` of the position before. The same in SQL, with the table's columns:

    sha256(previous_hash || string_agg(int8send(octet_length(field)) || field, '' ORDER BY n)) FROM unnest(ARRAY[
        convert_to(position::text, 'UTF8'), convert_to(event_id::text, 'UTF8'), convert_to(type, 'UTF8'),
        convert_to(subject::text, 'UTF8'), convert_to(sequence::text, 'UTF8'),
        convert_to((extract(epoch FROM occurred_at) * 1000000)::bigint::text, 'UTF8'),
        convert_to(payload::text, 'UTF8')]) WITH ORDINALITY AS fields(field, n)
"""

import hashlib
import struct
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
    payload: bytes,
) -> bytes:
    """The hash of an audit event, 32 octets."""
    digest = hashlib.sha256(previous_hash)
    for text in (position, event_id, type, subject, sequence, (occurred_at - _EPOCH) // _MICROSECOND):
        field = str(text).encode()
        digest.update(struct.pack(">q", len(field)) + field)
    digest.update(struct.pack(">q", len(payload)) + payload)
    return digest.digest()
