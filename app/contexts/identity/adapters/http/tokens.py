"""What HTTP offers of sessions and tokens."""

from collections.abc import Sequence

from app.contexts.identity.adapters.http.client_tokens import ClientTokensOverHttp
from app.contexts.identity.adapters.http.keys import PublicKeys
from app.contexts.identity.adapters.http.sessions import Sessions
from app.contexts.identity.container import IdentityContainer
from app.platform.context import Http
from app.platform.http.operations import Operation


def token_operations(container: IdentityContainer, http: Http) -> Sequence[Operation]:
    """/v1/auth/refresh, /v1/auth/logout, /v1/auth/token and /.well-known/jwks.json."""
    sessions = Sessions(container.refresh(), container.log_out(), container.signed_in(), http)
    return [
        *sessions.operations,
        ClientTokensOverHttp(container.issue_client_token(), http).operation,
        PublicKeys(container.ring(), container.settings().access_ttl_s).operation,
    ]
