"""`strongbox wallet fund`, `wallet show`: pay in, and find out where money is."""

import asyncio
from collections.abc import Sequence
from uuid import UUID

import click

from app.contexts.funds.application.reconcile import Wallets
from app.platform.process import terminal
from app.platform.process.commands import Id, Whole, also, command_line, configured, json_option, or_fail, text
from app.platform.process.terminal import table


@click.group()
def wallet() -> None:
    """Users' wallets: fund one, show what it holds. Also spelled `wallets`."""


@wallet.command("fund")
@click.argument("user_id", type=Id())
@click.argument("currency")
@click.argument("amount", type=Whole(1, 2**63 - 1))
@click.option("--reference", help="What the money came by: the same again pays in nothing.")
def wallet_fund(user_id: UUID, currency: str, amount: int, reference: str | None) -> None:
    """Pay into a user's wallet.

    AMOUNT is in minor units of CURRENCY (5000 are 50.00 USD). Where there is no wallet one is opened.
    """
    from app.contexts.funds.application.fund import Funded
    from app.contexts.funds.domain.refusals import CurrencyUnknown
    from app.contexts.funds.for_operators import fund_wallet
    from app.kernel.currencies import is_well_formed

    if not is_well_formed(currency):
        raise click.BadParameter(f"{currency!r} is not a currency", param_hint="CURRENCY")
    if reference is not None:
        reference = text("--reference", reference, 140)

    container = command_line().container("funds", configured("command", "database_url"))

    async def pay_in() -> Funded:
        try:
            return await fund_wallet(container, user_id, currency, amount, reference)
        except CurrencyUnknown as refusal:
            raise click.BadParameter(str(refusal), param_hint="CURRENCY") from None

    funded = or_fail(lambda: asyncio.run(pay_in()))
    already = " (paid in before: nothing was done)" if funded.already else ""
    click.echo(f"user {user_id} holds {funded.balance_minor} {currency}{already}")


@wallet.command("show")
@click.argument("user_id", type=Id())
@click.option("--limit", type=Whole(1, 200), default=10, show_default=True, help="Transactions at most.")
@json_option
def wallet_show(user_id: UUID, limit: int, as_json: bool) -> None:
    """Show a user's balances and newest transactions.

    Each balance stands beside what its entries add up to. Exit code 1 when a balance is not what its entries say.
    """
    from app.contexts.funds.for_operators import wallets_of

    settings = configured("command", "database_url")
    container = command_line().container("funds", settings)
    found = or_fail(lambda: asyncio.run(wallets_of(container, user_id, limit)))
    if as_json:
        click.echo(_wallets_as_json(found))
    else:
        terminal.show(_wallets(found))
    raise SystemExit(0 if found.agree else 1)


wallets = also(wallet, "wallets")


def _wallets(found: Wallets) -> str:
    standings = [
        (
            s.currency, s.balance, s.derived_balance, s.newest_balance_after, s.entries, s.version,
            s.held, s.derived_held, s.open_holds, s.pending_payments, s.pending_amount, "ok" if s.agrees else "BROKEN",
        )
        for s in found.standings
    ]  # fmt: skip
    head = (
        "CURRENCY", "BALANCE", "ENTRIES SAY", "NEWEST SAYS", "ENTRIES", "VERSION", "HELD", "ENTRIES SAY", "HOLDS SAY",
        "PENDING", "AMOUNT", "",
    )  # fmt: skip
    lines: Sequence[tuple[object, ...]] = [
        (t.created_at, t.kind, -t.amount if t.is_debit else t.amount, t.currency, t.status, t.balance_after,
         t.payment_id or t.business_id or t.counterparty, t.external_reference)
        for t in found.lines
    ]  # fmt: skip
    history = ("AT", "KIND", "AMOUNT", "CURRENCY", "STATUS", "BALANCE", "FOR", "REFERENCE")
    return f"user {found.user_id}, amounts in minor units\n\n{table(head, standings)}\n\n{table(history, lines)}"


def _wallets_as_json(found: Wallets) -> str:
    return terminal.as_json(
        {
            "user_id": found.user_id,
            "agree": found.agree,
            "wallets": found.standings,
            "transactions": [line._asdict() for line in found.lines],
        }
    )
