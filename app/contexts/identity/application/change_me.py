"""Change one's own account: what one is called, the e-mail, the password, the address."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from uuid import UUID

from app.contexts.identity.application.ports import Passwords, ProvesAddress, Users
from app.contexts.identity.domain.account import ALL_SESSIONS, Account, Change, EventType, told
from app.contexts.identity.domain.refusals import Unfit, UserNotFound, WrongPassword
from app.contexts.identity.domain.user import User
from app.kernel.principal import Principal


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What is to change. `texts` are members of the user by name, with what they are to be: None clears one."""

    texts: Mapping[str, str | None] = field(default_factory=dict)
    email: str | None = None
    password: str | None = None
    current_password: str | None = None
    signed: tuple[str, str] | None = None
    """A message and its signature, of the address that is to be one's own."""


@dataclass(frozen=True, slots=True)
class ChangeMe:
    """Changes accounts, for those whose they are."""

    users: Users
    passwords: Passwords
    prove_address: ProvesAddress | None
    """None where nobody signs in with a wallet."""

    async def __call__(self, asker: Principal, wanted: Wanted) -> User:
        """The user as one is then.

        Raises:
            Unfit: an e-mail where there is one, a password without one, or a message where nobody signs in so.
            WrongPassword: the current password is another one.
            EmailTaken, UsernameTaken, AddressTaken: somebody else has it.
            TooManyChanges: as many addresses were linked as can be told of.
            UserNotFound: the asker is no longer there.
            Refusal: the message is not signed by an address; see `ProvesAddress`.
            Unavailable: it cannot be done now.
        """
        tenant_id, user_id = asker.tenant_id, asker.id
        old, new = None, None
        if wanted.password is not None:
            account = await self._account(asker)
            _see_to_an_email(account, wanted)
            old, new = await self._hashes(account, wanted.password, wanted.current_password)
        address = await self._address(asker, wanted.signed)

        def decide(account: Account) -> Change:
            if new is not None and account.password_hash != old:
                raise WrongPassword  # it was changed a moment ago
            return _changed(account, wanted, new, address, asker.session_id)

        return await self.users.change(tenant_id, user_id, decide)

    async def _account(self, asker: Principal) -> Account:
        account = await self.users.by_id(asker.tenant_id, asker.id)
        if account is None:
            raise UserNotFound
        return account

    async def _hashes(self, account: Account, password: str, current: str | None) -> tuple[str | None, str]:
        """The hash that there is, once it is known that the asker knows its password; and that of the new one."""
        if account.password_hash is not None:
            if current is None:
                raise Unfit("current_password", "is required with a password, where there is one already")
            if not (await self.passwords.verify(account.password_hash, current)).fits:
                raise WrongPassword
        elif current is not None:
            raise Unfit("current_password", "is of no use: there is no password yet")
        return account.password_hash, (await self.passwords.hash(password)).hash

    async def _address(self, asker: Principal, signed: tuple[str, str] | None) -> str | None:
        if signed is None:
            return None
        if self.prove_address is None:
            raise Unfit("message", "is of no use: nobody signs in with a wallet here")
        return await self.prove_address(asker.tenant_id, *signed)


def _see_to_an_email(account: Account, wanted: Wanted) -> None:
    if account.user.email is None and wanted.email is None:
        raise Unfit("email", "is required with a password, where there is none yet")


def _changed(
    account: Account, wanted: Wanted, new_hash: str | None, address: str | None, session_id: UUID | None
) -> Change:
    user = replace(account.user, **wanted.texts)  # type: ignore[arg-type] # members of a user, and texts
    if wanted.email is not None:
        if user.email not in (None, wanted.email):
            raise Unfit("email", "is set once, and there is one already")
        user = replace(user, email=wanted.email)
    changed = replace(account, user=user)
    events: tuple[EventType, ...] = ()
    if address is not None and address != user.wallet_address:
        events = (EventType.ADDRESS_LINKED,)
        changed = told(replace(changed, user=replace(user, wallet_address=address)), *events)
    if new_hash is None:
        return Change(changed, events)
    return Change(replace(changed, password_hash=new_hash), events, session_id or ALL_SESSIONS)
