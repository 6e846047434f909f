"""Metrics of log-ins: how somebody, or a machine, asked to be let in, and what came of it. They name nobody."""

from prometheus_client import CollectorRegistry, Counter


class LogInMetrics:
    """Counts them."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._total = Counter(
            "strongbox_log_ins",
            "Log-ins by password or wallet, renewals, and tokens for machines, by what came of them.",
            ("how", "result"),
            registry=registry,
        )

    def observe(self, how: str, result: str) -> None:
        """Count one."""
        self._total.labels(how, result).inc()
