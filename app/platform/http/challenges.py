"""What is said to whoever is not let in, or may not: with a challenge in HTTP's words (RFC 6750)."""

from collections.abc import Mapping
from typing import Any

from app.platform.http.codes import FORBIDDEN, NOT_LET_IN
from app.platform.http.errors import Problem
from app.platform.http.operations import Access

_BEARER = 'Bearer realm="strongbox"'


def not_let_in(details: Mapping[str, Any] | None = None, *, was_shown: bool = False) -> Problem:
    """Nobody is let in. `was_shown`: there was a credential, but it is none that is good."""
    challenge = f'{_BEARER}, error="invalid_token"' if was_shown else _BEARER
    return Problem(NOT_LET_IN, details=details, headers={"WWW-Authenticate": challenge})


def forbidden(access: Access) -> Problem:
    """Who asks was let in, but may not: a scope is needed, or one of some roles."""
    needed = access.scope or " ".join(sorted(access.roles))
    return Problem(FORBIDDEN, headers={"WWW-Authenticate": f'{_BEARER}, error="insufficient_scope", scope="{needed}"'})
