"""Parameters of requests for single products and categories."""

from app.contexts.catalog.adapters.http import examples
from app.contexts.catalog.domain.ids import CategoryId, ProductId
from app.platform.http.operations import Parameter
from app.platform.http.parameters import read_uuid

PRODUCT: Parameter[ProductId] = Parameter(
    name="id",
    key="product",
    where="path",
    read=lambda text: ProductId(read_uuid("id", text)),
    required=True,
    description="The product, in any spelling of a UUID.",
    schema={"type": "string", "format": "uuid"},
    example=examples.PRODUCT_ID,
)
CATEGORY: Parameter[CategoryId] = Parameter(
    name="id",
    key="category",
    where="path",
    read=lambda text: CategoryId(read_uuid("id", text)),
    required=True,
    description="The category, in any spelling of a UUID.",
    schema={"type": "string", "format": "uuid"},
    example=examples.CATEGORY_ID,
)
