"""`strongbox stock show`: what is left of a product, and who has reserved what of it."""

import asyncio
from uuid import UUID

import click

from app.contexts.catalog.application.look_at_stock import StockLine, StockPage
from app.platform.process import terminal
from app.platform.process.commands import Id, Whole, command_line, configured, json_option, or_fail
from app.platform.process.terminal import table


@click.group()
def stock() -> None:
    """Products' stock: show what is left, and who has reserved what."""


@stock.command("show")
@click.argument("product_id", type=Id())
@click.option("--tenant", help="The name of the tenant whose it has to be.")
@click.option("--limit", type=Whole(1, 200), default=10, show_default=True, help="Reservations at most.")
@json_option
def stock_show(product_id: UUID, tenant: str | None, limit: int, as_json: bool) -> None:
    """Show a product's stock and its newest reservations.

    What is reserved stands beside what the reservations add up to. Exit code 1 when they do not say the same.
    """
    from app.contexts.catalog.application.look_at_stock import ProductUnknown
    from app.contexts.catalog.for_operators import stock_of
    from app.platform.tenants import TenantUnknown

    house = command_line().rooms(configured("command", "database_url"))
    found = or_fail(lambda: asyncio.run(stock_of(house, product_id, tenant, limit)), ProductUnknown, TenantUnknown)
    if as_json:
        click.echo(_as_json(found))
    else:
        terminal.show(_as_text(found))
    raise SystemExit(0 if found.product.agrees else 1)


def _as_text(found: StockPage) -> str:
    p = found.product
    offered = "deleted" if p.deleted_at else "yes" if p.is_active else "not active"
    head = ("LEFT", "RESERVED", "AVAILABLE", "SOLD", "PUT IN", "VERSION", "OFFERED", "RESERVATIONS SAY", "")
    verdict = "ok" if p.agrees else "BROKEN"
    row = (p.quantity, p.reserved, p.available, p.sold, p.put_in, p.version, offered, p.derived_reserved, verdict)
    lines = ("AT", "BY", "BUSINESS", "FOR", "PIECES", "STATUS")
    title = f"product {p.product_id}, of seller {p.seller_id}, {p.price_minor} {p.currency}"
    kept = [("Reserved now, the oldest first", found.reserved), ("The newest reservations", found.lines)]
    tables = [f"{name}\n{table(lines, [_row(line) for line in of])}" for name, of in kept if of]
    return "\n\n".join([title, table(head, [row]), *tables])


def _row(line: StockLine) -> tuple[object, ...]:
    of = line.operation
    by = f"{of.context}, {of.name}{', pinned' if line.pinned else ''}"
    return line.reserved_at, by, of.business_id, line.buyer, line.qty, line.status.value


def _as_json(found: StockPage) -> str:
    return terminal.as_json(
        {
            "agree": found.product.agrees,
            "product": {**found.product._asdict(), "available": found.product.available},
            "reserved": [_flat(line) for line in found.reserved],
            "reservations": [_flat(line) for line in found.lines],
        }
    )


def _flat(line: StockLine) -> dict[str, object]:
    of = line.operation
    return {"context": of.context, "business_id": of.business_id, **line._asdict(), "operation": of.name}
