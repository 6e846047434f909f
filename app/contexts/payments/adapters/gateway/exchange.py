"""One request to the gateway: how it is sent, how it can fail, and what of an answer is none."""

from collections.abc import Sequence
from typing import Annotated, Final, NamedTuple, TypeVar

import httpx
import msgspec

from app.contexts.payments.domain.outcome import FailureCode

T = TypeVar("T")

# Of a sane length, and no control characters: it goes into the books and into answers.
Word = Annotated[str, msgspec.Meta(pattern=r"\A[^\x00-\x1f\x7f-\x9f]{0,100}\Z")]
"""The gateway's own word for why it refuses something."""

_HEADERS: Final = {"Accept": "application/json", "Accept-Encoding": "identity", "User-Agent": "strongbox"}


class Answer(NamedTuple):
    """What the gateway has answered."""

    status: int
    headers: httpx.Headers
    body: bytes


class AttemptFailedError(Exception):
    """A request that ended without an outcome.

    `sent` is false only if no byte of it was written. `why` is GATEWAY_ERROR if the gateway answered at all.
    `retry_after_s` is what a 429 or 503 asked for, in seconds; 0 if it did not.
    """

    def __init__(self, why: FailureCode, *, sent: bool, retry_after_s: int = 0) -> None:
        super().__init__(why, sent)
        self.why = why
        self.sent = sent
        self.retry_after_s = retry_after_s


class Exchange:
    """Sends requests. Each raises AttemptFailedError where nothing is answered by `deadline`, a time of the loop."""

    def __init__(self, base_url: str, transport: httpx.AsyncBaseTransport) -> None:
        # Parsed once: httpx takes longer over a URL than over sending the request.
        url = httpx.URL(base_url.rstrip("/") + "/charges")
        self.charges = url.copy_with(userinfo=b"")
        """Where charges are."""
        plain = httpx.Request("GET", self.charges, headers=_HEADERS)
        auth = httpx.BasicAuth(url.username, url.password) if url.userinfo else httpx.Auth()
        self._headers = next(auth.auth_flow(plain)).headers.raw
        # Without httpx's client, of which nothing is needed: neither redirects, nor cookies, nor its time-outs.
        self._transport = transport
        self._is_closed = False

    async def aclose(self) -> None:
        """Close every connection; from here on every call fails, unsent."""
        self._is_closed = True
        await self._transport.aclose()

    async def send(
        self,
        method: str,
        url: httpx.URL | str,
        traceparent: str | None,
        deadline: float,
        headers: Sequence[tuple[bytes, bytes]] = (),
        content: bytes = b"",
    ) -> Answer:
        """The answer to one request.

        Raises:
            AttemptFailedError: there is none.
        """
        if self._is_closed:
            raise AttemptFailedError(FailureCode.GATEWAY_TIMEOUT, sent=False)
        headers = [*self._headers, *headers]
        if method == "POST":
            headers.append((b"Content-Length", b"%d" % len(content)))
        if traceparent:
            headers.append((b"traceparent", traceparent.encode()))
        # As streams, with headers that are bytes: httpx has nothing to look into, which would cost half the call.
        request = httpx.Request(
            method, url, headers=headers, stream=httpx.ByteStream(content), extensions={"deadline": deadline}
        )
        try:
            response = await self._transport.handle_async_request(request)
            return Answer(response.status_code, response.headers, await _whole(response))
        except (httpx.ConnectError, httpx.ConnectTimeout) as exc:
            raise AttemptFailedError(FailureCode.GATEWAY_TIMEOUT, sent=False) from exc
        except httpx.RemoteProtocolError as exc:
            raise AttemptFailedError(FailureCode.GATEWAY_ERROR, sent=True) from exc
        except httpx.TransportError as exc:
            raise AttemptFailedError(FailureCode.GATEWAY_TIMEOUT, sent=True) from exc


async def _whole(response: httpx.Response) -> bytes:
    assert isinstance(response.stream, httpx.AsyncByteStream)
    return b"".join([part async for part in response.stream])


def decode(decoder: msgspec.json.Decoder[T], answer: Answer) -> T:
    """What the answer says.

    Raises:
        AttemptFailedError: nothing that the decoder knows.
    """
    try:
        return decoder.decode(answer.body)
    except (ValueError, RecursionError) as exc:  # every msgspec error is a ValueError; deep nesting is not
        raise not_an_outcome(answer) from exc


def not_an_outcome(answer: Answer) -> AttemptFailedError:
    """What is raised where the gateway has answered with something that tells nothing."""
    return AttemptFailedError(FailureCode.GATEWAY_ERROR, sent=True, retry_after_s=_retry_after_s(answer))


def _retry_after_s(answer: Answer) -> int:
    # Seconds only. The other form, a date, would need the two clocks to agree.
    asked = answer.headers.get("Retry-After", "")
    if answer.status in (429, 503) and asked.isascii() and asked.isdigit() and len(asked) < 10:
        return int(asked)
    return 0
