"""`strongbox webhook`: the webhooks of a tenant, what was sent to one, and sending it again."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

import click

from app.contexts.webhooks.domain.ids import DeliveryId, EndpointId
from app.platform.process import terminal
from app.platform.process.commands import Id, Whole, command_line, configured, json_option, or_fail, time_of
from app.platform.process.terminal import cell, table

T = TypeVar("T")

_tenant = click.option("--tenant", default="default", show_default=True, help="Whose: the tenant's name.")
_id = click.argument("webhook_id", metavar="WEBHOOK", type=Id())


@click.group()
def webhook() -> None:
    """Webhooks: show a tenant's and what was sent to one, and have something sent again."""


@webhook.command("list")
@_tenant
@json_option
def list_webhooks(tenant: str, as_json: bool) -> None:
    """Show the webhooks of a tenant, newest first."""
    from app.contexts.webhooks.for_operators import endpoints_of

    found = _run(lambda rooms: endpoints_of(rooms, tenant))
    if as_json:
        from app.contexts.webhooks.adapters.http.views import webhook_view

        click.echo(terminal.as_json([webhook_view(one) for one in found]))
        return
    rows = [(e.id, e.status.value, e.reason or "", e.url, ", ".join(e.types)) for e in found]
    terminal.show(table(("WEBHOOK", "STATUS", "WHY", "WHERETO", "TYPES"), rows))


@webhook.command("deliveries")
@_id
@click.option("--status", type=click.Choice(["PENDING", "DELIVERED", "FAILED"]), help="Only those that are so far.")
@_tenant
@click.option("--limit", type=Whole(1, 200), default=20, show_default=True, help="Lines at most.")
@json_option
def deliveries(webhook_id: UUID, status: str | None, tenant: str, limit: int, as_json: bool) -> None:
    """Show what was sent to WEBHOOK, and what is still to be sent, newest first."""
    from app.contexts.webhooks.for_operators import deliveries_of

    found = _run(lambda rooms: deliveries_of(rooms, tenant, EndpointId(webhook_id), status, limit))
    if as_json:
        from app.contexts.webhooks.adapters.http.views import delivery_view

        click.echo(terminal.as_json([delivery_view(one) for one in found]))
        return
    rows = [
        (d.created_at, d.status.value, d.attempts, d.last_status or d.last_error or "", d.type, d.id) for d in found
    ]
    terminal.show(table(("AT", "STATUS", "ATTEMPTS", "LAST", "OF", "DELIVERY"), rows))


@webhook.command("show")
@_id
@click.argument("delivery_id", metavar="DELIVERY", type=Id())
@_tenant
@json_option
def show(webhook_id: UUID, delivery_id: UUID, tenant: str, as_json: bool) -> None:
    """Show what became of a DELIVERY to WEBHOOK, oldest first."""
    from app.contexts.webhooks.adapters.http.views import delivery_view
    from app.contexts.webhooks.for_operators import story_of

    story = _run(lambda rooms: story_of(rooms, tenant, EndpointId(webhook_id), DeliveryId(delivery_id)))
    d = story.delivery
    if as_json:
        told = {
            "delivery": delivery_view(d), "timeline": story.moments, "next": story.next, "notes": story.notes,
        }  # fmt: skip
        click.echo(terminal.as_json(told))
        return
    lines = [f"delivery  {cell(d.id)}  {d.status.value}", f"event     {cell(d.event_id)}  {cell(d.type)}", ""]
    lines += [table(("AT", "WHERE", "WHAT"), [(m.at, m.source, m.what) for m in story.moments]), ""]
    lines += [f"next      {cell(story.next)}"] if story.next else []
    lines += [f"note      {cell(note)}" for note in story.notes]
    terminal.show("\n".join(lines).rstrip())


@webhook.command("redeliver")
@_id
@click.argument("delivery_id", metavar="DELIVERY", type=Id())
@_tenant
def redeliver(webhook_id: UUID, delivery_id: UUID, tenant: str) -> None:
    """Send the event of a DELIVERY to WEBHOOK again, under the same id."""
    from app.contexts.webhooks.for_operators import redelivered

    _run(lambda rooms: redelivered(rooms, tenant, EndpointId(webhook_id), DeliveryId(delivery_id)))
    click.echo(f"{delivery_id} will be sent again")


@webhook.command("replay")
@_id
@click.option("--from", "since", required=True, callback=time_of, help="A time like 2026-01-31T12:00:00Z, or a date.")
@click.option("--to", "until", required=True, callback=time_of, help="The same; it is not included.")
@_tenant
@json_option
def replay(webhook_id: UUID, since: datetime, until: datetime, tenant: str, as_json: bool) -> None:
    """Send what happened in a time to WEBHOOK again, and what it did not get of that."""
    from app.contexts.webhooks.for_operators import replayed

    if until <= since:
        raise click.BadParameter("it has to be later than --from", param_hint="--to")
    count = _run(lambda rooms: replayed(rooms, tenant, EndpointId(webhook_id), since, until))
    click.echo(terminal.as_json({"count": count}) if as_json else f"{count} deliveries will be sent")


def _run(action: Callable[[Any], Awaitable[T]]) -> T:
    from app.platform.tenants import TenantUnknown

    rooms = command_line().rooms(configured("command", "database_url"))

    async def run() -> T:
        return await action(rooms)

    return or_fail(lambda: asyncio.run(run()), TenantUnknown)
