"""The bodies of requests about products and categories. Each rule is the domain's; what it makes of what is given is
what is kept."""

from collections.abc import Callable
from typing import Annotated, Any, Final, TypeVar
from uuid import UUID

from msgspec import Meta, Struct

from app.contexts.catalog.adapters.http import examples
from app.contexts.catalog.domain import rules
from app.contexts.catalog.domain.category import Category
from app.contexts.catalog.domain.ids import CategoryId
from app.contexts.catalog.domain.product import Condition, Details
from app.kernel.money import Currency
from app.kernel.principal import TenantId
from app.kernel.writing import MOST_OF_A_SLUG, MOST_OF_A_URL, SLUG_PATTERN, SLUG_RULE, https_url, slug
from app.platform.http.json_body import JsonBody, Rule
from app.platform.http.shapes import Amount, Code

T = TypeVar("T")
K = TypeVar("K")


def _fits(rule: Callable[[Any], Any]) -> Callable[[Any], bool]:
    """Whether something obeys the rule; null is for the type to allow."""
    return lambda given: given is None or rule(given) is not None


def _kept(rule: Callable[[T], K | None], given: T | None, instead: K) -> K:
    """What is kept of what was given and obeys the rule, or what there is instead where nothing was."""
    kept = None if given is None else rule(given)
    return instead if kept is None else kept


Title = Annotated[str, Meta(min_length=1, description=f"1 to {rules.MOST_OF_A_TITLE} characters.")]
Description = Annotated[str, Meta(description=f"Up to {rules.MOST_OF_A_DESCRIPTION} characters.")]
Url = Annotated[str, Meta(max_length=MOST_OF_A_URL, extra_json_schema={"format": "uri"})]
Images = Annotated[list[Url], Meta(max_length=rules.MOST_IMAGES)]
Quantity = Annotated[int, Meta(ge=0, le=rules.MOST_QUANTITY)]
SortOrder = Annotated[int, Meta(ge=-rules.MOST_SORT_ORDER, le=rules.MOST_SORT_ORDER)]
Slug = Annotated[str, Meta(pattern=SLUG_PATTERN, max_length=MOST_OF_A_SLUG)]
Specifications = Annotated[
    dict[str, Annotated[str, Meta(min_length=1, description=f"1 to {rules.MOST_OF_A_VALUE} characters.")]],
    Meta(max_length=rules.MOST_SPECIFICATIONS),
]
ShippingInfo = Annotated[dict[str, Any], Meta(description=rules.SHIPPING_RULE)]

_URL: Final = Rule(rules.URL_RULE, _fits(https_url))
_ID: Final = Rule("must be a UUID")
_BOOLEAN: Final = Rule("must be true or false")


class ProductBody(Struct, frozen=True, forbid_unknown_fields=True):
    """What a seller says of a product. Null is as good as nothing, which takes away what was said before."""

    title: Annotated[Title, Rule(rules.TITLE_RULE, _fits(rules.title))]
    condition: Annotated[Condition, Rule(f"must be one of {', '.join(Condition)}")]
    price: Amount
    currency: Code
    quantity: Annotated[Quantity, Rule(rules.QUANTITY_RULE)]
    description: Annotated[Description | None, Rule(rules.DESCRIPTION_RULE, _fits(rules.description))] = None
    category_id: Annotated[UUID | None, _ID] = None
    images: Annotated[Images | None, Rule(rules.IMAGES_RULE, _fits(rules.images))] = None
    video_url: Annotated[Url | None, _URL] = None
    specifications: Annotated[Specifications | None, Rule(rules.SPECIFICATIONS_RULE, _fits(rules.specifications))] = (
        None
    )
    shipping_info: Annotated[ShippingInfo | None, Rule(rules.SHIPPING_RULE, _fits(rules.shipping_info))] = None
    featured: Annotated[bool | None, _BOOLEAN] = None
    is_active: Annotated[bool | None, _BOOLEAN] = None

    @property
    def details(self) -> Details:
        """All of it but whether it is featured, as it is kept."""
        return Details(
            title=_kept(rules.title, self.title, ""),
            condition=self.condition,
            price_minor=self.price,
            currency=Currency(self.currency),
            quantity=self.quantity,
            description=_kept(rules.description, self.description, ""),
            category_id=None if self.category_id is None else CategoryId(self.category_id),
            images=_kept(rules.images, self.images, ()),
            video_url=self.video_url,
            specifications=_kept(rules.specifications, self.specifications, {}),
            shipping_info=_kept(rules.shipping_info, self.shipping_info, {}),
            is_active=self.is_active is not False,
        )


_SLUG: Final = Rule(SLUG_RULE, _fits(slug))


class CategoryBody(Struct, frozen=True, forbid_unknown_fields=True):
    """What a category is to be. Null is as good as nothing, which takes away what was said before."""

    name: Annotated[
        Annotated[str, Meta(min_length=1, description=f"1 to {rules.MOST_OF_A_CATEGORY} characters.")],
        Rule(rules.CATEGORY_NAME_RULE, _fits(rules.category_name)),
    ]
    slug: Annotated[Slug, _SLUG]
    parent_id: Annotated[UUID | None, _ID] = None
    description: Annotated[
        Annotated[str, Meta(description=f"Up to {rules.MOST_OF_A_CATEGORY_TEXT} characters.")] | None,
        Rule(rules.CATEGORY_TEXT_RULE, _fits(rules.category_text)),
    ] = None
    image_url: Annotated[Url | None, _URL] = None
    sort_order: Annotated[SortOrder | None, Rule(rules.SORT_ORDER_RULE)] = None
    is_active: Annotated[bool | None, _BOOLEAN] = None

    def category(self, tenant_id: TenantId, category_id: CategoryId) -> Category:
        """The category with this id as it is to be."""
        return Category(
            id=category_id,
            tenant_id=tenant_id,
            parent_id=None if self.parent_id is None else CategoryId(self.parent_id),
            name=_kept(rules.category_name, self.name, ""),
            slug=self.slug,
            description=_kept(rules.category_text, self.description, "") or None,
            image_url=self.image_url,
            sort_order=self.sort_order or 0,
            is_active=self.is_active is not False,
        )


PRODUCT_BODY = JsonBody(ProductBody, examples.SAID, "a product")
CATEGORY_BODY = JsonBody(CategoryBody, examples.CATEGORY_SAID, "a category")
