"""`strongbox orders show`: find out what became of an order."""

import asyncio
from collections.abc import Mapping
from uuid import UUID

import click
import msgspec

from app.contexts.ordering.application.tell_order import OrderStory, OrderUnknown
from app.platform.process import terminal
from app.platform.process.commands import Id, also, command_line, configured, json_option, or_fail
from app.platform.process.terminal import cell, table


@click.group()
def orders() -> None:
    """Orders: show one's whole story. Also spelled `order`."""


@orders.command("show")
@click.argument("order_id", metavar="ID", type=Id())
@click.option("--tenant", default="default", show_default=True, help="Whose: the tenant's name.")
@json_option
def orders_show(order_id: UUID, tenant: str, as_json: bool) -> None:
    """Show the whole story of the order ID, oldest first.

    Its checkout, the stock's and the hold's part in it, what was done with it, its events, and what comes next.
    """
    from app.contexts.ordering.for_operators import story_of
    from app.platform.tenants import TenantUnknown

    rooms = command_line().rooms(configured("command", "database_url"))
    story = or_fail(lambda: asyncio.run(story_of(rooms, tenant, order_id)), OrderUnknown, TenantUnknown)
    if as_json:
        click.echo(_as_json(story))
    else:
        terminal.show(_text(story))


order = also(orders, "order")


def _text(story: OrderStory) -> str:
    order = story.order
    facts = [
        ("order", f"{order.id}  {order.status}"),
        ("checkout", order.checkout_id),
        ("buyer", order.buyer_id),
        ("seller", order.seller_id),
        ("total", f"{order.total_minor} {order.currency} (minor units), {order.fee_minor} of it the house's"),
        ("hold", order.hold_id),
        ("tracking", order.tracking),
        ("reason", order.reason),
    ]
    lines = [f"{name:<9}  {cell(value)}" for name, value in facts if value is not None]
    items = [(item.product_id, item.title, item.qty, item.price_minor) for item in order.items]
    lines += ["", table(("PRODUCT", "TITLE", "PIECES", "EACH"), items), ""]
    rows = [(m.at, m.source, m.what, _short(m.details)) for m in story.moments]
    lines += [table(("AT", "WHERE", "WHAT", ""), rows), ""]
    if story.next is not None:
        lines.append(f"next       {cell(story.next)}")
    lines += [f"note       {cell(note)}" for note in story.notes]
    return "\n".join(lines).rstrip()


def _short(details: Mapping[str, object]) -> str:
    """Ids by which to look further; the rest is in the JSON."""
    told = ("event_id", "product_id", "hold_id", "by", "key_digest")
    return cell({name: details[name] for name in told if details.get(name) is not None})


def _as_json(story: OrderStory) -> str:
    from app.contexts.ordering.adapters.http.views import order_view

    order = story.order
    return terminal.as_json(
        {
            "order": {
                **msgspec.to_builtins(order_view(order)),
                "tenant_id": order.tenant_id,
                "house_user_id": order.house_user_id,
                "closing": order.closing,
                "reason": order.reason,
            },
            "timeline": story.moments,
            "next": story.next,
            "notes": story.notes,
        }
    )
