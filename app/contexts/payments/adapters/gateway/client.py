"""The gateway's contract, one request at a time: what it is asked, and which of its answers mean something.

Anything that is not exactly an answer of the contract is not an outcome: the charge may stand.
"""

from collections.abc import Sequence
from typing import Annotated, NamedTuple, TypeVar
from uuid import UUID

import httpx
import msgspec

from app.contexts.payments.domain.outcome import Absent, Approved, Declined, FailureCode, Mismatched, Voided
from app.contexts.payments.domain.payment import Payment

T = TypeVar("T")

# Of a sane length, and no control characters: it goes into the books and into answers.
_DeclineCode = Annotated[str, msgspec.Meta(pattern=r"\A[^\x00-\x1f\x7f-\x9f]{0,100}\Z")]


class _Charge(msgspec.Struct, tag_field="status"):
    charge_id: str
    payment_id: UUID
    amount: int
    currency: str
    decline_code: _DeclineCode | None

    def is_for(self, payment: Payment) -> bool:
        return (self.payment_id, self.amount, self.currency) == (
            payment.id,
            payment.money.amount_minor,
            payment.money.currency,
        )


class _ApprovedCharge(_Charge, tag="APPROVED"):
    pass


class _DeclinedCharge(_Charge, tag="DECLINED"):
    pass


class _Tombstone(msgspec.Struct, tag_field="status", tag="VOIDED"):
    payment_id: UUID


class _DeclinedAlready(msgspec.Struct, tag_field="status", tag="DECLINED"):
    """A declined charge as a void finds it: the charge, or as little of it as a tombstone has."""

    payment_id: UUID
    amount: int | None = None
    currency: str | None = None
    decline_code: _DeclineCode | None = None

    def is_for(self, payment: Payment) -> bool:
        return (
            self.payment_id == payment.id
            and self.amount in (None, payment.money.amount_minor)
            and self.currency in (None, payment.money.currency)
        )


_HEADERS = {"Accept": "application/json", "Accept-Encoding": "identity", "User-Agent": "strongbox"}
_CHARGE = msgspec.json.Decoder(_ApprovedCharge | _DeclinedCharge)
_TOMBSTONE = msgspec.json.Decoder(_Tombstone)
_HELD = msgspec.json.Decoder(_ApprovedCharge | _DeclinedCharge | _Tombstone)
_AFTER_VOID = msgspec.json.Decoder(_Tombstone | _DeclinedAlready)


class _Answer(NamedTuple):
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


class GatewayClient:
    """Speaks the contract. Each call is one request, to be over by `deadline`, a time of the running loop.

    Every call raises AttemptFailedError for whatever is not an outcome.
    """

    def __init__(self, base_url: str, transport: httpx.AsyncBaseTransport) -> None:
        # Parsed once: httpx takes longer over a URL than over sending the request.
        url = httpx.URL(base_url.rstrip("/") + "/charges")
        self._charges = url.copy_with(userinfo=b"")
        plain = httpx.Request("GET", self._charges, headers=_HEADERS)
        auth = httpx.BasicAuth(url.username, url.password) if url.userinfo else httpx.Auth()
        self._headers = next(auth.auth_flow(plain)).headers.raw
        # Without httpx's client, of which nothing is needed: neither redirects, nor cookies, nor its time-outs.
        self._transport = transport
        self._is_closed = False

    async def aclose(self) -> None:
        """Close every connection; from here on every call fails, unsent."""
        self._is_closed = True
        await self._transport.aclose()

    async def charge(self, payment: Payment, deadline: float) -> Approved | Declined | Voided:
        """Charge the payment, whose id is the gateway's idempotency key: sent again, it is charged once."""
        wanted = {
            "payment_id": payment.id,
            "provider_id": payment.provider_id,
            "external_reference": payment.external_reference,
            "amount": payment.money.amount_minor,
            "currency": payment.money.currency,
        }
        headers = [(b"Idempotency-Key", str(payment.id).encode()), (b"Content-Type", b"application/json")]
        answer = await self._send("POST", self._charges, payment, deadline, headers, msgspec.json.encode(wanted))
        if answer.status in (200, 201):
            charge = _decode(_CHARGE, answer)
            if charge.is_for(payment):
                return _outcome(charge)
        if answer.status == 409 and _decode(_TOMBSTONE, answer).payment_id == payment.id:
            return Voided(FailureCode.GATEWAY_ERROR)
        raise _not_an_outcome(answer)

    async def ask(self, payment: Payment, deadline: float) -> Approved | Declined | Voided | Absent | Mismatched:
        """Ask what became of the payment's charge."""
        answer = await self._send("GET", f"{self._charges}/{payment.id}", payment, deadline)
        if answer.status == 404:
            return Absent()
        if answer.status != 200:
            raise _not_an_outcome(answer)
        held = _decode(_HELD, answer)
        if not isinstance(held, _Tombstone):
            return _outcome(held) if held.is_for(payment) else Mismatched()
        if held.payment_id == payment.id:
            return Voided(FailureCode.GATEWAY_ERROR)
        raise _not_an_outcome(answer)

    async def void(self, payment: Payment, deadline: float) -> Voided | Declined:
        """See to it that no charge stands. Repeating it changes nothing."""
        answer = await self._send("POST", f"{self._charges}/{payment.id}/void", payment, deadline)
        if answer.status == 200:
            found = _decode(_AFTER_VOID, answer)
            if isinstance(found, _Tombstone):
                if found.payment_id == payment.id:
                    return Voided(FailureCode.GATEWAY_ERROR)
            elif found.is_for(payment):
                return Declined(found.decline_code or "DECLINED")
        raise _not_an_outcome(answer)

    async def _send(
        self,
        method: str,
        url: httpx.URL | str,
        payment: Payment,
        deadline: float,
        headers: Sequence[tuple[bytes, bytes]] = (),
        content: bytes = b"",
    ) -> _Answer:
        if self._is_closed:
            raise AttemptFailedError(FailureCode.GATEWAY_TIMEOUT, sent=False)
        headers = [*self._headers, *headers]
        if method == "POST":
            headers.append((b"Content-Length", b"%d" % len(content)))
        if payment.traceparent:
            headers.append((b"traceparent", payment.traceparent.encode()))
        # As streams, with headers that are bytes: httpx has nothing to look into, which would cost half the call.
        request = httpx.Request(
            method, url, headers=headers, stream=httpx.ByteStream(content), extensions={"deadline": deadline}
        )
        try:
            response = await self._transport.handle_async_request(request)
            return _Answer(response.status_code, response.headers, await _whole(response))
        except (httpx.ConnectError, httpx.ConnectTimeout) as exc:
            raise AttemptFailedError(FailureCode.GATEWAY_TIMEOUT, sent=False) from exc
        except httpx.RemoteProtocolError as exc:
            raise AttemptFailedError(FailureCode.GATEWAY_ERROR, sent=True) from exc
        except httpx.TransportError as exc:
            raise AttemptFailedError(FailureCode.GATEWAY_TIMEOUT, sent=True) from exc


async def _whole(response: httpx.Response) -> bytes:
    assert isinstance(response.stream, httpx.AsyncByteStream)
    return b"".join([part async for part in response.stream])


def _outcome(charge: _ApprovedCharge | _DeclinedCharge) -> Approved | Declined:
    if isinstance(charge, _ApprovedCharge):
        return Approved()
    return Declined(charge.decline_code or "DECLINED")


def _decode(decoder: msgspec.json.Decoder[T], answer: _Answer) -> T:
    try:
        return decoder.decode(answer.body)
    except (ValueError, RecursionError) as exc:  # every msgspec error is a ValueError; deep nesting is not
        raise _not_an_outcome(answer) from exc


def _not_an_outcome(answer: _Answer) -> AttemptFailedError:
    return AttemptFailedError(FailureCode.GATEWAY_ERROR, sent=True, retry_after_s=_retry_after_s(answer))


def _retry_after_s(answer: _Answer) -> int:
    # Seconds only. The other form, a date, would need the two clocks to agree.
    asked = answer.headers.get("Retry-After", "")
    if answer.status in (429, 503) and asked.isascii() and asked.isdigit() and len(asked) < 10:
        return int(asked)
    return 0
