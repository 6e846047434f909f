"""Register: somebody becomes a user, with an e-mail and a password."""

from dataclasses import dataclass, replace

from app.contexts.identity.application.floor import until
from app.contexts.identity.application.ports import Passwords, Users
from app.contexts.identity.domain.account import NewUser
from app.contexts.identity.domain.refusals import EmailTaken, UsernameTaken
from app.contexts.identity.domain.user import User


@dataclass(frozen=True, slots=True)
class Register:
    """Makes users. Nobody is answered sooner than `floor_s` after the password had its turn."""

    users: Users
    passwords: Passwords
    floor_s: float

    async def __call__(self, new: NewUser, password: str) -> User:
        """Add the user, whose password it is to be.

        Raises:
            EmailTaken, UsernameTaken: somebody of the tenant has it; this takes as long as when nobody has.
            Unavailable: too many wait, or it cannot be done now.
        """
        hashed = await self.passwords.hash(password)
        try:
            (user,) = await self.users.add(new.tenant_id, [replace(new, password_hash=hashed.hash)])
        except UsernameTaken:
            # Whoever registers twice is told that they are there already, and not to look for another name.
            if new.email in (await self.users.taken(new.tenant_id, [new])).emails:
                raise EmailTaken from None
            raise
        finally:
            await until(hashed.began_at + self.floor_s)
        return user
