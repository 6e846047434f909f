"""What HTTP offers of webhooks."""

from collections.abc import Sequence

from app.contexts.webhooks.adapters.http.deliveries import WebhookDeliveries
from app.contexts.webhooks.adapters.http.webhooks import Webhooks
from app.contexts.webhooks.container import WebhooksContainer
from app.platform.context import Http
from app.platform.http.operations import Operation


def operations(container: WebhooksContainer, http: Http) -> Sequence[Operation]:
    """All of them."""
    webhooks = Webhooks(endpoints=container.endpoints(), manage=container.manage(), http=http)
    deliveries = WebhookDeliveries(
        deliveries=container.deliveries(), tell=container.tell(), send=container.send_again(), http=http
    )
    return [*webhooks.operations(), *deliveries.operations()]
