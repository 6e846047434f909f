"""`strongbox payments show`, `wallets show`: find out what became of money."""

import asyncio
from collections.abc import Sequence
from uuid import UUID

import click

from app.application.payments.story import Story
from app.application.wallets.standing import Wallets
from app.main import terminal
from app.main.commands.common import Id, Whole, configured, json_option, or_fail
from app.main.terminal import cell, moment, table


@click.group()
def payments() -> None:
    """Payments, one by one."""


@payments.command("show")
@click.argument("payment_id", type=Id())
@json_option
def payments_show(payment_id: UUID, as_json: bool) -> None:
    """Show a payment's whole story, oldest first: request, entries, gateway, events, audit trail, what comes next."""
    from app.adapters.postgres.stories import PostgresRecords, PostgresTrail
    from app.application.payments.story import tell

    settings = configured("command", "database_url")
    story = or_fail(
        lambda: asyncio.run(
            tell(
                PostgresRecords(settings.database_url),
                PostgresTrail(settings.consumers_url),
                payment_id,
                settings.recover_after_s,
                settings.idempotency_ttl_h,
            )
        )
    )
    click.echo(_story_as_json(story) if as_json else _story(story))


@click.group()
def wallets() -> None:
    """Users' wallets."""


@wallets.command("show")
@click.argument("user_id", type=Id())
@click.option("--limit", type=Whole(1, 200), default=10, show_default=True, help="Transactions at most.")
@json_option
def wallets_show(user_id: UUID, limit: int, as_json: bool) -> None:
    """Show a user's balances beside what their entries add up to, and the newest transactions.

    Exit code 1 when a balance is not what its entries say.
    """
    from app.main.container import Container
    from app.main.inspecting import wallets_of

    settings = configured("command", "database_url")
    found = or_fail(lambda: asyncio.run(wallets_of(Container(settings=settings), settings, user_id, limit)))
    click.echo(_wallets_as_json(found) if as_json else _wallets(found))
    raise SystemExit(0 if found.agree else 1)


def _story(story: Story) -> str:
    payment = story.payment
    provider = f"{payment.provider_id} ({story.provider_name})" if story.provider_name else payment.provider_id
    facts = [
        ("payment", f"{payment.id}  {payment.status}" + (f" ({payment.failure_code})" if payment.failure_code else "")),
        ("user", payment.user_id),
        ("amount", f"{payment.money.amount_minor} {payment.money.currency} (minor units)"),
        ("provider", provider),
        ("reference", payment.external_reference),
    ]
    lines = [f"{name:<9}  {cell(value)}" for name, value in facts]
    rows = [(m.at, m.source, m.what, _short(m.details)) for m in story.moments]
    lines += ["", table(("AT", "WHERE", "WHAT", ""), rows), ""]
    if story.next is not None and story.next_at is not None:
        lines.append(f"next       {moment(story.next_at)}  {story.next}")
    lines += [f"note       {cell(note)}" for note in story.notes]
    return "\n".join(lines).rstrip()


def _short(details: object) -> str:
    """Ids by which to look further; the rest is in the JSON."""
    assert isinstance(details, dict)
    told = ("event_id", "transaction_id", "key_digest", "kept_until")
    return cell({name: details[name] for name in told if name in details})


def _story_as_json(story: Story) -> str:
    payment = story.payment
    return terminal.as_json(
        {
            "payment": {
                "payment_id": payment.id,
                "transaction_id": payment.transaction_id,
                "user_id": payment.user_id,
                "provider_id": payment.provider_id,
                "provider_name": story.provider_name,
                "external_reference": payment.external_reference,
                "amount": payment.money.amount_minor,
                "currency": payment.money.currency,
                "status": payment.status,
                "failure_code": payment.failure_code,
                "created_at": payment.created_at,
                "void_requested_at": payment.void_requested_at,
                "finalized_at": payment.finalized_at,
            },
            "timeline": story.moments,
            "next": None if story.next is None else {"at": story.next_at, "what": story.next},
            "notes": story.notes,
        }
    )


def _wallets(found: Wallets) -> str:
    standings = [
        (
            s.currency, s.balance, s.derived_balance, s.newest_balance_after, s.entries, s.version,
            s.pending_payments, s.pending_amount, "ok" if s.agrees else "BROKEN",
        )
        for s in found.standings
    ]  # fmt: skip
    head = ("CURRENCY", "BALANCE", "ENTRIES SAY", "NEWEST SAYS", "ENTRIES", "VERSION", "PENDING", "AMOUNT", "")
    lines: Sequence[tuple[object, ...]] = [
        (t.created_at, t.kind, -t.amount if t.kind == "PAYMENT" else t.amount, t.currency, t.status, t.balance_after,
         t.payment_id, t.external_reference)
        for t in found.lines
    ]  # fmt: skip
    history = ("AT", "KIND", "AMOUNT", "CURRENCY", "STATUS", "BALANCE", "PAYMENT", "REFERENCE")
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
