"""Products as they come out of the database, and go into it."""

from typing import Any

from msgspec import json

from app.contexts.catalog.application.ports import NewProduct
from app.contexts.catalog.domain.ids import ProductId
from app.contexts.catalog.domain.product import Condition, Details, Product
from app.kernel.ids import UserId
from app.kernel.money import Currency
from app.kernel.principal import TenantId
from app.platform.postgres.buckets import bucket_of
from app.platform.postgres.pipeline import Row


def product_of(row: Row) -> Product:
    """The product of a row of `PRODUCT`."""
    (
        product_id, tenant_id, seller_id, category_id, title, description, condition, price, currency, quantity,
        reserved, images, video_url, specifications, shipping_info, featured, is_active, version, edits, created_at,
        updated_at, views,
    ) = row  # fmt: skip
    details = Details(
        title=title,
        description=description,
        category_id=category_id,
        condition=Condition(condition),
        price_minor=price,
        currency=Currency(currency),
        quantity=quantity,
        images=tuple(images),
        video_url=video_url,
        specifications=specifications,
        shipping_info=shipping_info,
        is_active=is_active,
    )
    return Product(
        id=ProductId(product_id),
        tenant_id=TenantId(tenant_id),
        seller_id=UserId(seller_id),
        details=details,
        featured=featured,
        reserved=reserved,
        version=version,
        edits=edits,
        created_at=created_at,
        updated_at=updated_at,
        view_count=views,
    )


def key_of(product_id: ProductId) -> tuple[int, ProductId]:
    """What a product is found by."""
    return bucket_of(product_id), product_id


def inserted(new: NewProduct, created_at: Any) -> tuple[object, ...]:
    """The values of `INSERT`."""
    said = new.details
    return (
        bucket_of(new.id), new.tenant_id, new.id, new.seller_id, said.category_id, said.title, said.description,
        said.condition, said.price_minor, said.currency, said.quantity, [*said.images], said.video_url,
        _text(said.specifications), _text(said.shipping_info), new.featured, said.is_active, created_at,
    )  # fmt: skip


def updated(product: Product) -> tuple[object, ...]:
    """The values of `UPDATE`."""
    said = product.details
    return (
        said.category_id, said.title, said.description, said.condition, said.price_minor, said.currency,
        [*said.images], said.video_url, _text(said.specifications), _text(said.shipping_info), product.featured,
        said.is_active, product.version, product.edits, product.updated_at, said.quantity, *key_of(product.id),
        product.tenant_id,
    )  # fmt: skip


def _text(value: object) -> str:
    return json.encode(value).decode()
