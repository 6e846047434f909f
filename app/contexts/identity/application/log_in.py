"""Log in with an e-mail and a password."""

from dataclasses import dataclass

from app.contexts.identity.application.floor import until
from app.contexts.identity.application.open_session import OpenSession, Pair
from app.contexts.identity.application.ports import Passwords, Users
from app.contexts.identity.domain.refusals import LogInRefused
from app.contexts.identity.domain.user import User
from app.kernel.principal import TenantId
from app.platform.people import NotLetIn


@dataclass(frozen=True, slots=True)
class LogIn:
    """Lets people in. Whoever is refused learns nothing: neither from what is said, nor from when.

    A refusal comes `floor_s` after the password had its turn, or as soon as it can be told, whichever is later.
    """

    users: Users
    passwords: Passwords
    open_session: OpenSession
    floor_s: float

    async def __call__(self, tenant_id: TenantId, email: str | None, password: str) -> tuple[User, Pair]:
        """The user, and what one is known by from now on. `email` is None where what was sent is nobody's.

        Raises:
            LogInRefused: there is no such account, the password is another, or the account is disabled.
            Unavailable: too many wait, or it cannot be known now.
        """
        account = await self.users.by_email(tenant_id, email) if email else None
        known = account.password_hash if account else None
        verified = await self.passwords.verify(known, password)
        if account and known and verified.fits and account.user.is_active:
            try:
                pair = await self.open_session(account.user, known)
            except NotLetIn:  # disabled, or given another password, a moment ago
                pass
            else:
                if verified.renewed is not None:
                    await self.users.renew_hash(tenant_id, account.user.id, known, verified.renewed)
                return account.user, pair
        await until(verified.began_at + self.floor_s)
        raise LogInRefused
