"""Products and categories as the world reads them: over HTTP, and in events."""

from typing import Annotated, Any
from uuid import UUID

from msgspec import Meta, Struct

from app.contexts.catalog.domain.category import Category, Tree
from app.contexts.catalog.domain.ids import CategoryId
from app.contexts.catalog.domain.product import Condition, Product
from app.platform.http.shapes import Amount, Code, Time, timestamp

Count = Annotated[int, Meta(ge=0)]


class ProductShape(Struct, frozen=True):
    """A product. `available` of its `quantity` is not reserved; `version` moves with all of this but the views."""

    product_id: UUID
    seller_id: UUID
    category_id: UUID | None
    title: str
    description: str
    condition: Condition
    price: Amount
    currency: Code
    quantity: Count
    available: Count
    images: list[str]
    video_url: str | None
    specifications: dict[str, str]
    shipping_info: dict[str, Any]
    featured: bool
    is_active: bool
    view_count: Count
    version: Annotated[int, Meta(ge=1)]
    created_at: Time
    updated_at: Time


class CategoryShape(Struct, frozen=True):
    """A category, with those below it that are active."""

    category_id: UUID
    parent_id: UUID | None
    name: str
    slug: str
    description: str | None
    image_url: str | None
    sort_order: int
    is_active: bool
    children: list["CategoryShape"]


def product_shape(product: Product) -> ProductShape:
    """The product as everybody sees it."""
    said = product.details
    return ProductShape(
        product_id=product.id,
        seller_id=product.seller_id,
        category_id=said.category_id,
        title=said.title,
        description=said.description,
        condition=said.condition,
        price=said.price_minor,
        currency=said.currency,
        quantity=said.quantity,
        available=product.available,
        images=[*said.images],
        video_url=said.video_url,
        specifications=dict(said.specifications),
        shipping_info=dict(said.shipping_info),
        featured=product.featured,
        is_active=said.is_active,
        view_count=product.view_count,
        version=product.version,
        created_at=timestamp(product.created_at),
        updated_at=timestamp(product.updated_at),
    )


def category_shape(category: Category, tree: Tree) -> CategoryShape:
    """The category with what is shown below it."""
    return CategoryShape(
        category_id=category.id,
        parent_id=category.parent_id,
        name=category.name,
        slug=category.slug,
        description=category.description,
        image_url=category.image_url,
        sort_order=category.sort_order,
        is_active=category.is_active,
        children=category_shapes(tree, category.id),
    )


def category_shapes(tree: Tree, below: CategoryId | None = None) -> list[CategoryShape]:
    """What is shown below a category, or at the top."""
    return [category_shape(each, tree) for each in tree.children(below) if each.is_active]
