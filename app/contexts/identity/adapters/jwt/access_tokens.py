"""Access tokens: JWTs (RFC 9068) of people and of machines, signed and verified.

The algorithm is the key's, whatever a token says. Whether somebody is still let in is not in a token: the database is
asked. Nor is any other clock trusted: both ends of a token's life go by that of the database.
"""

import math
import re
from base64 import urlsafe_b64decode
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final, Literal
from uuid import UUID, uuid4

import msgspec
from jwt.api_jws import PyJWS

from app.contexts.identity.adapters.jwt.jwk import AlgorithmName
from app.contexts.identity.adapters.jwt.key_set import KeyRing
from app.contexts.identity.domain.access_token import AccessToken
from app.contexts.identity.domain.client import Client
from app.contexts.identity.domain.client_id import client_id_of, written
from app.contexts.identity.domain.lives import MACHINE_TTL_S
from app.kernel.ids import UserId
from app.kernel.principal import Role, TenantId
from app.platform.people import NotLetIn

TYPE: Final = "at+jwt"
MOST_CHARACTERS: Final = 4096
"""What is longer is no token of ours."""

_PARTS: Final = re.compile(r"([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)")
_ALGORITHMS: Final[list[AlgorithmName]] = ["RS256", "EdDSA", "HS256"]


class _Header(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All that a token's header may say: no `crit`, and no key of its own or where to find one."""

    alg: str
    kid: str
    typ: Literal["at+jwt"]


class _Claims(msgspec.Struct, frozen=True):
    """What a token says."""

    iss: str
    aud: str
    sub: str
    exp: int
    iat: int
    jti: str
    tenant: UUID
    role: Role | None
    scope: str
    sid: UUID | None = None


class JwtAccessTokens:
    """Signs and verifies. It implements `AccessTokens`, `ClientTokens` and `Verifier`."""

    def __init__(self, ring: KeyRing, issuer: str, audience: str, access_ttl_s: float) -> None:
        self.ring = ring
        self._issuer, self._audience = issuer, audience
        self._access_ttl_s = access_ttl_s
        self._jws = PyJWS(algorithms=_ALGORITHMS)

    def of_user(self, tenant_id: TenantId, user_id: UserId, role: Role, family_id: UUID, now: datetime) -> str:
        """See `AccessTokens.of_user`."""
        sub, jti = str(user_id), uuid4().hex
        return self._sign(now, int(self._access_ttl_s), sub, jti, tenant_id, role, "", {"sid": str(family_id)})

    def of_client(self, client: Client, scope: str, now: datetime) -> str:
        """See `ClientTokens.of_client`."""
        # The secret that it was asked for with is told by its number: with the next one this token ends.
        jti = f"{client.generation}.{uuid4().hex}"
        return self._sign(now, MACHINE_TTL_S, written(client.tenant_id, client.id), jti, client.tenant_id, None, scope)

    def verify(self, token: str) -> AccessToken:
        """See `Verifier.verify`."""
        if len(token) > MOST_CHARACTERS or not token.isascii():
            raise NotLetIn
        try:
            return self._genuine(token)
        except (msgspec.MsgspecError, ValueError):
            raise NotLetIn from None

    def _genuine(self, token: str) -> AccessToken:
        parts = _PARTS.fullmatch(token)
        if parts is None:
            raise NotLetIn
        header = msgspec.json.decode(_decoded(parts[1]), type=_Header, strict=True)
        key = self.ring.verifying(header.kid)
        if key is None or header.alg != key.algorithm:
            raise NotLetIn
        # What else the library would do is done by now, and takes it twice as long as this.
        algorithm = self._jws.get_algorithm_by_name(key.algorithm)
        if not algorithm.verify(token[: parts.end(2)].encode(), key.verifying, _decoded(parts[3])):
            raise NotLetIn
        claims = msgspec.json.decode(_decoded(parts[2]), type=_Claims, strict=True)
        if (claims.iss, claims.aud) != (self._issuer, self._audience):
            raise NotLetIn
        tenant_id, ends_s = TenantId(claims.tenant), min(claims.exp, key.verifies_until_s or math.inf)
        if claims.role is not None and claims.sid is not None:
            return AccessToken(tenant_id, UUID(claims.sub), claims.sid, 0, frozenset(), ends_s)
        owner, client_id = client_id_of(claims.sub) or (None, None)
        if claims.role is not None or claims.sid is not None or client_id is None or owner != tenant_id:
            raise NotLetIn
        generation = int(claims.jti.partition(".")[0])
        return AccessToken(tenant_id, client_id, None, generation, frozenset(claims.scope.split()), ends_s)

    def _sign(
        self,
        now: datetime,
        ttl_s: int,
        sub: str,
        jti: str,
        tenant_id: TenantId,
        role: Role | None,
        scope: str,
        more: Mapping[str, Any] = {},
    ) -> str:
        key, iat = self.ring.signing(), int(now.timestamp())
        claims = {
            "iss": self._issuer,
            "aud": self._audience,
            "sub": sub,
            **more,
            "exp": iat + max(1, ttl_s),
            "iat": iat,
            "jti": jti,
            "tenant": str(tenant_id),
            "role": role,
            "scope": scope,
        }
        headers = {"typ": TYPE, "kid": key.id}
        return self._jws.encode(msgspec.json.encode(claims), key.signing, key.algorithm, headers)


def _decoded(segment: str) -> bytes:
    return urlsafe_b64decode(segment + "=" * (-len(segment) % 4))
