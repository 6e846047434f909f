"""What goes wrong, each as a type of its own.

A promise holds for all that changes something: `OutcomeUnknown` alone leaves open whether it happened. Any other error
means that it did not, or that it is refused for good.
"""

from collections.abc import Mapping
from typing import Any


class StrongboxError(Exception):
    """Whatever a call did not come to a good end by."""


class NoAnswer(StrongboxError):
    """The service did not answer: it is out of reach, hung up, or took too long. `was_sent`: it may have heard the
    request. httpx' own error is the `__cause__`."""

    def __init__(self, why: str, *, was_sent: bool) -> None:
        super().__init__(why)
        self.was_sent = was_sent


class UnexpectedAnswer(StrongboxError):
    """Something answered that does not speak as the service does: a proxy perhaps, or a version that is too new."""

    def __init__(self, http_status: int, why: str) -> None:
        super().__init__(f"{http_status}: {why}")
        self.http_status = http_status


class OutcomeUnknown(StrongboxError):
    """It is not known whether it happened: the deadline was over before there was a final answer.

    Where there is an `idempotency_key`, the same call with it (`key=…`) tells, today or tomorrow, and does nothing
    twice. `last` is what was heard last: of a payment that is PENDING a `GatewayTimeout`, which names it.
    """

    def __init__(self, last: StrongboxError, idempotency_key: str | None) -> None:
        super().__init__(f"it is not known whether it happened; last: {last}")
        self.last = last
        self.idempotency_key = idempotency_key


class TokenRefused(StrongboxError):
    """A machine gets no token, in the words of OAuth (RFC 6749, 5.2): `invalid_client`, `invalid_scope` …"""

    def __init__(self, http_status: int, error: str, description: str) -> None:
        super().__init__(f"{error}: {description}")
        self.http_status = http_status
        self.error = error
        self.description = description


class ApiError(StrongboxError):
    """The service says no. Each of its codes is a type of its own (`strongbox_client.codes`); one that this version
    does not know is an `ApiError` itself."""

    http_status: int

    def __init__(
        self, http_status: int, code: str, message: str, details: Mapping[str, Any], request_id: str | None = None
    ) -> None:
        super().__init__(f"{code}: {message}")
        self.http_status = http_status
        self.code = code
        self.message = message
        self.details = details
        """All that the answer says beside it. What a code always has is an attribute as well."""
        self.request_id = request_id
        """By this the service's log knows the request."""
