"""What runs of reconciliation beside the API's operations: its gauges."""

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager, nullcontext

from app.contexts.reconciliation.adapters.metrics.findings import Unresolved
from app.contexts.reconciliation.container import ReconciliationContainer
from app.platform.metrics.gauges import Look


def serving(container: ReconciliationContainer) -> AbstractAsyncContextManager[Sequence[Look]]:
    """What waits to be looked into is shown. Without people there are no tenants."""
    people = container.platform.people()
    if people is None:
        return nullcontext(())
    return nullcontext((Unresolved(container.figures(), people.directory, container.registry()).look,))
