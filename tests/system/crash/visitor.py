"""Somebody before the door of a house, and what became of log-ins there."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import httpx

from tests.identity.wallets import DOMAIN, Wallet, at, message_text
from tests.system.crash.fragile import Fragile
from tests.system.e2e.house import LIMIT_S


@dataclass(frozen=True)
class Visitor:
    """Somebody before the API's door."""

    house: Fragile

    def post(self, what: str, **body: Any) -> httpx.Response:
        return httpx.post(f"{self.house.api_url}/v1/auth/{what}", json=body, headers={"Host": DOMAIN}, timeout=LIMIT_S)

    def message(self, wallet: Wallet) -> dict[str, str]:
        """What the wallet has signed, with a nonce that is good."""
        given = httpx.get(f"{self.house.api_url}/v1/auth/nonce", headers={"Host": DOMAIN}).raise_for_status().json()
        text = message_text(
            domain=given["domain"], uri=given["uri"], nonce=given["nonce"], address=wallet.address,
            issued_at=at(0, datetime.now(UTC)),
        )  # fmt: skip
        return {"message": text, "signature": wallet.sign(text)}

    def rows(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        """What a superuser sees, whom no policy holds."""
        with self.house.as_superuser() as session:
            return session.execute(statement.encode(), values).fetchall()

    def heads(self, user_id: object) -> list[int]:
        """Of each of the user's log-ins the number of its refresh tokens that are unspent."""
        counted = (
            "SELECT count(t.token_hash) FILTER (WHERE t.spent_at IS NULL)::int FROM identity.families f"
            " LEFT JOIN identity.refresh_tokens t ON t.family_id = f.id WHERE f.user_id = %s GROUP BY f.id"
        )
        return [heads for (heads,) in self.rows(counted, user_id)]

    def halves(self) -> list[tuple[Any, ...]]:
        """Users without the event that told of them, events without their user, log-ins that lack a part."""
        return self.rows(
            "SELECT u.id, 'untold' FROM identity.users u WHERE NOT EXISTS (SELECT FROM identity.outbox_events o"
            "    WHERE o.subject = u.id AND o.type = 'user.registered')"
            " UNION ALL SELECT o.subject, 'not there' FROM identity.outbox_events o"
            "    WHERE NOT EXISTS (SELECT FROM identity.users u WHERE u.id = o.subject)"
            " UNION ALL SELECT f.id, 'in parts' FROM identity.families f WHERE f.ended_at IS NULL AND ("
            "    NOT EXISTS (SELECT FROM identity.sessions s WHERE s.family_id = f.id)"
            "    OR 1 <> (SELECT count(*) FROM identity.refresh_tokens t WHERE t.family_id = f.id"
            "             AND t.spent_at IS NULL))"
        )
