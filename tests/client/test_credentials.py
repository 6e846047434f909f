"""How a client comes by its tokens: when it asks for the first, when for the next, and who asks where many want one."""

from typing import Any

import pytest

from strongbox_client import AccessToken, Machine, NoAnswer, OutcomeUnknown, Password, Session, codes
from strongbox_client.operations.auth import Auth
from strongbox_client.operations.wallet import Wallet
from strongbox_client.operations.wallets import Wallets
from tests.client.talking import AT, ID, USER, Script, no, ok, silence, unreachable

WALLET = ok({"user_id": USER, "balances": []})
REFUSED = no(401, "UNAUTHORIZED")


def token(name: str, expires_in: int = 900) -> Any:
    return ok({"access_token": name, "token_type": "Bearer", "expires_in": expires_in, "scope": "wallet:receive"})


def signed_in(name: str) -> Any:
    user = {
        "user_id": ID, "username": None, "email": "ada@example.org", "wallet_address": None, "role": "customer",
        "first_name": None, "last_name": None, "avatar_url": None, "phone": None, "email_verified": False,
        "created_at": AT, "last_login_at": None,
    }  # fmt: skip
    said = {"user": user, "access_token": name, "token_type": "Bearer", "expires_in": 900, "refresh_token": f"r-{name}"}
    return ok(said)


def shown(script: Script) -> list[str | None]:
    """The last word of each Authorization that was sent."""
    return [dict(each.headers).get("Authorization", "").rpartition(" ")[2] or None for each in script.sent]


def paths(script: Script) -> list[str]:
    return [each.url.removeprefix("https://strongbox.example/v1/") for each in script.sent]


def test_a_machine_asks_for_a_token_when_it_needs_one_and_keeps_it() -> None:
    machine = Machine("till", "secret", "wallet:receive")
    script = Script([token("t1"), WALLET])
    for _ in range(3):
        script.run(Wallet.get.call(), machine)
    assert paths(script) == ["auth/token", *["wallet"] * 3]
    assert shown(script) == [None, "t1", "t1", "t1"]
    assert b'"scope":"wallet:receive"' in (script.sent[0].body or b"")


def test_a_token_is_renewed_before_it_ends() -> None:
    machine, script = Machine("till", "secret"), Script([token("t1", 100), WALLET, WALLET, token("t2"), WALLET])
    script.run(Wallet.get.call(), machine)
    script.now += 60
    script.run(Wallet.get.call(), machine)
    script.now += 30
    script.run(Wallet.get.call(), machine)
    assert shown(script) == [None, "t1", "t1", None, "t2"]
    assert script.alone == 2


def test_a_token_that_is_refused_is_followed_by_another_once() -> None:
    script = Script([token("t1"), REFUSED, token("t2"), WALLET])
    assert script.run(Wallet.get.call(), Machine("till", "secret"))
    assert shown(script) == [None, "t1", None, "t2"]
    script = Script([token("t1"), REFUSED, token("t2"), REFUSED])
    with pytest.raises(codes.Unauthorized):
        script.run(Wallet.get.call(), Machine("till", "secret"))
    assert len(script.sent) == 4


def test_whoever_finds_a_newer_token_than_was_refused_takes_that() -> None:
    machine = Machine("till", "secret")
    Script([token("t1"), WALLET]).run(Wallet.get.call(), machine)
    script = Script([REFUSED, WALLET])
    talk = script.have

    def meanwhile(inner: Any) -> Any:
        if script.alone == 1 and machine.token == "t1":
            machine.token = "t2"  # another thread was faster
        return talk(inner)

    script.have = meanwhile  # type: ignore[method-assign,assignment]
    script.run(Wallet.get.call(), machine)
    assert shown(script) == ["t1", "t2"]


def test_a_password_logs_in_then_refreshes_and_logs_in_anew_when_the_session_has_ended() -> None:
    ada = Password("ada@example.org", "a line of a song")
    script = Script([signed_in("a1"), WALLET, signed_in("a2"), WALLET, REFUSED, signed_in("a3"), WALLET])
    for _ in range(3):
        script.run(Wallet.get.call(), ada)
        script.now += 900
    assert paths(script) == [
        "auth/login", "wallet", "auth/refresh", "wallet", "auth/refresh", "auth/login", "wallet",
    ]  # fmt: skip
    assert b'"refresh_token":"r-a1"' in (script.sent[2].body or b"")
    assert ada.refresh_token == "r-a3"


def test_a_session_goes_on_by_its_refresh_token_which_can_be_kept() -> None:
    session, script = Session("r-0"), Script([signed_in("a1"), WALLET])
    script.run(Wallet.get.call(), session)
    assert session.refresh_token == "r-a1"
    with pytest.raises(codes.Unauthorized):
        Script([REFUSED]).run(Wallet.get.call(), Session("r-0"))


def test_a_token_from_elsewhere_is_shown_as_long_as_it_is_good() -> None:
    script = Script([WALLET, REFUSED])
    script.run(Wallet.get.call(), AccessToken("given"))
    with pytest.raises(codes.Unauthorized):
        script.run(Wallet.get.call(), AccessToken("given"))
    assert shown(script) == ["given", "given"]


def test_an_api_key_is_for_wallets_alone_and_a_token_never_is() -> None:
    script = Script([ok({"user_id": USER, "balances": []})])
    script.run(Wallets.balance.call(USER), AccessToken("given"))
    script.run(Wallet.get.call(), AccessToken("given"))
    first, second = (dict(each.headers) for each in script.sent)
    assert (first["X-API-Key"], "Authorization" in first) == ("the-key", False)
    assert ("X-API-Key" in second, second["Authorization"]) == (False, "Bearer given")


def test_where_no_token_is_had_nothing_was_asked() -> None:
    for trouble in (silence(), no(503, "UNAVAILABLE"), unreachable()):
        script = Script([trouble])
        with pytest.raises((NoAnswer, codes.Unavailable)) as failed:
            script.run(Wallet.send.call(to="bob", amount=1, currency="USD"), Password("ada@example.org", "song"))
        assert not isinstance(failed.value, OutcomeUnknown)
        assert set(paths(script)) == {"auth/login"}


def test_what_was_left_open_before_a_token_was_wanted_stays_open() -> None:
    script = Script([token("t1"), silence(), REFUSED, no(503, "UNAVAILABLE", {}, retry_after="90")])
    with pytest.raises(OutcomeUnknown) as unknown:
        script.run(Wallet.send.call(to="bob", amount=1, currency="USD", key="tea-1"), Machine("till", "secret"))
    assert unknown.value.idempotency_key == "tea-1"
    assert isinstance(unknown.value.last, codes.Unavailable)
    assert paths(script) == ["auth/token", "wallet/send", "wallet/send", "auth/token"]


def test_what_is_secret_is_in_no_trace() -> None:
    script = Script([signed_in("a-token"), WALLET])
    ada = Password("ada@example.org", "a line of a song")
    script.run(Wallet.get.call(), ada)
    call = Auth.log_in.call(email="ada@example.org", password="a line of a song")
    told = repr([script.sent, script.terms(ada), call, ada, Machine("till", "hush"), AccessToken("a-token")])
    assert [word for word in ("song", "the-key", "hush", "a-token") if word in told] == []
