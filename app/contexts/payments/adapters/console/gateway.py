"""GET and POST /gateway: the mock gateway's mode, where the gateway is the mock."""

from collections.abc import Sequence
from math import isfinite
from typing import Any

from litestar import Request, get, post
from litestar.handlers import HTTPRouteHandler
from litestar.types import ASGIApp

from app.contexts.payments.application import mock_gateway
from app.contexts.payments.application.mock_gateway import GatewayControl, GatewayMode
from app.platform.console.desk import Desk
from app.platform.console.errors import Rejected
from app.platform.console.pages import redirect
from app.platform.console.visit import Visit, integer_of, one_of, visit_of


def gateway(control: GatewayControl | None, desk: Desk) -> Sequence[HTTPRouteHandler]:
    """The gateway, as far as it can be told how to fail."""

    @get("/gateway")
    async def show(request: Request[Any, Any, Any]) -> ASGIApp:
        mode = await control.mode() if control else None
        return desk.pages.page("gateway.html", visit_of(request), mode=mode, known=mock_gateway)

    @post("/gateway")
    async def set_mode(request: Request[Any, Any, Any]) -> ASGIApp:
        visit = visit_of(request)
        if control is None:
            raise Rejected(404, "GATEWAY_URL is not set")
        await mock_gateway.set_mode(control, desk.services.record_of(visit.operator), _mode(visit))
        desk.watch.changed()
        return redirect("/gateway")

    return [show, set_mode]


def _mode(visit: Visit) -> GatewayMode:
    latency = visit.value("latency_ms")
    return GatewayMode(
        one_of(visit.value("mode"), "the mode", mock_gateway.MODES),
        one_of(visit.value("applies_to"), "what it hits", mock_gateway.APPLIES_TO),
        _rate(visit.value("rate")),
        integer_of(latency, "the time", 0, mock_gateway.MOST_LATENCY_MS) if latency else None,
        one_of(visit.value("charge"), "the charge", mock_gateway.CHARGES),
    )


def _rate(text: str) -> float:
    try:
        percent = float(text)
    except ValueError:
        percent = -1.0
    if not (isfinite(percent) and 0 <= percent <= 100):
        raise Rejected(400, "the share must be a number from 0 to 100")
    return percent / 100
