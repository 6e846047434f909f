"""What is refused to machines, and to those who look after them."""

from app.kernel.refusals import Refusal


class InvalidClient(Refusal):
    """No such machine, another secret, or disabled: it is not said which."""

    code = "INVALID_CLIENT"

    def __str__(self) -> str:
        return "the client is unknown, or its secret is wrong"


class InvalidScope(Refusal):
    """The machine was not allowed one of the scopes."""

    code = "INVALID_SCOPE"

    def __str__(self) -> str:
        return "the client may not have one of these scopes"


class ClientNotFound(Refusal):
    """The tenant has no such machine."""

    code = "CLIENT_NOT_FOUND"

    def __str__(self) -> str:
        return "there is no such client"
