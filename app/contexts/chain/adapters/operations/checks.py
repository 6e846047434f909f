"""What `strongbox verify` checks of the chain: what is kept, alone, with the contract, and with what was asked for."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from app.contexts.chain.adapters.evm.balances import EvmBalances
from app.contexts.chain.adapters.evm.node import node_at
from app.contexts.chain.adapters.operations.supply import MintsAreAskedFor, SupplyIsConfirmed
from app.contexts.chain.adapters.postgres.invariants import QUERIES
from app.contexts.chain.domain.refusals import ChainAway
from app.contexts.chain.settings import ChainSettings
from app.platform.postgres.evidence import Checks, Compare, Database, Note
from app.platform.postgres.integrity import query_checks


def checks_of_chain(database: Database, settings: ChainSettings) -> Checks:
    """The checks over the database with what was signed."""
    is_known = settings.evm_rpc_url and settings.chain_contract

    @asynccontextmanager
    async def supply(note: Note) -> AsyncIterator[Compare]:
        async with node_at(settings.evm_rpc_url).opened() as node:
            balances = EvmBalances(node, settings.chain_contract)
            try:
                before = await balances.supply()
            except ChainAway as error:
                note(f"the contract was not looked at: {error}")
                yield lambda _trail, _books: ()
                return
            yield lambda _trail, books: (SupplyIsConfirmed(books, before, balances.supply),)

    @asynccontextmanager
    async def unknown(note: Note) -> AsyncIterator[Compare]:
        note("the contract was not looked at: EVM_RPC_URL or CHAIN_CONTRACT is not set")
        yield lambda _trail, _books: ()

    return Checks(
        database,
        lambda books: query_checks(books, QUERIES),
        between=supply if is_known else unknown,
        outside="the contract" if is_known else None,
        agree=lambda before, after, facts: (MintsAreAskedFor(before, after, facts),),
    )
