"""What must be true of the answers alone, whatever the books say."""

from collections.abc import Iterator

from tests.system.soak.records import PROOFS, Call, History, Order


def contradictions(history: History) -> Iterator[str]:
    """Answers that contradict each other, or the contract."""
    yield from history.complaints
    for order in history.orders:
        where = f"user {order.user_id}, key {order.key}"
        for found in (*_finals(order), *_ids(order), *_after_the_end(order), *_gate(order)):
            yield f"{where}: {found}"


def _finals(order: Order) -> Iterator[str]:
    finals = [call for call in order.calls if call.meaning == "final"]
    if len({(call.status, call.body) for call in finals}) > 1:
        yield f"{len(finals)} final answers differ: {sorted({f'{c.status} {c.code}' for c in finals})}"
    firsts = sum(not call.replayed for call in finals)
    if firsts > 1:
        yield f"{firsts} final answers are not marked as replayed"


def _ids(order: Order) -> Iterator[str]:
    ids = {call.payment_id for call in order.calls if call.payment_id}
    if len(ids) > 1:
        yield f"it was told of {len(ids)} payments: {sorted(ids)}"


def _after_the_end(order: Order) -> Iterator[str]:
    """Whoever asks after the final answer was there gets it again, marked as a replay."""
    first = order.final
    if first is None:
        return
    for call in order.calls:
        if call.began <= first.ended or call.meaning in ("unknown", "unsent"):
            continue
        if call.meaning != "final":
            yield f"answered {call.status} {call.code} after {first.status} {first.code}"
        elif not call.replayed:
            yield "answered again without Idempotent-Replayed"


def _gate(order: Order) -> Iterator[str]:
    """Once an answer proved that the key has a record, nothing refuses it as if it had none."""
    proven_at = min((call.ended for call in order.calls if call.meaning in PROOFS), default=None)
    for call in order.calls:
        if proven_at is not None and call.began > proven_at and call.meaning == "traceless":
            yield f"answered {call.status} {call.code} though the key had a record"


def other_bodies(calls: list[Call]) -> Iterator[str]:
    """A key that has its final answer takes no other request."""
    for call in calls:
        if call.kind == "other" and call.meaning not in ("reused", "unknown", "unsent"):
            yield f"another request under a used key was answered {call.status} {call.code}"
