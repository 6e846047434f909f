"""`python -m bench.authenticate`: what it costs to know who asks, once that is remembered, and when it is not.

Nothing but this process is measured: what the database would say of people is made up.
"""

import asyncio
import tempfile
import time
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, get_args
from uuid import UUID, uuid4

from app.contexts.identity.adapters.jwt.access_tokens import JwtAccessTokens
from app.contexts.identity.adapters.jwt.jwk import AlgorithmName
from app.contexts.identity.adapters.jwt.key_set import KeyRing
from app.contexts.identity.adapters.jwt.known_tokens import KnownTokens
from app.contexts.identity.adapters.jwt.rotation import make
from app.contexts.identity.application.authenticate import Authenticate
from app.contexts.identity.application.known_tenants import KnownTenants
from app.contexts.identity.application.who_stands import Key, WhoStands, Word
from app.contexts.identity.domain.secret import new_token
from app.contexts.identity.domain.tenant import DEFAULT, Tenant
from app.kernel.ids import UserId
from app.kernel.principal import Principal, Role, TenantId
from app.platform.people import Credential

CHECKS: Final = 50_000
PEOPLE: Final = 1_000
HOST: Final = "strongbox.example"

_TENANT: Final = Tenant(TenantId(uuid4()), DEFAULT, HOST, UserId(uuid4()))


class _Everybody:
    """Says of everybody that they stand."""

    def __init__(self, users: Mapping[UUID, UserId]) -> None:
        self._users = users

    async def read(self, tenant_id: TenantId, keys: Collection[Key]) -> tuple[Mapping[Key, Word], float]:
        return {key: Word(self._principal(tenant_id, key)) for key in keys}, time.time()

    def _principal(self, tenant_id: TenantId, key: Key) -> Principal:
        if isinstance(key.value, UUID):
            return Principal(tenant_id, self._users[key.value], Role.CUSTOMER)
        return Principal(tenant_id, _ANYBODY, Role.CUSTOMER, by_cookie=True)


_ANYBODY: Final = UserId(uuid4())


class _OneTenant:
    async def all(self) -> Sequence[Tenant]:
        return [_TENANT]

    async def add(self, tenant: Tenant) -> None:
        raise NotImplementedError(tenant)


async def _measured(authenticate: Authenticate, credentials: Sequence[Credential]) -> float:
    """Microseconds of a check, of many."""
    for each in credentials:
        await authenticate.authenticate(each)
    began = time.perf_counter()
    for nth in range(CHECKS):
        await authenticate.authenticate(credentials[nth % len(credentials)])
    return (time.perf_counter() - began) / CHECKS * 1e6


async def measure(algorithm: AlgorithmName, folder: Path) -> None:
    """Tell what bearer and cookie cost with keys of the algorithm."""
    make(folder / algorithm, algorithm, time.time())
    tokens = JwtAccessTokens(KeyRing(folder / algorithm), "strongbox", "strongbox", 900)
    now = datetime.now(UTC)
    users = {uuid4(): UserId(uuid4()) for _ in range(PEOPLE)}
    signed = [tokens.of_user(_TENANT.id, user, Role.CUSTOMER, family, now) for family, user in users.items()]
    began = time.perf_counter()
    for text in signed:
        tokens.verify(text)
    anew = (time.perf_counter() - began) / len(signed) * 1e6
    authenticate = Authenticate(KnownTokens(tokens), WhoStands(_Everybody(users)), KnownTenants(_OneTenant()))
    bearer = await _measured(authenticate, [Credential(text, is_cookie=False, host=HOST) for text in signed])
    cookies = [Credential(new_token(_TENANT.id), is_cookie=True, host=HOST) for _ in signed]
    cookie = await _measured(authenticate, cookies)
    print(f"{algorithm:<6} bearer {bearer:5.1f} µs   cookie {cookie:5.1f} µs   a signature verified {anew:6.1f} µs")


def main() -> None:
    """Measure all algorithms."""
    with tempfile.TemporaryDirectory() as folder:
        for algorithm in get_args(AlgorithmName):
            asyncio.run(measure(algorithm, Path(folder)))


if __name__ == "__main__":
    main()
