"""What a machine is called by: an id that begins with its tenant."""

from uuid import UUID

from app.contexts.identity.domain.secret import tenant_of
from app.kernel.principal import TenantId


def written(tenant_id: TenantId, client_id: UUID) -> str:
    """The id as it is handed out."""
    return f"{tenant_id.hex}.{client_id.hex}"


def client_id_of(text: str) -> tuple[TenantId, UUID] | None:
    """The tenant and the client that it names; None where it is no such id."""
    tenant_id, rest = tenant_of(text), text.partition(".")[2]
    if tenant_id is None or len(rest) != len(tenant_id.hex) or not rest.isascii() or not rest.isalnum():
        return None
    try:
        client_id = UUID(hex=rest)
    except ValueError:
        return None
    return (tenant_id, client_id) if written(tenant_id, client_id) == text else None
