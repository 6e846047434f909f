"""An adapter to test: over a node and a database, within the test's process or as one of its own that may be killed."""

import asyncio
import secrets
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any, TypeVar
from uuid import UUID, uuid4

import psycopg

from app.contexts.chain.adapters.evm.contract import deployment
from app.contexts.chain.adapters.evm.node import node_at
from app.contexts.chain.adapters.grpc.client import GrpcChain
from app.contexts.chain.application.rebuild import Rebuilt
from app.contexts.chain.assembly import EvmParts, deploy_of, minter_of, rebuild_of
from app.contexts.chain.processes import work
from app.contexts.chain.public import ChainAway, Mint, MintOrder, MintStatus, UnknownAnswer
from app.contexts.chain.settings import ChainSettings
from app.main.contexts import load
from app.main.house import House
from app.main.local.roles import Urls
from app.platform.postgres.operator import with_pool
from app.platform.process.processes import free_port
from tests import forks
from tests.chain.nodes import CHAIN_ID, Node, new_key

T = TypeVar("T")

LIMIT_S = 120.0
CALL_S = 60.0
SOMEBODY = "0x" + "5b" * 20


def order(amount: int = 1_000, to: str = SOMEBODY, request_id: UUID | None = None) -> MintOrder:
    """Something to mint."""
    return MintOrder(request_id or uuid4(), to, amount)


class Place:
    """Where adapters are: a database, a key of their own, and a node. `url` is where they see the node."""

    def __init__(self, database: Urls, node: Node, folder: Path, url: str | None = None, **settings: str) -> None:
        self.database, self.node, self.folder = database, node, folder
        self.key_file = folder / "chain.key"
        self.key_file.touch(0o600)
        self.key = new_key()
        self.key_file.write_text(self.key + "\n")
        self.environment = {
            "DATABASE_URL": database.app_url,
            "EVM_RPC_URL": url or node.url,
            "CHAIN_ID": str(CHAIN_ID),
            "CHAIN_KEY_FILE": str(self.key_file),
            "CHAIN_TOKEN": secrets.token_hex(16),
            "CHAIN_CONFIRMATIONS": "3",
            "CHAIN_STUCK_S": "1",
            "SHUTDOWN_GRACE_S": "5",
            **settings,
        }
        self.processes: list[forks.Process] = []
        self.address = minter_of(self.settings()).address
        node.ask("anvil_setBalance", self.address, hex(10**21))

    def settings(self, **more: str) -> ChainSettings:
        """What the adapter goes by."""
        return load({**self.environment, **more}, {}).of(ChainSettings)

    async def deployed(self, owner: str | None = None, **more: str) -> str:
        """The contract's address, once it is there. Its owner is the key unless another is given."""
        settings = load({**self.environment, **more}, {})
        own = settings.of(ChainSettings)
        container = House(settings).container("chain")
        key = minter_of(own)
        data = deployment("Test", "TST", 6, owner or key.address, key.address)
        async with node_at(own.evm_rpc_url).opened() as node:
            deploy = deploy_of(own, EvmParts(node, own), key, container.pool())
            given = own.chain_contract or None
            address = await with_pool(container.pool(), container.database().url, lambda: deploy(data, given, LIMIT_S))
        self.environment["CHAIN_CONTRACT"] = address
        return address

    async def rebuilt(self) -> Rebuilt:
        """What was restored."""
        settings = load(self.environment, {})
        own, container = settings.of(ChainSettings), House(settings).container("chain")
        async with node_at(own.evm_rpc_url).opened() as node:
            rebuild = rebuild_of(own, EvmParts(node, own), minter_of(own), container.pool())
            return await with_pool(container.pool(), container.database().url, rebuild)

    @asynccontextmanager
    async def serving(self, **more: str) -> AsyncIterator[GrpcChain]:
        """A client of an adapter within this process, which ends in good order."""
        port = free_port()
        settings = load(
            {**self.environment, "CHAIN_GRPC_PORT": str(port), "CHAIN_GRPC_URL": f"127.0.0.1:{port}", **more}, {}
        )
        house, stop = House(settings), asyncio.Event()

        @asynccontextmanager
        async def show(_: Any) -> AsyncIterator[None]:
            yield

        container = house.container("chain")
        working, client = work(container, show), container.chain()
        async with AsyncExitStack() as stack:
            await house.open(stack)
            task = asyncio.ensure_future(working(stop))
            try:
                yield client
            finally:
                stop.set()
                await task

    @contextmanager
    def process(self, **more: str) -> Iterator["Running"]:
        """An adapter as a process, killed at the end unless it has ended before."""
        port = free_port()
        environment = {**self.environment, "CHAIN_GRPC_PORT": str(port), **more}
        with (self.folder / "adapter.log").open("ab") as log:
            process = forks.start(("app", "chain"), self.folder, environment, log, log)
        running = Running(process, port, environment)
        try:
            yield running
        finally:
            running.kill()

    @property
    def contract(self) -> str:
        """The contract's address, once it is deployed."""
        return self.environment["CHAIN_CONTRACT"]

    def address_of_key(self) -> str:
        """The address of the key that the file holds now."""
        return minter_of(self.settings()).address

    def rows(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        """Rows of the database, as its owner sees them."""
        with psycopg.connect(self.database.owner_url) as connection:
            return connection.execute(query.encode(), values or None).fetchall()

    def do(self, statement: str) -> None:
        """Write something, as the owner."""
        with psycopg.connect(self.database.owner_url) as connection:
            connection.execute(statement.encode())

    def lose_tables(self) -> None:
        """Have all of it gone."""
        names = (
            "contracts", "foreign_nonces", "superseded_transactions", "filling_transactions", "blockchain_transactions",
            "wallet_nonces",
        )  # fmt: skip
        with psycopg.connect(self.database.owner_url) as connection:
            for name in names:
                connection.execute(f"DELETE FROM chain.{name}".encode())

    def supply(self) -> int:
        """How many tokens there are."""
        call = {"to": self.environment["CHAIN_CONTRACT"], "data": "0x18160ddd"}
        return int(self.node.ask("eth_call", call, "latest"), 16)


class Running:
    """An adapter that is a process."""

    def __init__(self, process: forks.Process, port: int, environment: dict[str, str]) -> None:
        self.pid = process.pid
        self._process = process
        self._settings = load({**environment, "CHAIN_GRPC_URL": f"127.0.0.1:{port}"}, {}).of(ChainSettings)

    @property
    def has_ended(self) -> bool:
        """Whether it has."""
        return self._process.poll() is not None

    def kill(self) -> None:
        """End it at once."""
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait(LIMIT_S)

    @asynccontextmanager
    async def client(self) -> AsyncIterator[GrpcChain]:
        """Who asks it."""
        client = GrpcChain(self._settings.endpoint, self._settings.chain_token, self._settings.chain_tls_ca)
        async with client.opened():
            yield client


async def minted(client: GrpcChain, asked: MintOrder) -> Mint:
    """Ask until there is an answer that is one."""
    return await until(lambda: client.mint(asked, CALL_S), lambda _: True)


async def settled(client: GrpcChain, *asked: MintOrder) -> Sequence[Mint]:
    """How the mints have ended, once all have."""

    async def all_of_them() -> list[Mint | None]:
        return [await client.get_mint(each.request_id, CALL_S) for each in asked]

    found = await until(all_of_them, lambda mints: all(mint is not None and mint.status.is_final for mint in mints))
    return [mint for mint in found if mint is not None]


async def in_status(client: GrpcChain, asked: MintOrder, status: MintStatus) -> Mint:
    """The mint, once it is so far."""
    found = await until(
        lambda: client.get_mint(asked.request_id, CALL_S), lambda mint: mint is not None and mint.status is status
    )
    assert found is not None
    return found


async def until(ask: Callable[[], Awaitable[T]], is_it: Callable[[T], bool]) -> T:
    """What is answered, once it is what is waited for."""
    last: object = None
    deadline = time.monotonic() + LIMIT_S
    while time.monotonic() < deadline:
        try:
            last = found = await ask()
            if is_it(found):
                return found
        except (ChainAway, UnknownAnswer) as error:
            last = error
        await asyncio.sleep(0.05)
    raise AssertionError(f"waited in vain; the last answer is {last!r}")


async def there(condition: Callable[[], bool]) -> None:
    """Wait for it."""

    async def ask() -> bool:
        return await asyncio.to_thread(condition)

    await until(ask, bool)
