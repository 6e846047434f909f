"""The piece of an auction, as the catalogue has it."""

from typing import Final

RESERVE: Final = (
    "INSERT INTO catalog.reservations (bucket, tenant_id, business_id, context, name, fingerprint, forbidden, pinned,"
    " created_at) SELECT bucket, tenant_id, id, 'auctions', 'reserve', '', false, true, now() FROM auctions.auctions"
    " WHERE id = %s",
    "INSERT INTO catalog.reservation_lines (bucket, tenant_id, business_id, context, name, product_id, qty, status,"
    " seller_id, title, price, currency) SELECT bucket, tenant_id, id, 'auctions', 'reserve', product_id, 1,"
    " 'RESERVED', seller_id, title, starting_price, currency FROM auctions.auctions WHERE id = %s",
)
"""Reserve and pin it for the auction that is there with this id."""
