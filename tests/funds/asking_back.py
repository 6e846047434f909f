"""Asking over HTTP what wallets held, and for their statements."""

from datetime import UTC, datetime

import httpx

from tests.fakes.people import Somebody
from tests.funds.wired import Bank

LONG_AGO = "2020-01-01T00:00:00Z"


def now(bank: Bank) -> str:
    ((at,),) = bank.query("SELECT clock_timestamp()")
    return spelled(at)


def spelled(at: datetime) -> str:
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")


def asked(bank: Bank, who: Somebody, **more: str) -> httpx.Response:
    return bank.get(who, "/statement", **({"currency": "USD", "from": LONG_AGO, "to": now(bank)} | more))


def busy(bank: Bank) -> tuple[Somebody, Somebody]:
    """Two whose money has moved in several ways."""
    alice, bob = bank.user("alice", holding=100_000), bank.user("bob", holding=50)
    bank.send(alice, bob, 1_250, note="=1+1, for the concert")
    bank.send(bob, alice, 5, note="thanks <b>& more</b>")
    bank.send(alice, bob, 7)
    return alice, bob
