"""Metrics of wallets' movements: those between users, and of money set aside."""

from collections import Counter as Tally
from collections.abc import Sequence

from prometheus_client import CollectorRegistry, Counter, Gauge

from app.contexts.funds.application.overdue import Overdue
from app.contexts.funds.domain.ledger import Transaction


class TransactionMetrics:
    """Counts what was committed."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._total = Counter(
            "strongbox_wallet_transactions",
            "Movements that this process committed, payments and refunds aside: of a transfer, one each way.",
            ("kind", "status"),
            registry=registry,
        )
        # Finding a labelled child costs more than counting; the children are few.
        self._series: dict[tuple[str, str], Counter] = {}

    def observe(self, transactions: Sequence[Transaction]) -> None:
        """Count the movements of a batch."""
        for names, count in Tally((t.kind.value, t.status.value) for t in transactions).items():
            series = self._series.get(names)
            if series is None:
                series = self._series[names] = self._total.labels(*names)
            series.inc(count)


class ExpiryMetrics:
    """Counts the holds that were released because their time was over."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._expired = Counter(
            "strongbox_holds_expired",
            "Holds that this process released because their time was over.",
            registry=registry,
        )

    def observe(self, released: int) -> None:
        """Count those of a round."""
        self._expired.inc(released)


class OverdueMetrics:
    """Shows the holds whose time is over and that nobody has released."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._count = Gauge(
            "strongbox_overdue_holds", "Open holds whose time is over, counted up to 10,000.", registry=registry
        )
        self._oldest = Gauge(
            "strongbox_overdue_holds_oldest_age_seconds", "How long the oldest of them is over.", registry=registry
        )

    def show(self, overdue: Overdue) -> None:
        """Show what was seen."""
        self._count.set(overdue.count)
        self._oldest.set(overdue.oldest_s)
