"""A call from its first attempt to an answer that is final: what is sent, when it is sent again, and when to give up.

It is a generator that says what to do next, and is told what came of it: `Client` and `AsyncClient` do it, each in its
own way, and decide nothing.
"""

import itertools
import logging
from dataclasses import replace
from typing import Any, NoReturn, TypeVar

from strongbox_client import verdicts
from strongbox_client.calls import Answer, Call, Who, error_of
from strongbox_client.codes import Unauthorized
from strongbox_client.credentials import Credential
from strongbox_client.errors import NoAnswer, OutcomeUnknown, StrongboxError
from strongbox_client.terms import Alone, Send, Talk, Terms, Wait

T = TypeVar("T")

_log = logging.getLogger("strongbox_client")


def converse(call: Call[T], terms: Terms) -> Talk[T]:
    """Ask, and ask again, until there is a final answer or the deadline is over.

    Raises:
        StrongboxError: it says no, or the deadline is over and nothing has happened.
        OutcomeUnknown: it is over, and nobody knows.
    """
    until = terms.clock() + terms.patience.deadline_s
    is_open, refused = False, None
    for nth in itertools.count():
        try:
            token = yield from token_of(call, terms, until, refused)
        except StrongboxError as error:
            _give_up(call, error, is_open)
        heard = yield sending(call, token, terms, until)
        try:
            return _read(call, heard)
        except StrongboxError as error:
            failed = error
        is_open = (is_open or verdicts.leaves_open(failed)) and not verdicts.settles(failed)
        if refused is None and is_outdated(failed, token, terms):
            refused = token
            continue
        wait_s = verdicts.wait_s(call, failed, heard, nth, terms)
        if wait_s is None or terms.clock() + wait_s >= until:
            _give_up(call, failed, is_open)
        _log.info("%s again in %.1f s, after %s", call.name, wait_s, type(failed).__name__)
        yield Wait(wait_s)
    raise AssertionError("it counts for ever")


def _give_up(call: Call[Any], failed: StrongboxError, is_open: bool) -> NoReturn:
    if is_open and call.writes:
        raise OutcomeUnknown(failed, call.key) from failed
    raise failed


def _read(call: Call[T], heard: Answer | NoAnswer) -> T:
    """What the answer says.

    Raises:
        StrongboxError: it says no, or nothing.
    """
    if isinstance(heard, NoAnswer):
        raise heard
    if not heard.is_success:
        raise error_of(heard)
    return call.read(heard)


def sending(call: Call[Any], token: str | None, terms: Terms, until: float) -> Send:
    """The next attempt."""
    now = terms.clock()
    headers = list(call.headers)
    if call.who is Who.API_KEY and terms.api_key is not None:
        headers.append(("X-API-Key", terms.api_key))
    if token is not None:
        headers.append(("Authorization", f"Bearer {token}"))
    timeout_s = max(min(terms.patience.attempt_s, until - now), 0.001)
    url = terms.base_url + call.path
    return Send(call.method, url, call.query, tuple(headers), call.body, timeout_s, now + timeout_s)


def token_of(call: Call[Any], terms: Terms, until: float, refused: str | None = None) -> Talk[str | None]:
    """The token to show: another than one that was refused, and a new one where the last is over.

    Raises:
        StrongboxError: there is none. Nothing was asked.
    """
    credential = terms.credential
    if call.who is not Who.CREDENTIAL or credential is None:
        return None
    if credential.is_due(terms.clock()) or (refused is not None and credential.token == refused):
        failed: StrongboxError | None = yield Alone(_renewed(credential, credential.token, terms, until))
        if failed is not None:
            raise failed
    return credential.token


def is_outdated(failed: StrongboxError, token: str | None, terms: Terms) -> bool:
    """Whether another token would help."""
    can_be = terms.credential is not None and terms.credential.can_be_renewed
    return isinstance(failed, Unauthorized) and token is not None and can_be


def _renewed(credential: Credential, seen: str | None, terms: Terms, until: float) -> Talk[None]:
    """See to it that the token is another than that which was seen: perhaps it is already.

    Raises:
        StrongboxError: it is not. What became of a log-in of which nothing was heard is nobody's outcome.
    """
    if credential.token != seen:
        return
    patience = replace(terms.patience, deadline_s=until - terms.clock())
    of_nobody = replace(terms, credential=None, patience=patience)
    try:
        yield from credential.renewed(lambda call: converse(call, of_nobody), terms.clock)
    except OutcomeUnknown as unknown:
        raise unknown.last from unknown
