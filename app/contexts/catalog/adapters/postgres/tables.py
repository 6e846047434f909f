"""What the catalogue keeps in the database."""

from pathlib import Path
from typing import Final

from app.platform.postgres import numbering
from app.platform.postgres.grants import PUBLIC, of_an_outbox, table
from app.platform.postgres.home import Tables

SCHEMA: Final = "catalog"

OF_A_TENANT: Final = (
    "categories",
    "products",
    "product_documents",
    "product_lexemes",
    "reservations",
    "reservation_lines",
    "purchases",
    "product_views",
    "cache_deletions",
)
"""The tables whose rows are seen and written by their tenant alone."""

_OF_A_CATEGORY = (
    "parent_id",
    "name",
    "slug",
    "description",
    "image_url",
    "sort_order",
    "is_active",
    "updated_at",
    "deleted_at",
)
_OF_A_PRODUCT = (
    "category_id",
    "title",
    "description",
    "condition",
    "price",
    "currency",
    "quantity",
    "reserved",
    "sold",
    "put_in",
    "images",
    "video_url",
    "specifications",
    "shipping_info",
    "featured",
    "is_active",
    "version",
    "edits",
    "updated_at",
    "deleted_at",
)

CATALOG: Final = Tables(
    Path(__file__).parents[5] / "migrations/catalog",
    (
        *PUBLIC,
        table("categories", "SELECT", "INSERT", updates=_OF_A_CATEGORY, schema=SCHEMA),
        table("products", "SELECT", "INSERT", updates=_OF_A_PRODUCT, schema=SCHEMA),
        table("reservations", "SELECT", "INSERT", updates=("refused",), schema=SCHEMA),
        table("product_documents", "SELECT", "INSERT", "UPDATE", "DELETE", schema=SCHEMA),
        table("product_lexemes", "SELECT", "INSERT", "DELETE", schema=SCHEMA),
        table("reservation_lines", "SELECT", "INSERT", updates=("status",), schema=SCHEMA),
        table("purchases", "SELECT", "INSERT", "UPDATE", "DELETE", schema=SCHEMA),
        table("product_views", "SELECT", "INSERT", "UPDATE", schema=SCHEMA),
        table("cache_deletions", "SELECT", "INSERT", "DELETE", schema=SCHEMA),
        *of_an_outbox(SCHEMA),
    ),
    (numbering.of_an_outbox(SCHEMA),),
)
