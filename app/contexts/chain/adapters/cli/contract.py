"""`strongbox chain deploy` and `strongbox chain rebuild`."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, TypeVar

import click

from app.platform.process import terminal
from app.platform.process.commands import Whole, command_line, configured, json_option, or_fail
from app.platform.process.settings import Settings

if TYPE_CHECKING:
    from app.contexts.chain.adapters.evm.minter import Minter
    from app.contexts.chain.assembly import EvmParts
    from app.contexts.chain.settings import ChainSettings
    from app.platform.postgres.pool import Pool

T = TypeVar("T")


@click.command()
@click.option("--name", default="Strongbox Cashback", show_default=True, help="The token's name.")
@click.option("--symbol", default="SBX", show_default=True, help="Its symbol.")
@click.option("--decimals", type=Whole(0, 255), default=6, show_default=True, help="As TOKEN_DECIMALS says.")
@click.option("--owner", metavar="ADDRESS", help="Who may make another key the minter; default the key itself.")
@click.option("--within", "within_s", type=Whole(1, 86_400), default=120, show_default=True, help="Seconds to wait.")
def deploy(name: str, symbol: str, decimals: int, owner: str | None, within_s: int) -> None:
    """Make the token's contract, and print its address.

    By the key in CHAIN_KEY_FILE, which pays for it, on the chain CHAIN_ID of the node EVM_RPC_URL. Once: what was made
    before is found, whether it is kept in the database or not. Where CHAIN_CONTRACT says which it is, that one is kept.
    """
    from app.contexts.chain.adapters.evm.addresses import ZERO, address
    from app.contexts.chain.adapters.evm.contract import deployment
    from app.contexts.chain.assembly import deploy_of
    from app.platform.eip55 import checksummed

    settings = configured("command", "database_url", "evm_rpc_url", "chain_id", "chain_key_file")

    async def made(own: "ChainSettings", parts: "EvmParts", key: "Minter", pool: "Pool") -> str:
        data = deployment(name, symbol, decimals, whose or key.address, key.address)
        return await deploy_of(own, parts, key, pool)(data, own.chain_contract or None, within_s)

    try:
        whose = address(owner) if owner else None
    except ValueError as error:
        raise click.UsageError(f"--owner {error}") from None
    try:
        deployment(name, symbol, decimals, ZERO, ZERO)
    except ValueError as error:
        raise click.UsageError(f"the contract cannot be made so: {error}") from None
    click.echo(checksummed(_run(settings, made)))


@click.command()
@click.option(
    "--from-block",
    "first_block",
    type=Whole(0, 2**63 - 1),
    default=0,
    show_default=True,
    help="No event is older: the block that the contract was made in, or one before.",
)
@json_option
def rebuild(first_block: int, as_json: bool) -> None:
    """Restore the chain's tables from the chain.

    Mints come from the contract's events, the key's nonce from the node: for when the database was lost. What is there
    stays, and the same again is the same again.
    """
    from app.contexts.chain.application.rebuild import Rebuilt
    from app.contexts.chain.assembly import rebuild_of

    settings = configured("command", "database_url", "evm_rpc_url", "chain_id", "chain_contract", "chain_key_file")

    async def rebuilt(own: "ChainSettings", parts: "EvmParts", key: "Minter", pool: "Pool") -> Rebuilt:
        return await rebuild_of(own, parts, key, pool)(first_block)

    found = _run(settings, rebuilt)
    shown = {"told": found.told, "restored": found.restored, "next_nonce": found.next_nonce}
    text = f"the contract tells of {found.told} mints, {found.restored} of them restored; next nonce {found.next_nonce}"
    click.echo(terminal.as_json(shown) if as_json else text)


def _run(settings: Settings, do: "Callable[[ChainSettings, EvmParts, Minter, Pool], Awaitable[T]]") -> T:
    from app.contexts.chain.adapters.evm.node import node_at
    from app.contexts.chain.assembly import EvmParts, minter_of
    from app.contexts.chain.settings import ChainSettings
    from app.platform.postgres.operator import with_pool

    own = settings.of(ChainSettings)
    container = command_line().container("chain", settings)
    pool, url, key = container.pool(), container.database().url, minter_of(own)

    async def run() -> T:
        async with node_at(own.evm_rpc_url).opened() as node:
            return await with_pool(pool, url, lambda: do(own, EvmParts(node, own), key, pool))

    return or_fail(lambda: asyncio.run(run()))
