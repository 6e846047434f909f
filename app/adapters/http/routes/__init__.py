"""The handlers, and how they refuse."""

from collections.abc import Sequence
from typing import Any

from litestar import Request, Response
from litestar.handlers import HTTPRouteHandler

from app.adapters.http.errors import problem_of
from app.adapters.http.inflight import InFlight
from app.adapters.http.routes.payments import payments
from app.adapters.http.routes.system import system
from app.adapters.http.routes.wallets import wallets
from app.adapters.http.services import HttpOptions, Services


def handlers(services: Services, options: HttpOptions, in_flight: InFlight) -> Sequence[HTTPRouteHandler]:
    """All handlers of this process."""
    return [
        payments(services, options, in_flight),
        *wallets(services, options, in_flight),
        *system(services, options, in_flight),
    ]


def refuse(request: Request[Any, Any, Any], error: Exception) -> Response[bytes]:
    """The answer to whatever a handler raised."""
    problem = problem_of(error)
    request.scope["state"]["code"] = problem.code
    return Response(problem.body, status_code=problem.status, headers=problem.headers, media_type="application/json")
