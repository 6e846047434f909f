"""The response that goes on: how a stream begins, and how it ends for its client."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, cast

from app.platform.http.replies import RawHeader
from app.platform.http.streams import Body, Ending

if TYPE_CHECKING:
    from litestar.types import Receive, Scope, Send

OK: Final = 200
BREAK_OFF: Final = "strongbox.break_off"
"""Where in the scope the protocol leaves what breaks off the connection."""


async def _break_off(scope: "Scope", receive: "Receive") -> None:
    cast("Mapping[str, Callable[[], None]]", scope)[BREAK_OFF]()
    while (await receive())["type"] != "http.disconnect":
        pass


@dataclass(frozen=True, slots=True)
class Streamed:
    """A response that goes on. `farewell` is said at the end of the process, to who is to come back.

    One that `is_whole` has an end without which it is none: where that is not reached, for whatever reason, the
    connection breaks off, which is all that tells its client.
    """

    body: Body
    media_type: bytes
    headers: tuple[RawHeader, ...] = ()
    farewell: bytes = b""
    is_whole: bool = False

    @property
    def status(self) -> int:
        """As of a `Reply`."""
        return OK

    async def __call__(self, scope: "Scope", receive: "Receive", send: "Send") -> None:
        """Send it.

        Raises:
            Problem: there are as many as there may be.
        """
        state = scope["state"]
        if not state["is_head"]:
            state["streams"].see_room()
        headers = [(b"content-type", self.media_type), *self.headers]
        await send({"type": "http.response.start", "status": self.status, "headers": headers})
        last = b""
        if not state["is_head"]:
            request, began = state["request"], asyncio.get_running_loop().time()
            ending = await state["streams"].run(
                state["route"], request.credential, self.body, receive, send, is_whole=self.is_whole
            )
            lasted_s = round(asyncio.get_running_loop().time() - began, 3)
            request.log_fields = {"ended": ending.value, "lasted_s": lasted_s}
            if self.is_whole and ending is not Ending.SAID:
                await _break_off(scope, receive)
                return
            last = self.farewell if ending is Ending.DRAINED else b""
        await send({"type": "http.response.body", "body": last, "more_body": False})
