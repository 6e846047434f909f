"""`strongbox payment show`: find out what became of a payment."""

import asyncio
from uuid import UUID

import click

from app.contexts.payments.application.history import PaymentNotFound, Story
from app.platform.process import terminal
from app.platform.process.commands import Id, also, configured, json_option, or_fail
from app.platform.process.terminal import cell, moment, table


@click.group()
def payment() -> None:
    """Payments: show one's whole story. Also spelled `payments`."""


@payment.command("show")
@click.argument("payment_id", type=Id())
@json_option
def payment_show(payment_id: UUID, as_json: bool) -> None:
    """Show a payment's whole story, oldest first.

    Request, entries, gateway, events, audit trail, and what comes next.
    """
    from app.contexts.payments.adapters.postgres.history import PostgresRecords
    from app.contexts.payments.application.history import tell
    from app.platform.postgres.trail import PostgresTrail

    settings = configured("command", "database_url")
    records, trail = PostgresRecords(settings.database_url), PostgresTrail(settings.consumers_url)
    story = or_fail(
        lambda: asyncio.run(tell(records, trail, payment_id, settings.recover_after_s, settings.idempotency_ttl_h)),
        PaymentNotFound,
    )
    if as_json:
        click.echo(_story_as_json(story))
    else:
        terminal.show(_story(story))


payments = also(payment, "payments")


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
