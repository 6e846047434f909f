"""Tell operators what became of a delivery: each attempt, what is not known of, and what comes next."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta

from app.contexts.webhooks.application.ports import Attempt, Deliveries, Endpoints
from app.contexts.webhooks.domain.delivery import UNANSWERED, Delivery, DeliveryStatus
from app.contexts.webhooks.domain.endpoint import Endpoint, Status
from app.contexts.webhooks.domain.ids import DeliveryId, EndpointId
from app.contexts.webhooks.domain.refusals import DeliveryNotFound, EndpointNotFound
from app.kernel.moments import Moment
from app.kernel.principal import TenantId


@dataclass(frozen=True, slots=True)
class DeliveryStory:
    """All that is known of a delivery, oldest first; what comes next, if anything does."""

    endpoint: Endpoint
    delivery: Delivery
    moments: Sequence[Moment]
    next: str | None
    notes: Sequence[str]


@dataclass(frozen=True, slots=True)
class TellDelivery:
    """Tells it. Everything raises Unavailable where it cannot be told now."""

    endpoints: Endpoints
    deliveries: Deliveries

    async def endpoint(self, tenant_id: TenantId, endpoint_id: EndpointId) -> Endpoint:
        """An endpoint of the tenant's.

        Raises:
            EndpointNotFound: there is none with that id.
        """
        endpoint = await self.endpoints.one(tenant_id, endpoint_id)
        if endpoint is None:
            raise EndpointNotFound
        return endpoint

    async def __call__(self, tenant_id: TenantId, endpoint_id: EndpointId, delivery_id: DeliveryId) -> DeliveryStory:
        """What became of it.

        Raises:
            EndpointNotFound, DeliveryNotFound: there is none with that id.
        """
        endpoint = await self.endpoint(tenant_id, endpoint_id)
        found = await self.deliveries.story(tenant_id, endpoint_id, delivery_id)
        if found is None:
            raise DeliveryNotFound
        delivery, attempts = found
        moments = sorted(_moments(delivery, attempts), key=lambda moment: moment.at)
        return DeliveryStory(endpoint, delivery, moments, _next(endpoint, delivery), list(_notes(delivery, attempts)))


def _moments(delivery: Delivery, attempts: Sequence[Attempt]) -> Iterator[Moment]:
    yield Moment(delivery.occurred_at, "event", f"{delivery.type} happened", {"event_id": str(delivery.event_id)})
    yield Moment(delivery.created_at, "delivery", f"to be sent ({delivery.origin})", {"delivery_id": str(delivery.id)})
    for attempt in attempts:
        how = f"answered {attempt.status}" if attempt.status is not None else f"came to nothing: {attempt.error}"
        anew = f" of round {attempt.round + 1}" if attempt.round else ""
        yield Moment(
            attempt.started_at + timedelta(milliseconds=attempt.took_ms), "attempt",
            f"attempt {attempt.number}{anew} {how}", {"took": f"{attempt.took_ms} ms"},
        )  # fmt: skip
    if delivery.delivered_at is not None:
        yield Moment(delivery.delivered_at, "delivery", "delivered")


def _next(endpoint: Endpoint, delivery: Delivery) -> str | None:
    if delivery.status is not DeliveryStatus.PENDING:
        return None
    if endpoint.status is Status.DISABLED:
        return "it waits until the webhook is ACTIVE again"
    said = f"attempt {delivery.attempts + 1}, from {delivery.next_attempt_at:%Y-%m-%d %H:%M:%S} UTC on"
    if delivery.last_error in UNANSWERED:
        said += "; while nobody answers, events take turns, one in half a minute or so"
    return said


def _notes(delivery: Delivery, attempts: Sequence[Attempt]) -> Iterator[str]:
    told = {attempt.number for attempt in attempts if attempt.round == delivery.round}
    untold = [str(number) for number in range(1, delivery.attempts + 1) if number not in told]
    if untold:
        yield f"how attempt {', '.join(untold)} ended was never told: it is under way, or its sender has died"
