"""`strongbox provider`, `wallet`: what operators put into the books."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar
from uuid import UUID

import click

from app.main.commands.common import Id, Whole, configured, or_fail, text

T = TypeVar("T")


@click.group()
def provider() -> None:
    """Those who are paid."""


@provider.command("add")
@click.argument("name")
@click.option("--id", "provider_id", type=Id(), help="Its id; a fresh one otherwise.")
def provider_add(name: str, provider_id: UUID | None) -> None:
    """Add the provider NAME, active at once. The same name and id again change nothing."""
    from app.main.operations import add_provider

    name = text("NAME", name, 200)
    added = _command(lambda container: add_provider(container, name, provider_id))
    click.echo(added)


@click.group()
def wallet() -> None:
    """What users hold."""


@wallet.command("fund")
@click.argument("user_id", type=Id())
@click.argument("currency")
@click.argument("amount", type=Whole(1, 2**63 - 1))
@click.option("--reference", help="What the money came by: the same again pays in nothing.")
def wallet_fund(user_id: UUID, currency: str, amount: int, reference: str | None) -> None:
    """Pay AMOUNT minor units of CURRENCY into the user's wallet, opening it where there is none."""
    from app.domain.currencies import is_well_formed
    from app.domain.refusals import CurrencyUnknown
    from app.main.operations import fund_wallet

    if not is_well_formed(currency):
        raise click.BadParameter(f"{currency!r} is not a currency", param_hint="CURRENCY")
    if reference is not None:
        reference = text("--reference", reference, 140)

    async def pay_in(container: Any) -> Any:
        try:
            return await fund_wallet(container, user_id, currency, amount, reference)
        except CurrencyUnknown as refusal:
            raise click.BadParameter(str(refusal), param_hint="CURRENCY") from None

    funded = _command(pay_in)
    already = " (paid in before: nothing was done)" if funded.already else ""
    click.echo(f"user {user_id} holds {funded.balance_minor} {currency}{already}")


def _command(action: Callable[[Any], Awaitable[T]]) -> T:
    """Run an operator's command against the books."""
    from app.main.container import Container
    from app.main.operations import with_books

    settings = configured("command", "database_url")
    return or_fail(lambda: asyncio.run(with_books(Container(settings=settings), action)))
