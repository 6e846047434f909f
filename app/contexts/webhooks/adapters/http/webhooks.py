"""GET and POST /v1/webhooks; GET, PATCH and DELETE /v1/webhooks/{id}; POST /v1/webhooks/{id}/rotate."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from msgspec import json

from app.contexts.webhooks.adapters.http.bodies import CHANGE_BODY, WEBHOOK_BODY
from app.contexts.webhooks.adapters.http.errors import NO_SUCH_WEBHOOK, TOO_MANY, UNFIT
from app.contexts.webhooks.adapters.http.examples import SECRET
from app.contexts.webhooks.adapters.http.examples import WEBHOOK as EXAMPLE
from app.contexts.webhooks.adapters.http.parameters import MAY, TAG, WEBHOOK
from app.contexts.webhooks.adapters.http.views import (
    NewWebhookView,
    SecretView,
    WebhooksView,
    WebhookView,
    new_webhook_view,
    webhook_view,
)
from app.contexts.webhooks.application.manage_endpoints import ManageEndpoints
from app.contexts.webhooks.application.ports import Endpoints, Place
from app.contexts.webhooks.domain.refusals import EndpointNotFound
from app.platform.context import Http
from app.platform.http import codes, queries
from app.platform.http.finishing import finished
from app.platform.http.operations import BEARER, Operation, Request, Success
from app.platform.http.parameters import CURSOR, LIMIT
from app.platform.http.replies import NO_CONTENT, Reply

_ALL, _ONE = "/v1/webhooks", "/v1/webhooks/{id}"

_encode = json.Encoder().encode


@dataclass(frozen=True, slots=True, kw_only=True)
class Webhooks:
    """The handlers, with what they need."""

    endpoints: Endpoints
    manage: ManageEndpoints
    http: Http

    def operations(self) -> Sequence[Operation]:
        """What HTTP offers of webhooks."""
        return [self._add(), self._several(), self._read(), self._change(), self._remove(), self._rotate()]

    def _add(self) -> Operation:
        return Operation(
            method="POST",
            template=_ALL,
            name="addWebhook",
            tag=TAG,
            summary="Have events sent to a URL",
            description="What happens from then on is posted there, signed by the Standard Webhooks specification. "
            "The secret is shown here, and never again.",
            who=BEARER,
            access=MAY,
            handler=self.add_webhook,
            body=WEBHOOK_BODY,
            successes=(_ADDED,),
            refusals=(UNFIT, TOO_MANY, codes.UNAVAILABLE),
        )

    def _several(self) -> Operation:
        return Operation(
            method="GET",
            template=_ALL,
            name="listWebhooks",
            tag=TAG,
            summary="Read the webhooks",
            who=BEARER,
            access=MAY,
            handler=self.list_webhooks,
            parameters=(LIMIT, CURSOR),
            successes=(_PAGE,),
            refusals=(codes.UNAVAILABLE,),
        )

    def _read(self) -> Operation:
        return Operation(
            method="GET",
            template=_ONE,
            name="getWebhook",
            tag=TAG,
            summary="Read a webhook",
            who=BEARER,
            access=MAY,
            handler=self.get_webhook,
            parameters=(WEBHOOK,),
            successes=(_IT,),
            refusals=(NO_SUCH_WEBHOOK, codes.UNAVAILABLE),
        )

    def _change(self) -> Operation:
        return Operation(
            method="PATCH",
            template=_ONE,
            name="changeWebhook",
            tag=TAG,
            summary="Change a webhook",
            description="What happened before goes by what was asked for then. While it is DISABLED what is due waits; "
            "once it is ACTIVE again that is sent.",
            who=BEARER,
            access=MAY,
            handler=self.change_webhook,
            parameters=(WEBHOOK,),
            body=CHANGE_BODY,
            successes=(_IT,),
            refusals=(UNFIT, NO_SUCH_WEBHOOK, codes.UNAVAILABLE),
        )

    def _remove(self) -> Operation:
        return Operation(
            method="DELETE",
            template=_ONE,
            name="deleteWebhook",
            tag=TAG,
            summary="Delete a webhook",
            description="Nothing more is sent there, whatever waits.",
            who=BEARER,
            access=MAY,
            handler=self.remove_webhook,
            parameters=(WEBHOOK,),
            successes=(_GONE,),
            refusals=(NO_SUCH_WEBHOOK, codes.UNAVAILABLE),
        )

    def _rotate(self) -> Operation:
        return Operation(
            method="POST",
            template=f"{_ONE}/rotate",
            name="rotateWebhook",
            tag=TAG,
            summary="Give a webhook a new secret",
            description="For 24 hours the one before signs as well: `webhook-signature` has both.",
            who=BEARER,
            access=MAY,
            handler=self.rotate_webhook,
            parameters=(WEBHOOK,),
            successes=(_ROTATED,),
            refusals=(NO_SUCH_WEBHOOK, codes.UNAVAILABLE),
        )

    async def add_webhook(self, request: Request) -> Reply:
        """Add one."""
        body = request[WEBHOOK_BODY]
        adding = self.manage.add(request.asker.tenant_id, body.url, body.types, body.description)
        return Reply(201, _encode(new_webhook_view(*await finished(self.http, adding))))

    async def list_webhooks(self, request: Request) -> Reply:
        """A page of them."""
        asker, cursor, limit = request.asker, request[CURSOR], request[LIMIT]
        before = None if cursor is None else Place(*queries.position_of(asker.id, cursor, _ALL))
        reading = self.endpoints.page(asker.tenant_id, before, limit + 1)
        found = await self.http.in_flight.read(reading, self.http.timeout_s)
        last = found[limit - 1] if len(found) > limit else None
        following = None if last is None else queries.to_cursor(asker.id, (last.created_at, last.id), _ALL)
        return Reply(200, _encode(WebhooksView([*map(webhook_view, found[:limit])], following)))

    async def get_webhook(self, request: Request) -> Reply:
        """One of them."""
        reading = self.endpoints.one(request.asker.tenant_id, request[WEBHOOK])
        found = await self.http.in_flight.read(reading, self.http.timeout_s)
        if found is None:
            raise EndpointNotFound
        return Reply(200, _encode(webhook_view(found)))

    async def change_webhook(self, request: Request) -> Reply:
        """Change one."""
        changing = self.manage.change(request.asker.tenant_id, request[WEBHOOK], request[CHANGE_BODY].said)
        return Reply(200, _encode(webhook_view(await finished(self.http, changing))))

    async def remove_webhook(self, request: Request) -> Reply:
        """Delete one."""
        await finished(self.http, self.manage.remove(request.asker.tenant_id, request[WEBHOOK]))
        return Reply(NO_CONTENT, b"")

    async def rotate_webhook(self, request: Request) -> Reply:
        """Give it a new secret."""
        rotating = self.manage.rotate(request.asker.tenant_id, request[WEBHOOK])
        return Reply(200, _encode(SecretView(await finished(self.http, rotating))))


_ADDED: Final = Success(
    status=201,
    description="The webhook, with its secret.",
    type=NewWebhookView,
    example=EXAMPLE | {"secret": SECRET},
)
_PAGE: Final = Success(
    status=200,
    description="A page, newest first.",
    type=WebhooksView,
    example={"webhooks": [EXAMPLE], "next_cursor": None},
)
_IT: Final = Success(status=200, description="The webhook.", type=WebhookView, example=EXAMPLE)
_GONE: Final = Success(status=NO_CONTENT, description="It is gone.", type=None)
_ROTATED: Final = Success(status=200, description="The new secret.", type=SecretView, example={"secret": SECRET})
