"""Wallets that are paid into as the command does it, without the second that a process takes."""

import asyncio
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Final
from uuid import UUID, uuid4

from app.contexts.funds.for_operators import fund_wallet
from app.kernel.errors import Unavailable
from app.main.contexts import load
from app.main.house import House as Rooms

PATIENCE_S: Final = 120.0
AGAIN_S: Final = 0.1


def pay_in(environment: Mapping[str, str], user_id: UUID, currency: str, amount: int) -> None:
    """Pay that into the wallet.

    Until it is known that it is there: a test before may have ended the database's sessions, and a busy machine may not
    come to a connection within the second that the service gives it. By one reference it is paid in once.
    """
    reference, deadline = uuid4().hex, time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        with suppress(Unavailable):
            _once(environment, user_id, currency, amount, reference)
            return
        time.sleep(AGAIN_S)
    _once(environment, user_id, currency, amount, reference)


def _once(environment: Mapping[str, str], user_id: UUID, currency: str, amount: int, reference: str) -> None:
    funds = Rooms(load(environment, {})).container("funds")
    with ThreadPoolExecutor(1) as thread:  # a test's own may have an event loop under way
        thread.submit(asyncio.run, fund_wallet(funds, user_id, currency, amount, reference)).result()
