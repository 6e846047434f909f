"""What HTTP offers of reconciliations."""

from collections.abc import Sequence

from app.contexts.reconciliation.adapters.http.findings import Findings
from app.contexts.reconciliation.adapters.http.runs import Runs
from app.contexts.reconciliation.container import ReconciliationContainer
from app.platform.context import Http
from app.platform.http.operations import Operation


def operations(container: ReconciliationContainer, http: Http) -> Sequence[Operation]:
    """All of them."""
    runs = Runs(reconcile=container.reconcile(), read=container.read_runs(), http=http)
    findings = Findings(
        read=container.read_runs(), resolve=container.resolve_finding(), record_of=container.record_of, http=http
    )
    return [*runs.operations(), *findings.operations()]
