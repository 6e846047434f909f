"""`strongbox auctions`: see which there are, and find out what became of one."""

import asyncio
from collections.abc import Mapping
from uuid import UUID

import click
import msgspec

from app.contexts.auctions.application.browse import Seen
from app.contexts.auctions.application.tell_auction import AuctionStory, AuctionUnknown
from app.contexts.auctions.domain.auction import Status
from app.platform.process import terminal
from app.platform.process.commands import Id, also, command_line, configured, json_option, or_fail
from app.platform.process.terminal import cell, table

_TENANT = click.option("--tenant", default="default", show_default=True, help="Whose: the tenant's name.")


@click.group()
def auctions() -> None:
    """Auctions: list them, and show one's whole story. Also spelled `auction`."""


@auctions.command("ls")
@click.option("--status", type=click.Choice([status.value for status in Status]), help="Only those that stand there.")
@click.option("--limit", type=click.IntRange(1, 1_000), default=50, show_default=True, help="At most so many.")
@_TENANT
@json_option
def auctions_ls(status: str | None, limit: int, tenant: str, as_json: bool) -> None:
    """List auctions, by when they end."""
    from app.contexts.auctions.for_operators import auctions_of
    from app.platform.tenants import TenantUnknown

    rooms = command_line().rooms(configured("command", "database_url"))
    wanted = None if status is None else Status(status)
    found = or_fail(lambda: asyncio.run(auctions_of(rooms, tenant, wanted, limit)), TenantUnknown)
    if as_json:
        click.echo(terminal.as_json({"auctions": [_shown(seen) for seen in found]}))
    else:
        terminal.show(_listed(found))


@auctions.command("show")
@click.argument("auction_id", metavar="ID", type=Id())
@_TENANT
@json_option
def auctions_show(auction_id: UUID, tenant: str, as_json: bool) -> None:
    """Show the whole story of the auction ID, oldest first.

    What was bid, how it was closed, the stock's and the hold's part in it, its events, and what comes next.
    """
    from app.contexts.auctions.for_operators import story_of
    from app.platform.tenants import TenantUnknown

    rooms = command_line().rooms(configured("command", "database_url"))
    story = or_fail(lambda: asyncio.run(story_of(rooms, tenant, auction_id)), AuctionUnknown, TenantUnknown)
    if as_json:
        click.echo(_as_json(story))
    else:
        terminal.show(_text(story))


auction = also(auctions, "auction")


def _listed(found: list[Seen]) -> str:
    rows = [
        (a.ends_at, a.id, a.status(at).value, a.current_price_minor, a.currency, a.bid_count, cell(a.title))
        for a, at in found
    ]
    return table(("ENDS", "AUCTION", "STATUS", "PRICE", "", "BIDS", "TITLE"), rows)


def _text(story: AuctionStory) -> str:
    a = story.auction
    leader = a.shown_leader
    facts = [
        ("auction", f"{a.id}  {a.phase}"),
        ("product", f"{a.product_id}  {a.title}"),
        ("seller", a.seller_id),
        ("price", f"{a.current_price_minor} {a.currency} (minor units), {a.bid_count} bids"),
        ("reserve", a.reserve_price_minor),
        ("buy now", a.buy_now_price_minor),
        ("leader", leader and f"{leader.user_id}, up to {leader.max_minor}"),
        ("winner", a.winner_id),
        ("order", a.order_id),
        ("ended" if a.closed_at else "ends", f"{a.closed_at or a.ends_at:%Y-%m-%d %H:%M:%S} UTC"),
    ]
    lines = [f"{name:<8}  {cell(value)}" for name, value in facts if value is not None]
    rows = [(m.at, m.source, m.what, _short(m.details)) for m in story.moments]
    lines += ["", table(("AT", "WHERE", "WHAT", ""), rows), ""]
    if story.next is not None:
        lines.append(f"next      {cell(story.next)}")
    lines += [f"note      {cell(note)}" for note in story.notes]
    return "\n".join(lines).rstrip()


def _short(details: Mapping[str, object]) -> str:
    """Ids by which to look further; the rest is in the JSON."""
    told = ("event_id", "bidder", "hold_id", "winner_id", "order_id", "by")
    return cell({name: details[name] for name in told if details.get(name) is not None})


def _shown(seen: Seen) -> Mapping[str, object]:
    from app.contexts.auctions.adapters.http.views import auction_view

    view: dict[str, object] = msgspec.to_builtins(auction_view(seen.auction, seen.at))
    return {**view, "reserve_price": seen.auction.reserve_price_minor, "title": seen.auction.title}


def _as_json(story: AuctionStory) -> str:
    a = story.auction
    return terminal.as_json(
        {
            "auction": {
                **_shown(Seen(a, a.updated_at)),
                "tenant_id": a.tenant_id,
                "phase": a.phase,
                "closing": a.closing,
                "leader_id": a.leader and a.leader.user_id,
                "leader_max": a.leader and a.leader.max_minor,
                "winner_id": a.winner_id,
                "winner_hold_id": a.winner_hold_id,
                "sold_price": a.sold_price_minor,
            },
            "timeline": story.moments,
            "next": story.next,
            "notes": story.notes,
        }
    )
