"""The lines about settlements that the database did not take at once."""

import structlog

_log = structlog.get_logger(__name__)


class UnsettledLines:
    """What becomes of them, in the log. It implements `UnsettledObserver`."""

    def waiting(self) -> None:
        """See `UnsettledObserver.waiting`."""
        _log.warning("settlements_wait")

    def written(self, rounds: int) -> None:
        """See `UnsettledObserver.written`."""
        _log.info("settlements_written", rounds=rounds)

    def dropped(self, error: Exception) -> None:
        """See `UnsettledObserver.dropped`."""
        _log.error("settlement_fails", error=f"{type(error).__module__}.{type(error).__qualname__}")

    def left(self, payments: int) -> None:
        """See `UnsettledObserver.left`."""
        _log.warning("settlements_left_to_recovery", payments=payments)
