"""Close holds: hand over what is set aside, or give it back."""

from collections.abc import Sequence

from app.contexts.funds.application.books import FundsBooks
from app.contexts.funds.application.closing import Capture, Closing
from app.contexts.funds.application.till import Till
from app.contexts.funds.domain.hold import Hold, HoldStatus
from app.contexts.funds.domain.operation import fingerprint_of_parts
from app.contexts.funds.public import Closed, Refused
from app.kernel.new_ids import Ids
from app.kernel.refusals import Refusal


class Close:
    """Captures and releases a batch of holds in one transaction: the first to close a hold wins.

    A refusal is a value, and stored nowhere: what a hold is tells it. Running a batch again with the same closings is
    safe, whatever became of it the first time.
    """

    def __init__(self, books: FundsBooks, ids: Ids) -> None:
        self._books = books
        self._ids = ids

    async def __call__(self, closings: Sequence[Closing]) -> Sequence[Closed | Refused]:
        async with self._books.begin() as work:
            till = Till(await work.lock_holds(closings), self._ids)
            results = [_close(closing, till) for closing in closings]
            await work.commit(till.settled())
        return results


def _close(closing: Closing, till: Till) -> Closed | Refused:
    try:
        hold = till.hold(closing.hold)
        if not _is_done(closing, hold):
            hold = _done(closing, till)
    except Refusal as refusal:
        return Refused(refusal)
    return Closed(hold.captured_minor, hold.released_minor)


def _is_done(closing: Closing, hold: Hold) -> bool:
    """Whether this very thing has been done with the hold before."""
    if isinstance(closing, Capture):
        captured = hold.status is HoldStatus.CAPTURED
        return captured and hold.capture_fingerprint == fingerprint_of_parts(closing.parts)
    return hold.status is HoldStatus.RELEASED


def _done(closing: Closing, till: Till) -> Hold:
    if isinstance(closing, Capture):
        return till.capture(closing.hold, closing.parts)
    return till.release(closing.hold)
