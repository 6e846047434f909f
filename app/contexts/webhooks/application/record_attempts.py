"""Write what became of attempts: of deliveries when they are attempted next, of endpoints whether they are called."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from app.contexts.webhooks.application.sending import Ended, Held, Outcome, RecordBooks
from app.contexts.webhooks.domain.delivery import settled
from app.contexts.webhooks.domain.endpoint import Reason
from app.contexts.webhooks.domain.events import Disabled
from app.contexts.webhooks.domain.ids import EndpointId
from app.kernel.ids import EventId
from app.kernel.new_ids import Ids
from app.kernel.principal import TenantId


@dataclass(frozen=True, slots=True)
class RecordAttempts:
    """Writes it, in one transaction. Whatever of it came too late changes nothing, unless it is a success."""

    books: RecordBooks
    ids: Ids
    jitter: Callable[[], float]
    """From -1 to 1."""

    async def __call__(self, tenant_id: TenantId, ended: Sequence[Ended]) -> Mapping[EndpointId, Reason]:
        """Write what became of a tenant's; the endpoints that were disabled for it.

        Raises:
            Unavailable: nobody knows whether it is written.
        """
        async with self.books.begin(tenant_id) as record:
            held = await record.hold({one.claim.endpoint_id for one in ended})
            outcome = self._outcome(ended, held)
            events = [
                Disabled(EventId(self.ids()), endpoint_id, tenant_id, reason, held.now, held.told[endpoint_id] + 1)
                for endpoint_id, reason in outcome.disabled.items()
            ]
            await record.commit(outcome, events)
        return outcome.disabled

    def _outcome(self, ended: Sequence[Ended], held: Held) -> Outcome:
        results = [(one, settled(one.result, one.claim.attempt, self.jitter(), held.now)) for one in ended]
        lanes, disabled = [], dict[EndpointId, Reason]()
        for lane in held.lanes:
            own = [one.result for one in ended if one.claim.endpoint_id == lane.endpoint_id]
            after, reason = lane.after(own, held.now)
            lanes.append(after)
            if reason is not None:
                disabled[lane.endpoint_id] = reason
        return Outcome(results, lanes, disabled)
