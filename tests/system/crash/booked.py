"""What a house that gives cashback has in its three databases, and on its chain."""

import contextlib
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import psycopg

from app.contexts.chain.adapters.evm.contract import MINTED
from app.main.local.postgres import PostgresServer
from app.main.local.roles import Urls
from tests.chain.nodes import Node
from tests.system.crash.parts import Parted
from tests.system.e2e.house import wait_until

HOMES: Final = ("rewards", "mint", "chain")
"""Each with a database of its own."""
_SUPPLY: Final = "0x18160ddd"


@dataclass(frozen=True)
class Person:
    """Somebody who is given cashback."""

    id: uuid.UUID
    address: str


@dataclass(frozen=True)
class Gift:
    """What somebody has earned by payments."""

    to: Person
    payments: int
    amount: int
    """Base units, of all of them."""


class Booked(Parted):
    """A house of which all that is kept can be looked at."""

    server: PostgresServer
    node: Node
    homes: Mapping[str, Urls]

    def look(self, home: str, statement: str, *values: Any) -> list[tuple[Any, ...]]:
        """Read from a database, as somebody whom no tenant's wall holds; or write there."""
        name = self.homes[home].app_url.rpartition("/")[2]
        with psycopg.connect(self.server.url(name), autocommit=True) as session:
            cursor = session.execute(statement.encode(), values or None)
            return cursor.fetchall() if cursor.description is not None else []

    def requests(self, of: Person) -> list[str]:
        """How far each request for somebody's tokens is."""
        find = "SELECT status FROM mint.mint_requests WHERE user_id = %s ORDER BY created_at"
        return [status for (status,) in self.look("mint", find, of.id)]

    def wait_for_requests(self, of: Person, status: str) -> None:
        """Wait until one of somebody's requests is that far."""
        wait_until(lambda: status in self.requests(of), f"a request that is {status}")

    def signed(self, of: Person) -> list[str]:
        """How far each transaction for somebody's tokens is."""
        find = "SELECT status FROM chain.blockchain_transactions WHERE recipient = %s ORDER BY nonce"
        return [status for (status,) in self.look("chain", find, of.address)]

    def lines(self, of: Person) -> list[str]:
        """What the ledger says of somebody."""
        find = "SELECT kind FROM rewards.cashback_ledger WHERE user_id = %s ORDER BY created_at, id"
        return [kind for (kind,) in self.look("rewards", find, of.id)]

    def is_minted(self, gift: Gift) -> bool:
        """Whether all of it is on the chain, by the ledger."""
        find = "SELECT minted FROM rewards.users WHERE user_id = %s"
        return self.look("rewards", find, gift.to.id) == [(gift.amount,)]

    def is_quiet(self) -> bool:
        """Whether nothing is open, or untold."""
        open_requests = "SELECT 1 FROM mint.mint_requests WHERE ask_after IS NOT NULL"
        mints = "SELECT 1 FROM chain.blockchain_transactions WHERE status NOT IN ('CONFIRMED', 'FAILED')"
        unsent = "SELECT 1 FROM {}.outbox_events WHERE sent_at IS NULL"
        looks = [("mint", open_requests), ("chain", mints), *((name, unsent.format(name)) for name in HOMES[:2])]
        return not any(self.look(*each) for each in looks)

    def lose_the_adapters_tables(self) -> None:
        """Have all of them empty."""
        tables = (
            "contracts", "foreign_nonces", "superseded_transactions", "filling_transactions", "blockchain_transactions",
            "wallet_nonces",
        )  # fmt: skip
        for table in tables:
            self.look("chain", f"DELETE FROM chain.{table}")

    @contextlib.contextmanager
    def closed(self, home: str) -> Iterator[None]:
        """The database ends all sessions and takes no others, for as long as it takes until somebody has met that."""
        name = self.homes[home].app_url.rpartition("/")[2]
        with psycopg.connect(self.server.url(), autocommit=True) as superuser:
            superuser.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false".encode())
            try:
                refused = self._refusals(name)
                end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s"
                superuser.execute(end.encode(), (name,))
                yield
                wait_until(lambda: self._refusals(name) > refused, f"somebody to look for {name}")
            finally:
                superuser.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true".encode())

    def supply(self) -> int:
        """How many base units there are, by the contract."""
        return int(self.node.ask("eth_call", {"to": self.environment["CHAIN_CONTRACT"], "data": _SUPPLY}, "latest"), 16)

    def told_by_the_contract(self) -> list[str]:
        """The requests of which its events tell."""
        wanted = {"address": self.environment["CHAIN_CONTRACT"], "topics": [MINTED]}
        logs = self.node.ask("eth_getLogs", wanted | {"fromBlock": "0x0", "toBlock": "latest"})
        return [log["topics"][1] for log in logs]

    def _refusals(self, name: str) -> int:
        return self.server.log.read_text(errors="replace").count(f'database "{name}" is not currently accepting')
