"""How often may who ask: buckets of tokens, shared by all processes through Redis while it is there."""

from app.platform.limits.limiter import make

__all__ = ["make"]
