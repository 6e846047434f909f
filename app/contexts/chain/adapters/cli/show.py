"""`strongbox chain show`: where the chain stands, or what was signed for one request."""

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any
from uuid import UUID

import click

from app.platform.eip55 import checksummed
from app.platform.process import terminal
from app.platform.process.commands import Failed, WrongSettings, configured, json_option, or_fail
from app.platform.process.terminal import cell, table

if TYPE_CHECKING:
    from app.contexts.chain.adapters.operations.look import ChainSeen, MintSeen
    from app.contexts.chain.adapters.postgres.stories import MintStory


@click.command()
@click.argument("what", metavar="[REQUEST_OR_TRANSACTION]", required=False)
@json_option
def show(what: str | None, as_json: bool) -> None:
    """Show a request, by its id or by the hash of a transaction; without one node, contract and keys, and what is under
    way or failed."""
    from app.contexts.chain.adapters.operations.look import one_mint, request_of, the_chain
    from app.contexts.chain.settings import ChainSettings

    is_hash = what is not None and what.lower().startswith("0x")
    try:
        id_ = UUID(what) if what is not None and not is_hash else None
    except ValueError:
        raise click.UsageError(f"{what!r} is neither the id of a request nor the hash of a transaction") from None
    settings = configured("command", "database_url")
    if "chain" not in settings.sections:
        raise WrongSettings("CONTEXTS: chain is switched off")
    url, own = settings.home("chain").url, settings.of(ChainSettings)

    async def told() -> dict[str, Any] | None:
        if what is None:
            return _chain(await the_chain(url, own), own.chain_confirmations)
        request_id = await request_of(url, what.lower()) if is_hash else id_
        seen = await one_mint(url, own, request_id) if request_id else None
        return _mint(seen) if seen else None

    shown = or_fail(lambda: asyncio.run(told()))
    if shown is None:
        raise Failed(f"nothing was signed for {what}")
    click.echo(terminal.as_json(shown)) if as_json else terminal.show(_as_text(shown))


def _mint(seen: "MintSeen") -> dict[str, Any]:
    mint = _spelled(seen.mint._asdict(), "recipient", "sender")
    earlier = [_spelled(each._asdict(), "sender") for each in seen.earlier]
    return {**mint, "waits_for": seen.waits_for, "note": seen.note, "earlier": earlier}


def _chain(seen: "ChainSeen", confirmations: int) -> dict[str, Any]:
    head = seen.node.head
    return {
        "contract": seen.contract and _spelled(seen.contract._asdict(), "address"),
        "confirmations": confirmations,
        "node": {"block": head.block, "age_s": head.age_s} if head else None,
        "note": seen.node.away and f"the node was not asked: {seen.node.away}",
        "keys": [
            {"address": checksummed(key), "next_nonce": nonce, "wei": str(seen.node.coins.get(key, "unknown"))}
            for key, nonce in seen.keys
        ],
        "under_way": _listed(seen.under_way),
        "failed": _listed(seen.failed),
    }


def _listed(mints: "Sequence[MintStory]") -> list[dict[str, Any]]:
    names = ("request_id", "status", "nonce", "amount", "recipient", "tx_hash", "failure", "updated_at")
    return [_spelled({name: getattr(mint, name) for name in names}, "recipient") for mint in mints]


def _spelled(told: dict[str, Any], *addresses: str) -> dict[str, Any]:
    return told | {name: told[name] and checksummed(told[name]) for name in addresses}


def _as_text(told: dict[str, Any]) -> str:
    lines = []
    for name, value in told.items():
        if isinstance(value, list):
            rows = [[*each.values()] for each in value]
            shown = table([key.upper() for key in value[0]], rows) if value else "none"
            lines += ["", f"{name}", shown]
        elif isinstance(value, dict):
            lines += [f"{f'{name} {key}':<24}  {cell(of)}" for key, of in value.items()]
        elif value is not None:
            lines.append(f"{name:<24}  {cell(value)}")
    return "\n".join(lines)
