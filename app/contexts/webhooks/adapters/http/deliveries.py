"""What is under /v1/webhooks/{id}: deliveries, and having something sent: a test, an event again, those of a time."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from msgspec import json

from app.contexts.webhooks.adapters.http.bodies import REPLAY_BODY
from app.contexts.webhooks.adapters.http.errors import NO_SUCH_DELIVERY, NO_SUCH_WEBHOOK, UNFIT, WEBHOOK_DISABLED
from app.contexts.webhooks.adapters.http.examples import DELIVERY as EXAMPLE
from app.contexts.webhooks.adapters.http.examples import DELIVERY_ID
from app.contexts.webhooks.adapters.http.parameters import DELIVERY, MAY, STATUS, TAG, WEBHOOK
from app.contexts.webhooks.adapters.http.views import DeliveriesView, DeliveryIdView, ReplayView, delivery_view
from app.contexts.webhooks.application.ports import Deliveries, Place
from app.contexts.webhooks.application.send_again import SendAgain
from app.contexts.webhooks.application.tell_delivery import TellDelivery
from app.contexts.webhooks.domain.refusals import Unfit
from app.platform.context import Http
from app.platform.http import codes, queries
from app.platform.http.finishing import finished
from app.platform.http.operations import BEARER, Operation, Request, Success
from app.platform.http.parameters import CURSOR, LIMIT
from app.platform.http.replies import Reply
from app.platform.http.shapes import time_of

_ONE: Final = "/v1/webhooks/{id}"
_LIST: Final = f"{_ONE}/deliveries"

_encode = json.Encoder().encode


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookDeliveries:
    """The handlers, with what they need."""

    deliveries: Deliveries
    tell: TellDelivery
    send: SendAgain
    http: Http

    def operations(self) -> Sequence[Operation]:
        """What HTTP offers of deliveries."""
        return [self._several(), self._test(), self._redeliver(), self._replay()]

    def _several(self) -> Operation:
        return Operation(
            method="GET",
            template=_LIST,
            name="listDeliveries",
            tag=TAG,
            summary="Read what was sent to a webhook",
            description="And what is still to be sent, or was given up.",
            who=BEARER,
            access=MAY,
            handler=self.list_deliveries,
            parameters=(WEBHOOK, STATUS, LIMIT, CURSOR),
            successes=(_PAGE,),
            refusals=(NO_SUCH_WEBHOOK, codes.UNAVAILABLE),
        )

    def _test(self) -> Operation:
        return Operation(
            method="POST",
            template=f"{_ONE}/test",
            name="testWebhook",
            tag=TAG,
            summary="Send a test to a webhook",
            description="One `webhook.test`, whatever types it asks for.",
            who=BEARER,
            access=MAY,
            handler=self.test_webhook,
            parameters=(WEBHOOK,),
            successes=(_SENT,),
            refusals=(NO_SUCH_WEBHOOK, WEBHOOK_DISABLED, codes.UNAVAILABLE),
        )

    def _redeliver(self) -> Operation:
        return Operation(
            method="POST",
            template=f"{_LIST}/{{delivery_id}}/redeliver",
            name="redeliver",
            tag=TAG,
            summary="Send an event to a webhook again",
            description="Its attempts begin anew, under the same `webhook-id`.",
            who=BEARER,
            access=MAY,
            handler=self.redeliver,
            parameters=(WEBHOOK, DELIVERY),
            successes=(_SENT,),
            refusals=(NO_SUCH_DELIVERY, WEBHOOK_DISABLED, codes.UNAVAILABLE),
        )

    def _replay(self) -> Operation:
        return Operation(
            method="POST",
            template=f"{_ONE}/replay",
            name="replayWebhook",
            tag=TAG,
            summary="Send the events of a time to a webhook again",
            description="Of all that happened from `from` until before `to` what the webhook asks for now, also what "
            "it did not ask for then. What is under way already goes on in the order of the events' times.",
            who=BEARER,
            access=MAY,
            handler=self.replay_webhook,
            parameters=(WEBHOOK,),
            body=REPLAY_BODY,
            successes=(_REPLAYED,),
            refusals=(UNFIT, NO_SUCH_WEBHOOK, WEBHOOK_DISABLED, codes.UNAVAILABLE),
        )

    async def list_deliveries(self, request: Request) -> Reply:
        """A page of them."""
        asker, webhook, status, cursor, limit = (
            request.asker, request[WEBHOOK], request[STATUS], request[CURSOR], request[LIMIT],
        )  # fmt: skip
        of = (_LIST, str(webhook), status.value if status else "all")
        before = None if cursor is None else Place(*queries.position_of(asker.id, cursor, *of))

        async def read() -> DeliveriesView:
            await self.tell.endpoint(asker.tenant_id, webhook)
            found = await self.deliveries.page(asker.tenant_id, webhook, status, before, limit + 1)
            last = found[limit - 1] if len(found) > limit else None
            following = None if last is None else queries.to_cursor(asker.id, (last.created_at, last.id), *of)
            return DeliveriesView([*map(delivery_view, found[:limit])], following)

        return Reply(200, _encode(await self.http.in_flight.read(read(), self.http.timeout_s)))

    async def test_webhook(self, request: Request) -> Reply:
        """Send a test."""
        testing = self.send.test(request.asker.tenant_id, request[WEBHOOK])
        return Reply(202, _encode(DeliveryIdView(await finished(self.http, testing))))

    async def redeliver(self, request: Request) -> Reply:
        """Send one again."""
        delivery_id = request[DELIVERY]
        await finished(self.http, self.send.redeliver(request.asker.tenant_id, request[WEBHOOK], delivery_id))
        return Reply(202, _encode(DeliveryIdView(delivery_id)))

    async def replay_webhook(self, request: Request) -> Reply:
        """Send those of a time again."""
        body = request[REPLAY_BODY]
        since, until = time_of(body.from_), time_of(body.to)
        assert since is not None, "checked with the body"
        assert until is not None, "checked with the body"
        if until <= since:
            raise Unfit("to", "must be later than from")
        replaying = self.send.replay(request.asker.tenant_id, request[WEBHOOK], since, until)
        return Reply(202, _encode(ReplayView(await finished(self.http, replaying))))


_PAGE: Final = Success(
    status=200,
    description="A page, newest first.",
    type=DeliveriesView,
    example={"deliveries": [EXAMPLE], "next_cursor": None},
)
_SENT: Final = Success(
    status=202, description="It will be sent.", type=DeliveryIdView, example={"delivery_id": DELIVERY_ID}
)
_REPLAYED: Final = Success(status=202, description="They will be sent.", type=ReplayView, example={"count": 17})
