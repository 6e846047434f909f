"""Who stands at the door of what is made up, and who counts."""

from dataclasses import dataclass, field
from uuid import UUID

from app.kernel.errors import Unavailable
from app.kernel.principal import Principal, Role, TenantId
from app.platform.limits.ports import LimitName, Refused
from app.platform.people import Credential, NotLetIn

HOME, ELSEWHERE = TenantId(UUID(int=1)), TenantId(UUID(int=2))
CUSTOMER = Principal(HOME, UUID(int=11), Role.CUSTOMER)
ADMIN = Principal(HOME, UUID(int=12), Role.ADMIN)
MACHINE = Principal(HOME, UUID(int=13), scopes=frozenset({"wares:write", "other"}))
STRANGER = Principal(ELSEWHERE, UUID(int=14), Role.CUSTOMER)
TOKENS = {"customer": CUSTOMER, "admin": ADMIN, "machine": MACHINE, "stranger": STRANGER}
COOKIE = "__Host-strongbox_session"


@dataclass
class Doorman:
    """Knows these people, each only on a host of their tenant; away when told so."""

    is_away: bool = False
    asked: list[Credential] = field(default_factory=list)

    async def authenticate(self, credential: Credential) -> Principal:
        self.asked.append(credential)
        found = TOKENS.get(credential.token)
        if self.is_away:
            raise Unavailable("it is away")
        if found is None or found.tenant_id != await self.tenant_of(credential.host):
            raise NotLetIn
        return found

    async def tenant_of(self, host: str) -> TenantId:
        if self.is_away:
            raise Unavailable("it is away")
        return ELSEWHERE if host == "elsewhere.example" else HOME


@dataclass
class Counter:
    """Lets everybody through whose bucket is not `empty`, by its limit or its key, and keeps what was taken."""

    empty: set[str] = field(default_factory=set)
    taken: list[tuple[str, str]] = field(default_factory=list)
    given_back: list[tuple[str, str]] = field(default_factory=list)

    async def take(self, name: LimitName, key: str) -> Refused | None:
        self.taken.append((name, key))
        return Refused(name, 20, 40, 3, 2) if {name, f"{name} {key}"} & self.empty else None

    async def give_back(self, name: LimitName, key: str) -> None:
        self.given_back.append((name, key))
