"""A house that gives cashback and has it minted, on a chain of its own: whatever takes part can be held, and killed."""

import contextlib
import secrets
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import ClassVar, Final

from aiormq.abc import AbstractChannel
from eth_account import Account

from app.contexts.chain.adapters.evm.contract import minter_change, request_topic
from app.main.local.postgres import PostgresServer
from app.main.local.roles import Urls
from app.platform.process.processes import free_port
from app.platform.rabbitmq.connection import BrokerError
from tests.chain.accounts import GWEI, Somebody
from tests.chain.faults import Between
from tests.chain.nodes import CHAIN_ID, Node
from tests.conftest import MakeDatabase
from tests.rewards.shop import event, payment
from tests.system.crash.booked import HOMES, Booked, Gift, Person
from tests.system.crash.broker import Broker
from tests.system.crash.dialects import Amqp, Postgres
from tests.system.crash.parts import elsewhere
from tests.system.crash.proxy import Proxy
from tests.system.e2e.house import wait_until

CONFIRMATIONS: Final = 4
"""One more than a reorganisation is deep."""
BLOCK_S: Final = 1


class Generous(Booked):
    """Between each process and its database, its broker or its node stands a proxy."""

    parts: ClassVar = {
        "rewards": ("consumers", "rewards"),
        "chain": ("app", "chain"),
        "mint": ("consumers", "mint"),
        "relay": ("app", "relay"),
    }

    def __init__(
        self, server: PostgresServer, make_database: MakeDatabase, broker: Broker, node: Node, key: str, folder: Path
    ) -> None:
        """`key` is that of the account which the node gives money, and which mints."""
        self.server, self.broker, self.node = server, broker, node
        self.key = str(Account.from_key(key).address)
        self.owner = Somebody(node)
        """Who owns the contract, and says which key mints."""
        self.virtual_host = broker.new_virtual_host()
        self.homes: dict[str, Urls] = {name: make_database() for name in HOMES}
        self.databases = {name: Proxy(server.port, Postgres) for name in HOMES}
        self.brokers = {name: Proxy(broker.node.port, Amqp) for name in ("rewards", "mint", "relay")}
        self.between = Between(node.url)
        self._standing = contextlib.ExitStack()
        self._standing.enter_context(self.between.running())
        adapter, key_file = free_port(), folder / "chain.key"
        key_file.touch(0o600)
        key_file.write_text(key + "\n")
        url = broker.node.url + self.virtual_host
        super().__init__(
            make_database(), url, folder,
            EVM_RPC_URL=self.between.url, CHAIN_ID=str(CHAIN_ID), CHAIN_KEY_FILE=str(key_file),
            CHAIN_TOKEN=secrets.token_hex(16), CHAIN_GRPC_PORT=str(adapter), CHAIN_GRPC_URL=f"127.0.0.1:{adapter}",
            CHAIN_CONFIRMATIONS=str(CONFIRMATIONS), CHAIN_STUCK_S="2", MINT_BREAKER_RESET_S="0.5",
            **{f"{name.upper()}_DATABASE_URL": home.app_url for name, home in self.homes.items()},
        )  # fmt: skip
        self.own = {name: {"RABBITMQ_URL": self._through(url, self.brokers[name])} for name in self.brokers}
        for name, proxy in self.databases.items():
            database = elsewhere(self.homes[name].app_url, server.port, proxy.port) + "?sslmode=disable"
            self.own.setdefault(name, {})[f"{name.upper()}_DATABASE_URL"] = database

    def open(self) -> None:
        """Have a contract, a rule and all processes."""
        self.environment["CHAIN_CONTRACT"] = self.command("chain", "deploy", "--owner", self.owner.address).strip()
        ((self.tenant,),) = self.query("SELECT id FROM identity.tenants")
        self.look(
            "rewards",
            "INSERT INTO rewards.rules (tenant_id, id, basis_points, currency, is_active, created_at, updated_at)"
            " VALUES (%s, gen_random_uuid(), 100, 'USD', true, now(), now())",
            self.tenant,
        )
        self.begin_what_ended()

    def close(self) -> None:
        """End what the processes talked through."""
        for proxy in (*self.databases.values(), *self.brokers.values()):
            proxy.close()
        self._standing.close()

    def mend(self) -> None:
        """Whatever the last test left: everything runs, and nothing is held."""
        self.between.heal()
        self.begin_what_ended()

    def newcomer(self) -> Person:
        """Somebody of whom rewards have heard, with an address."""
        person = Person(uuid.uuid4(), "0x" + uuid.uuid4().hex + "5b5b5b5b")
        told = {"user_id": person.id, "tenant_id": self.tenant, "wallet_address": person.address}
        self._publish("identity.events", "user.registered", event("user.registered", told, subject=person.id))
        known = "SELECT 1 FROM rewards.users WHERE user_id = %s AND address IS NOT NULL"
        wait_until(lambda: bool(self.look("rewards", known, person.id)), "the newcomer to be known")
        return person

    def give(self, to: Person, payments: int = 1) -> Gift:
        """Have somebody pay so often, each time for something else: they are given a hundredth."""
        prices = [1_000 + 100 * nth for nth in range(payments)]
        paid = [event("payment.completed", payment(to.id, price)) for price in prices]
        self._publish("payments.events", "payment.completed", *paid)
        return Gift(to, payments, sum(prices) * 10**6 // 100 // 100)

    def have_minted(self, address: str) -> None:
        """Let that key mint, and no other."""
        contract, change = self.environment["CHAIN_CONTRACT"].lower(), minter_change(address.lower())
        receipt = self.owner.do(contract, change, maxFeePerGas=1_000 * GWEI)  # whatever fees have risen to
        assert receipt["status"] == "0x1"

    def kill_postgresql(self) -> None:
        """Kill the server of all databases, and start it again."""
        self.server.kill()
        self.server.stop()
        self.server.start()

    def kill_rabbitmq(self) -> None:
        """Kill the broker, and start it again."""
        self.broker.node.kill()
        self.broker.node.stop()
        self.broker.node.start()

    def all_is_well(self, *gifts: Gift) -> None:
        """Each is minted, all of it once, and every invariant holds."""
        for gift in gifts:
            wait_until(lambda gift=gift: self.is_minted(gift), f"{gift} to be minted")  # type: ignore[misc]
            assert self.lines(gift.to).count("MINTED") == gift.payments
        wait_until(self.is_quiet, "everything to be told")
        find = "SELECT request_id FROM mint.mint_requests WHERE status = 'MINTED'"
        minted = [request_topic(request_id) for (request_id,) in self.look("mint", find)]
        assert sorted(self.told_by_the_contract()) == sorted(minted), "each is told of once, and nothing else"
        self.verify()

    def verify(self) -> None:
        """Every invariant holds, with the contract looked at."""
        said = self.command("verify")
        assert "BROKEN" not in said
        assert "holds   there are as many tokens as mints have confirmed" in said
        ((confirmed,),) = self.look(
            "chain", "SELECT sum(amount) FROM chain.blockchain_transactions WHERE status = 'CONFIRMED'"
        )
        assert self.supply() == confirmed

    def ready(self, name: str) -> Callable[[], bool] | None:
        """See `Parted.ready`. What hears is bound to what it hears by then: nothing is published to nobody."""
        if name.rstrip("2") not in ("rewards", "mint"):
            return None
        before = self._consuming(name)
        return lambda: self._consuming(name) > before

    def _consuming(self, name: str) -> int:
        return self.log(name).count('"event":"consuming"') if (self.folder / f"{name}.log").exists() else 0

    def _publish(self, exchange: str, key: str, *documents: bytes) -> None:
        async def publish(channel: AbstractChannel) -> None:
            for document in documents:
                await channel.basic_publish(document, exchange=exchange, routing_key=key, mandatory=True)

        def is_told() -> bool:
            with contextlib.suppress(*BrokerError):
                self.broker.do(publish, self.virtual_host)
                return True
            return False

        # A busy machine's broker may not answer in time. What was told by then has its effect once all the same.
        wait_until(is_told, "the broker to take what is told")

    def _through(self, url: str, proxy: Proxy) -> str:
        return elsewhere(url, self.broker.node.port, proxy.port)


@contextlib.contextmanager
def opened(house: Generous) -> Iterator[None]:
    """All its processes run. Those that a failed test left in a state are killed, the others end well."""
    try:
        house.open()
        yield
        house.mend()
        assert {house.stop(name) for name in house.parts} == {0}
    finally:
        for process in house.processes.values():
            process.kill()
            process.wait()
        house.close()
