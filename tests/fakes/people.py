"""People whom a test knows, each let in by a token of their own, in several tenants."""

from collections.abc import Collection, Mapping, Sequence, Set
from dataclasses import dataclass, field
from uuid import UUID, uuid4

from app.kernel.ids import UserId
from app.kernel.principal import Principal, Role, TenantId
from app.platform.people import Credential, House, NotLetIn, People, Person

COOKIE = "strongbox_session"


@dataclass(frozen=True)
class Somebody:
    """A user, or a machine, with the token that lets them in."""

    principal: Principal
    username: str | None = None
    address: str | None = None
    token: str = field(default_factory=lambda: uuid4().hex)

    @property
    def id(self) -> UserId:
        return UserId(self.principal.id)

    @property
    def bearer(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}


class FakePeople:
    """Both ports of the platform. The first tenant is the default one."""

    def __init__(self) -> None:
        self.move_out()

    def move_out(self) -> None:
        """Make way for people of tenants that nobody has heard of."""
        self.tenant, self.other_tenant = TenantId(uuid4()), TenantId(uuid4())
        self.houses = [House(tenant, UserId(uuid4())) for tenant in (self.tenant, self.other_tenant)]
        self._all: list[Somebody] = []
        self.looked_for: list[str] = []
        self.not_let_in: set[UUID] = set()

    @property
    def ports(self) -> People:
        return People(self, self, COOKIE)

    def user(
        self, username: str | None = None, *, role: Role = Role.CUSTOMER, tenant: TenantId | None = None,
        address: str | None = None,
    ) -> Somebody:  # fmt: skip
        return self._add(Somebody(Principal(tenant or self.tenant, uuid4(), role), username, address))

    def machine(self, *scopes: str, tenant: TenantId | None = None) -> Somebody:
        return self._add(Somebody(Principal(tenant or self.tenant, uuid4(), None, frozenset(scopes))))

    def known(self, user_id: UUID) -> Somebody:
        """A user with that id."""
        return self._add(Somebody(Principal(self.tenant, user_id, Role.CUSTOMER)))

    def forget(self, somebody: Somebody) -> None:
        self._all.remove(somebody)

    def _add(self, somebody: Somebody) -> Somebody:
        self._all.append(somebody)
        return somebody

    async def authenticate(self, credential: Credential) -> Principal:
        for somebody in self._all:
            if somebody.token == credential.token:
                return somebody.principal
        raise NotLetIn

    async def tenant_of(self, host: str) -> TenantId:
        return self.other_tenant if host.startswith("other.") else self.tenant

    async def resolve(self, tenant_id: TenantId, text: str) -> Person | None:
        self.looked_for.append(text)
        for somebody in self._all:
            of_tenant = somebody.principal.tenant_id == tenant_id and not somebody.principal.is_machine
            if of_tenant and text in (str(somebody.id), somebody.username, somebody.address):
                return Person(somebody.id, somebody.username)
        return None

    async def resolve_all(self, tenant_id: TenantId, texts: Collection[str]) -> Mapping[str, Person]:
        found = {text: await self.resolve(tenant_id, text) for text in texts}
        return {text: person for text, person in found.items() if person}

    async def names(self, tenant_id: TenantId, ids: Collection[UUID]) -> Mapping[UUID, Person]:
        found = [s for s in self._all if s.principal.tenant_id == tenant_id and s.id in ids]
        return {s.id: Person(s.id, s.username) for s in found}

    async def disabled(self, tenant_id: TenantId, ids: Collection[UUID]) -> Set[UUID]:
        return {*await self.names(tenant_id, ids)} & self.not_let_in

    async def tenants(self) -> Sequence[House]:
        return self.houses
