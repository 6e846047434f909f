"""Sign in with a wallet: whoever has proved to hold it is let in. An address that nobody has becomes a new customer."""

from app.contexts.identity.application.open_session import OpenSession, Pair
from app.contexts.identity.application.ports import Users
from app.contexts.identity.application.prove_wallet import ProveWallet
from app.contexts.identity.domain.account import NewUser
from app.contexts.identity.domain.refusals import AddressTaken
from app.contexts.identity.domain.user import User
from app.contexts.identity.domain.wallet_proof import Reason, WalletNotProved
from app.kernel.ids import UserId
from app.kernel.new_ids import Ids
from app.kernel.principal import TenantId
from app.platform.people import NotLetIn


class SignInWithWallet:
    """Lets people in who hold a wallet."""

    def __init__(self, prove: ProveWallet, users: Users, open_session: OpenSession, ids: Ids) -> None:
        self._prove = prove
        self._users = users
        self._open_session = open_session
        self._ids = ids

    async def __call__(self, tenant_id: TenantId, message: str, signature: str) -> tuple[User, Pair]:
        """The user, and what one is known by from now on.

        Raises:
            Unfit: it is no message, or no signature; nothing is spent.
            WalletNotProved: it proves nothing, or whose wallet it is may not come in.
            Unavailable: it cannot be known now, or not be done. The nonce may be spent.
        """
        address = await self._prove(tenant_id, message, signature)
        user = await self._known(tenant_id, address) or await self._new(tenant_id, address)
        if not user.is_active:
            raise WalletNotProved(Reason.SIGNATURE)
        try:
            return user, await self._open_session(user)
        except NotLetIn:  # disabled a moment ago
            raise WalletNotProved(Reason.SIGNATURE) from None

    async def _known(self, tenant_id: TenantId, address: str) -> User | None:
        account = await self._users.by_address(tenant_id, address)
        return None if account is None else account.user

    async def _new(self, tenant_id: TenantId, address: str) -> User:
        new = NewUser(id=UserId(self._ids()), tenant_id=tenant_id, wallet_address=address)
        try:
            (user,) = await self._users.add(tenant_id, [new])
        except AddressTaken:  # by the same person at another window, a moment ago
            known = await self._known(tenant_id, address)
            if known is None:  # and given away since
                raise WalletNotProved(Reason.SIGNATURE) from None
            return known
        return user
