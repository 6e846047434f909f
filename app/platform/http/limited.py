"""The answer to whoever asks more often than is let through."""

from app.platform.http.codes import RATE_LIMITED
from app.platform.http.errors import Problem
from app.platform.limits.ports import Refused


def past(refused: Refused) -> Problem:
    """The request is past a limit: which, and when to come back."""
    return Problem(
        RATE_LIMITED,
        details={"limit": refused.name},
        headers={
            "Retry-After": str(refused.retry_after_s),
            "RateLimit-Policy": f'"{refused.name}";q={refused.burst};w={refused.window_s}',
            "RateLimit": f'"{refused.name}";r=0;t={refused.reset_s}',
        },
    )
