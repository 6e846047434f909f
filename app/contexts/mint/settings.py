"""The settings of minting."""

from app.platform.process.settings import Count, Port, Seconds, Section


class MintSettings(Section, frozen=True, kw_only=True):
    """How the chain is asked."""

    mint_timeout_s: Seconds = 5.0
    """Of a call to the chain's adapter."""
    mint_breaker_failures: Count = 20
    """Calls in a row without an answer, from which on nothing is sent for a while."""
    mint_breaker_reset_s: Seconds = 2.0
    """Until one call tries again."""
    mint_metrics_port: Port = 0
