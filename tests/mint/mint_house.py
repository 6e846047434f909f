"""A house that mints on a chain of its own: the chain, its adapter, the consumer and the relay, as processes."""

import secrets
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import psycopg
from eth_account import Account

from app.main.local.roles import Urls
from app.platform.process.processes import free_port
from tests.mint.minting import TENANT, Request
from tests.platform.outbox_fixtures import query
from tests.system.e2e.house import House, wait_until

CHAIN_ID = 31337


class MintHouse(House):
    """The processes, over a database and a broker that are there."""

    def __init__(self, database: Urls, rabbitmq_url: str, folder: Path, **settings: str) -> None:
        node, adapter, metrics = free_port(), free_port(), free_port()
        self.node_url, self.mint_metrics_url = f"http://127.0.0.1:{node}", f"http://127.0.0.1:{metrics}/metrics"
        account = Account.create()
        key = folder / "chain.key"
        key.touch(0o600)
        key.write_text(account.key.hex())
        super().__init__(
            database, rabbitmq_url, folder,
            EVM_RPC_URL=self.node_url, CHAIN_ID=str(CHAIN_ID), CHAIN_KEY_FILE=str(key),
            CHAIN_TOKEN=secrets.token_hex(16), CHAIN_GRPC_PORT=str(adapter), CHAIN_GRPC_URL=f"127.0.0.1:{adapter}",
            MINT_METRICS_PORT=str(metrics), DEV_CHAIN_PORT=str(node), DEV_CHAIN_FUNDED=account.address,
            DEV_CHAIN_FOLDER=str(folder / "dev-chain"), DEV_CHAIN_ENGINE="python",
            **settings,
        )  # fmt: skip

    def start_node(self) -> None:
        """Start the chain."""
        self.start("node", "app.contexts.chain.dev_chain", expect=lambda: _answers(f"{self.node_url}/health"))

    def start_chain(self) -> None:
        """Start the adapter; the contract is there before."""
        if "CHAIN_CONTRACT" not in self.environment:
            self.environment["CHAIN_CONTRACT"] = self.command("chain", "deploy").strip()
        self.start("chain", "app", "chain")

    def start_mint(self) -> None:
        """Start the consumer."""
        self.start("mint", "consumers", "mint")

    def start_minting(self) -> None:
        """Start all of it."""
        self.start_node()
        self.start_chain()
        self.start_mint()
        self.start("relay", "app", "relay")

    def ask(self, requests: Sequence[Request]) -> None:
        """Have the events in the outbox that ask for them."""
        with psycopg.connect(self.database.app_url) as connection:
            for one in requests:
                event_id = uuid4()
                connection.execute(
                    "INSERT INTO rewards.outbox_events"
                    " (user_id, event_id, subject, sequence, type, payload, partition, created_at, tenant_id)"
                    " VALUES (%s, %s, %s, 1, 'mint.requested', %s, %s, now(), %s)",
                    (
                        one.user_id, event_id, one.entry_id, one.document(event_id).decode(), one.user_id.int % 16,
                        TENANT,
                    ),
                )  # fmt: skip

    def statuses(self) -> dict[str, int]:
        """How many requests are how far."""
        return dict(query(self.database.app_url, "SELECT status, count(*) FROM mint.mint_requests GROUP BY status"))

    def all_are_minted(self, count: int) -> None:
        """Wait until so many are, and no request is anything else."""
        wait_until(lambda: self.statuses() == {"MINTED": count}, f"{count} requests to be minted")

    def node(self, method: str, *params: object) -> Any:
        """Ask the chain itself."""
        call = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
        answer = httpx.post(self.node_url, json=call, timeout=120).json()
        assert "error" not in answer, answer
        return answer["result"]

    def supply(self) -> int:
        """How many base units there are, by the contract: totalSupply()."""
        call = {"to": self.environment["CHAIN_CONTRACT"], "data": "0x18160ddd"}
        return int(self.node("eth_call", call, "latest"), 16)

    def stop_everything(self) -> None:
        """End what is there, however it goes."""
        for name in [*self.processes]:
            self.stop(name)


def _answers(url: str) -> bool:
    try:
        return httpx.get(url).is_success
    except httpx.HTTPError:
        return False
