"""The start and the end of what is served."""

from typing import Literal

from litestar.types import LifeSpanReceive, LifeSpanSend

from app.platform.http.services import Services


async def live(services: Services, receive: LifeSpanReceive, send: LifeSpanSend) -> None:
    """Open the services, and close them when the last request is over."""
    phase: Literal["startup", "shutdown"] = "startup"
    await receive()
    try:
        async with services.lifespan():
            await send({"type": "lifespan.startup.complete"})
            phase = "shutdown"
            await receive()
            await services.in_flight.finish()
    except Exception as error:  # the server logs it, and ends the process with an exit code
        why = f"{phase} failed: {type(error).__name__}: {error}"
        if phase == "startup":
            await send({"type": "lifespan.startup.failed", "message": why})
        else:
            await send({"type": "lifespan.shutdown.failed", "message": why})
    else:
        await send({"type": "lifespan.shutdown.complete"})
