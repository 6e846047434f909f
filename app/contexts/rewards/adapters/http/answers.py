"""The answers to purchases and refunds, as they are stored with their key."""

from msgspec import json

from app.contexts.rewards.adapters.http.errors import STORED
from app.contexts.rewards.adapters.http.views import purchase_view, refund_view
from app.contexts.rewards.domain.sale import Purchase, Refund
from app.kernel.refusals import Refusal
from app.platform.http.keyed import refused
from app.platform.idempotency.keys import Answer

_encode = json.Encoder().encode


class HttpAnswers:
    """Makes the bytes that are stored, sent, and replayed. It implements `Answers`."""

    def bought(self, purchase: Purchase) -> Answer:
        """The purchase itself."""
        return Answer(201, _encode(purchase_view(purchase)))

    def refunded(self, refund: Refund, purchase: Purchase) -> Answer:
        """The refund itself."""
        return Answer(201, _encode(refund_view(refund, purchase)))

    def refused(self, refusal: Refusal) -> Answer:
        """Why not: one of those that are stored."""
        return refused(STORED[type(refusal)], refusal)
