"""GET /.well-known/jwks.json: what others verify our tokens by."""

from dataclasses import dataclass
from typing import Any, Final

from msgspec import Struct, json

from app.contexts.identity.adapters.jwt.key_set import KeyRing
from app.platform.http.operations import ANYONE, Operation, Request, Success
from app.platform.http.replies import Reply

LONGEST_KEPT_S: Final = 300


class KeysShape(Struct, frozen=True):
    """A JWK set (RFC 7517)."""

    keys: list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class PublicKeys:
    """The handler, with what it needs."""

    ring: KeyRing
    access_ttl_s: float
    """A new key is shown for so long before it signs."""

    @property
    def operation(self) -> Operation:
        """What HTTP offers."""
        return Operation(
            method="GET",
            template="/.well-known/jwks.json",
            name="getKeys",
            tag="machines",
            summary="The public keys",
            description="What tokens are verified by: a new key is here before it signs. Keys that sign and verify "
            "alike never are.",
            who=ANYONE,
            handler=self.show,
            successes=(_KEYS,),
        )

    async def show(self, _: Request) -> Reply:
        """Show them, to be kept for less than a new one is shown before it signs."""
        kept_s = int(min(LONGEST_KEPT_S, self.access_ttl_s / 2))
        kept = (b"cache-control", b"public, max-age=%d" % kept_s)
        return Reply(200, json.encode(KeysShape(self.ring.public())), (kept,))


_KEYS = Success(
    status=200,
    description="The keys.",
    type=KeysShape,
    example={
        "keys": [
            {
                "kty": "OKP",
                "crv": "Ed25519",
                "x": "obDl5QcWO9RmDEUx4qTL07Stnuy6bd1jEUGO0PH2YNU",
                "kid": "qwvAT3DQIccrvGro",
                "alg": "EdDSA",
                "use": "sig",
            }
        ]
    },
    headers=("Cache-Control",),
)
