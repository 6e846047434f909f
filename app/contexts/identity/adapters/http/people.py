"""What HTTP offers of people."""

from collections.abc import Sequence

from app.contexts.identity.adapters.http.log_in import LoggingIn
from app.contexts.identity.adapters.http.me import Oneself
from app.contexts.identity.adapters.http.signed_in import SignedIn
from app.contexts.identity.adapters.http.users import Anybody
from app.contexts.identity.container import IdentityContainer
from app.platform.context import Http
from app.platform.http.operations import Operation
from app.platform.process.uuid7 import uuid7


def people_operations(container: IdentityContainer, http: Http) -> Sequence[Operation]:
    """/v1/auth/register, /v1/auth/login, /v1/auth/me and /v1/users."""
    settings = container.settings()
    logging_in = LoggingIn(
        register=container.register(),
        log_in=container.log_in(),
        signed_in=SignedIn(settings.cookie_secure),
        ids=uuid7,
        fewest_characters=settings.password_min,
        http=http,
    )
    oneself = Oneself(
        read=container.read_users(),
        change=container.change_me(),
        fewest_characters=settings.password_min,
        http=http,
    )
    anybody = Anybody(read=container.read_users(), change=container.change_user(), http=http)
    return [*logging_in.operations(), *oneself.operations(), *anybody.operations()]
