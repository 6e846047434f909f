"""What was read lately, in this process and in Redis, and never older than a write that its reader could know of."""

from app.platform.cache.making import make

__all__ = ["make"]
