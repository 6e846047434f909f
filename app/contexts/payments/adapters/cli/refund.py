"""`strongbox refund`: find out what became of a refund, and settle by hand what the gateway does not tell of."""

import asyncio
from uuid import UUID

import click

from app.contexts.payments.application.refund_history import RefundStory, RefundUnknown
from app.contexts.payments.domain.refusals import RefundIsFinal, RefundNotFound
from app.platform.process import terminal
from app.platform.process.commands import Id, also, command_line, configured, json_option, or_fail
from app.platform.process.terminal import cell, moment, table

BY_HAND = "settled_by_hand"
"""The failure code of what was refused by an operator."""


@click.group()
def refund() -> None:
    """Refunds: show one's whole story, or settle one by hand. Also spelled `refunds`."""


@refund.command("show")
@click.argument("refund_id", metavar="ID", type=Id())
@json_option
def refund_show(refund_id: UUID, as_json: bool) -> None:
    """Show the whole story of the refund ID, oldest first.

    Request, entries, gateway, events, audit trail, and what comes next.
    """
    from app.contexts.payments.adapters.postgres.history import PostgresRecords
    from app.contexts.payments.application.refund_history import tell_refund
    from app.platform.postgres.trail import PostgresTrail

    settings = configured("command", "database_url")
    records, trail = PostgresRecords(settings.database_url), PostgresTrail(settings.consumers_url)
    after_s, ttl_h = settings.recover_after_s, settings.idempotency_ttl_h
    story = or_fail(lambda: asyncio.run(tell_refund(records, trail, refund_id, after_s, ttl_h)), RefundUnknown)
    if as_json:
        click.echo(_as_json(story))
    else:
        terminal.show(_text(story))


@refund.command("settle")
@click.argument("refund_id", metavar="ID", type=Id())
@click.argument("outcome", type=click.Choice(["completed", "refused"]))
def refund_settle(refund_id: UUID, outcome: str) -> None:
    """Settle the refund ID, which is PENDING, by hand: the gateway's own books say what became of it.

    `completed` credits the wallet, `refused` does not, and the amount can be refunded again. It is final, and on
    record.
    """
    from app.contexts.payments.domain.outcome import Refunded, RefundRefused
    from app.contexts.payments.for_operators import settle_refund

    known = Refunded() if outcome == "completed" else RefundRefused(BY_HAND)
    container = command_line().container("payments", configured("command", "database_url"))
    settled = or_fail(lambda: asyncio.run(settle_refund(container, refund_id, known)), RefundNotFound, RefundIsFinal)
    click.echo(f"refund {settled.id} is {settled.status}")


refunds = also(refund, "refunds")


def _text(story: RefundStory) -> str:
    refund = story.refund
    facts = [
        ("refund", f"{refund.id}  {refund.status}" + (f" ({refund.failure_code})" if refund.failure_code else "")),
        ("payment", refund.payment_id),
        ("user", refund.user_id),
        ("amount", f"{refund.money.amount_minor} {refund.money.currency} (minor units)"),
        ("reason", refund.reason),
    ]
    lines = [f"{name:<9}  {cell(value)}" for name, value in facts if value is not None]
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


def _as_json(story: RefundStory) -> str:
    refund = story.refund
    return terminal.as_json(
        {
            "refund": {
                "refund_id": refund.id,
                "payment_id": refund.payment_id,
                "user_id": refund.user_id,
                "tenant_id": refund.tenant_id,
                "asked_by": refund.asked_by,
                "amount": refund.money.amount_minor,
                "currency": refund.money.currency,
                "status": refund.status,
                "reason": refund.reason,
                "failure_code": refund.failure_code,
                "created_at": refund.created_at,
                "finalized_at": refund.finalized_at,
            },
            "timeline": story.moments,
            "next": None if story.next is None else {"at": story.next_at, "what": story.next},
            "notes": story.notes,
        }
    )
