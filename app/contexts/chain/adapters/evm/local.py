"""What a run on one machine needs of a chain: a key, a token, and a node of its own that gives the key money."""

import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from app.contexts.chain.adapters.evm.key_file import key_in
from app.contexts.chain.adapters.evm.transactions import address_of
from app.contexts.chain.settings import ChainSettings
from app.platform.process.secret_files import secret, write_privately

CHAIN_ID: Final = 31337
"""The private chain's: no other chain takes what is signed for it."""


def adapter_of_a_run(settings: ChainSettings, folder: Path) -> Mapping[str, str]:
    """The adapter's settings in a run. Whoever gives a node says which chain and key are to be used there: other
    commands in the folder have to know it as well."""
    reached = {
        "CHAIN_TOKEN": secret(folder / "chain/token"),
        "CHAIN_GRPC_URL": f"127.0.0.1:{settings.chain_grpc_port}",
        **({"CHAIN_TLS_CA": settings.chain_tls_ca} if settings.chain_tls_ca else {}),
    }
    if settings.evm_rpc_url:
        given = {
            "CHAIN_ID": settings.chain_id, "CHAIN_CONTRACT": settings.chain_contract,
            "CHAIN_KEY_FILE": settings.chain_key_file,
        }  # fmt: skip
        return reached | {name: str(value) for name, value in given.items() if value}
    return reached | {"CHAIN_ID": str(CHAIN_ID), "CHAIN_KEY_FILE": str(_key_file(settings, folder))}


def node_of_a_run(settings: ChainSettings, folder: Path) -> Mapping[str, str]:
    """What the private node is told: where it keeps its chain, and who has money on it."""
    return {
        "DEV_CHAIN_ID": str(settings.chain_id or CHAIN_ID),
        "DEV_CHAIN_FOLDER": str(folder / "chain/node"),
        "DEV_CHAIN_FUNDED": address_of(key_in(_key_file(settings, folder))),
        "DEV_CHAIN_ENGINE": settings.dev_chain_engine,
    }


def _key_file(settings: ChainSettings, folder: Path) -> Path:
    if settings.chain_key_file:
        return Path(settings.chain_key_file)
    path = folder / "chain/key"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        write_privately(path, secrets.token_hex(32) + "\n")
    return path
