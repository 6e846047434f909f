"""What handlers share: an answer, and how a log-in is counted."""

from msgspec import Struct, json

from app.platform.http.operations import Request
from app.platform.http.replies import Reply
from app.platform.limits.ports import LOGIN

_encode = json.Encoder().encode


def answer(status: int, body: Struct) -> Reply:
    """The body as an answer."""
    return Reply(status, _encode(body))


async def count_log_in(request: Request, email: str | None) -> None:
    """Take a token out of the bucket of log-ins that the e-mail has, whether anybody has that e-mail or not.

    Raises:
        Problem: there is none.
    """
    if email is not None:
        await request.take(LOGIN, f"email:{request.tenant_id.hex}:{email}")
