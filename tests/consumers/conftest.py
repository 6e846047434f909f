"""A clean broker."""

from tests.platform.outbox_fixtures import broker

__all__ = ["broker"]
