"""What is refused for a reason of identity's."""

from collections.abc import Sequence
from typing import Final

from app.kernel.refusals import Refusal

MOST_LINES_TOLD: Final = 20
"""Of an import, with what is wrong with each."""


class EmailTaken(Refusal):
    """Somebody of the tenant has this e-mail."""

    code = "EMAIL_TAKEN"

    def __str__(self) -> str:
        return "somebody has this e-mail already"


class UsernameTaken(Refusal):
    """Somebody of the tenant has this username."""

    code = "USERNAME_TAKEN"

    def __str__(self) -> str:
        return "somebody has this username already"


class AddressTaken(Refusal):
    """Somebody else of the tenant has this address."""

    code = "ADDRESS_TAKEN"

    def __str__(self) -> str:
        return "somebody else has this address already"


class IdTaken(Refusal):
    """Somebody has this id: no two have the same one, in whichever tenants."""

    code = "ID_TAKEN"

    def __str__(self) -> str:
        return "somebody has this id already"


class UserNotFound(Refusal):
    """The tenant has no such user."""

    code = "NOT_FOUND"

    def __str__(self) -> str:
        return "there is no such user"


class TooManyChanges(Refusal):
    """As much was told of the user as events have numbers; the last is kept for when they are disabled."""

    code = "TOO_MANY_CHANGES"

    def __str__(self) -> str:
        return "this was changed too often for this user; they can still be disabled"


class LogInRefused(Refusal):
    """No account, another password, or disabled: it is not said which."""

    code = "UNAUTHORIZED"

    def __str__(self) -> str:
        return "e-mail or password is wrong"


class WrongPassword(Refusal):
    """The password is another one now."""

    code = "FORBIDDEN"

    def __str__(self) -> str:
        return "current_password is not the password"


class Unfit(Refusal):
    """A member of the request does not go with what there is; `member` and `why` say which."""

    code = "VALIDATION_ERROR"

    def __init__(self, member: str, why: str) -> None:
        super().__init__(member)
        self.member = member
        self.why = why

    def __str__(self) -> str:
        return f"{self.member} {self.why}"


class TenantTaken(Refusal):
    """A tenant has that name, or that host."""

    code = "TENANT_TAKEN"

    def __init__(self, what: str) -> None:
        super().__init__(what)
        self.what = what

    def __str__(self) -> str:
        return f"a tenant has this {self.what} already"


class TenantNotFound(Refusal):
    """There is no tenant of that name."""

    code = "TENANT_NOT_FOUND"

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name

    def __str__(self) -> str:
        return f"there is no tenant {self.name!r}: `strongbox tenant show` lists those that there are"


class LinesRefused(Refusal):
    """Lines of an import that cannot be taken, each by its number, with what is wrong with it."""

    code = "LINES_REFUSED"

    def __init__(self, wrong: Sequence[tuple[int, str]]) -> None:
        super().__init__(wrong)
        self.wrong = wrong

    def __str__(self) -> str:
        told = [f"line {number}: {why}" for number, why in self.wrong[:MOST_LINES_TOLD]]
        more = len(self.wrong) - len(told)
        return "\n".join(["nobody was imported", *told, *([f"and {more} more"] if more else [])])
