"""Import users from elsewhere: all of them or none, and of none it is said which lines are to blame."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from app.contexts.identity.application.ports import Taken, Users
from app.contexts.identity.domain.account import NewUser
from app.contexts.identity.domain.refusals import LinesRefused
from app.contexts.identity.domain.user import User
from app.kernel.principal import TenantId

AT_ONCE: Final = 500
"""Users of which it is asked at once whether there are any like them."""

Numbered = Sequence[tuple[int, NewUser]]


@dataclass(frozen=True, slots=True)
class ImportUsers:
    """Imports users."""

    users: Users

    async def __call__(self, tenant_id: TenantId, others: Sequence[TenantId], numbered: Numbered) -> Sequence[User]:
        """Add the users, each with the number of its line. `others` are the other tenants: no two have one id.

        Raises:
            LinesRefused: some of them are there twice, or are there already.
            Refusal: meanwhile somebody else has what one of them was to have.
            Unavailable: it cannot be done now.
        """
        users = [replace(user, tenant_id=tenant_id) for _, user in numbered]
        wrong = [*_twice(numbered)]
        for start in range(0, len(users), AT_ONCE):
            part = users[start : start + AT_ONCE]
            taken = await self.users.taken(tenant_id, part)
            for other in others:
                ids = (await self.users.taken(other, [_id_alone(user) for user in part])).ids
                taken = taken._replace(ids=taken.ids | ids)
            wrong += _taken(numbered[start : start + AT_ONCE], taken)
        if wrong:
            raise LinesRefused(sorted(wrong))
        return await self.users.add(tenant_id, users) if users else []


def _id_alone(user: NewUser) -> NewUser:
    return NewUser(id=user.id, tenant_id=user.tenant_id)


def _keys(user: NewUser) -> Iterator[tuple[str, object]]:
    """What tells a user apart, by name."""
    named = ("user_id", user.id), ("email", user.email), ("username", user.username)
    for name, value in (*named, ("wallet_address", user.wallet_address)):
        if value is not None:
            yield name, value


def _twice(numbered: Numbered) -> Iterator[tuple[int, str]]:
    counts = Counter(key for _, user in numbered for key in _keys(user))
    for number, user in numbered:
        for name, value in _keys(user):
            if counts[name, value] > 1:
                yield number, f"{name} is that of another line, too"


def _taken(numbered: Numbered, taken: Taken) -> Iterator[tuple[int, str]]:
    known = {
        "user_id": taken.ids,
        "email": taken.emails,
        "username": taken.usernames,
        "wallet_address": taken.addresses,
    }
    for number, user in numbered:
        for name, value in _keys(user):
            if value in known[name]:
                yield number, f"{name} is somebody's already"
