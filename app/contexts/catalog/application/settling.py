"""What is done with a reservation, once it was made."""

from collections.abc import Set
from dataclasses import dataclass

from app.contexts.catalog.domain.ids import ProductId
from app.kernel.operation_id import OperationId
from app.kernel.principal import TenantId


@dataclass(frozen=True, slots=True)
class Take:
    """What is reserved is sold."""

    tenant_id: TenantId
    operation: OperationId


@dataclass(frozen=True, slots=True)
class GiveBack:
    """What was reserved or taken comes back: all of it, or that of these products."""

    tenant_id: TenantId
    operation: OperationId
    products: Set[ProductId] | None = None


Settling = Take | GiveBack
