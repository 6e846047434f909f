"""What HTTP offers of identity: of people, of tokens, and of signing in with a wallet."""

from collections.abc import Sequence

from app.contexts.identity.adapters.http.counted import counted
from app.contexts.identity.adapters.http.people import people_operations
from app.contexts.identity.adapters.http.tokens import token_operations
from app.contexts.identity.adapters.http.wallet_sign_in import wallet_operations
from app.contexts.identity.container import IdentityContainer
from app.platform.context import Http
from app.platform.http.operations import Operation


def operations(container: IdentityContainer, http: Http) -> Sequence[Operation]:
    """All of them."""
    offered = [
        *people_operations(container, http),
        *wallet_operations(container, http),
        *token_operations(container, http),
    ]
    return counted(offered, container.log_in_metrics().observe)
