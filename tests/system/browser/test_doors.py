"""What the console answers to those who are no browser of an operator's: strangers, other sites, made-up input."""

import asyncio
import re
import uuid

import httpx
import pytest

from tests.system.browser.consoles import ALICE, Console, Visitor
from tests.system.browser.strangers import CANARY, FORMS, HOSTILE, PAGES, QUERIES, dead, guarded, lonely, visitor
from tests.system.e2e.house import House, wait_until

__all__ = ["lonely", "visitor"]


def test_a_stranger_is_sent_to_the_door_and_does_nothing(console: Console) -> None:
    stranger = console.visitor(None)
    for page in PAGES[1:]:
        answer = stranger.get(page)
        assert (answer.status_code, answer.headers["location"]) == (303, f"/login?next={page}")
        guarded(answer)
    assert stranger.get("/").headers["location"] == "/login"
    assert stranger.get("/nowhere").status_code == 303
    assert stranger.get("/live/overview").status_code == 401
    for path, fields in FORMS.items():
        answer = stranger.post(path, **fields)
        assert answer.status_code == 401
        guarded(answer)
    for path in ("/static/console.css", "/static/console.js", "/static/icon.svg", "/healthz", "/login"):
        answer = stranger.get(path)
        assert answer.status_code == 200
        guarded(answer)
    tag = stranger.get("/static/console.js").headers["etag"]
    assert stranger.get("/static/console.js", **{"If-None-Match": tag}).status_code == 304


@pytest.mark.parametrize("path", FORMS)
def test_a_form_is_taken_only_from_a_page_of_the_same_session(console: Console, visitor: Visitor, path: str) -> None:
    before = console.house.query("SELECT count(*) FROM audit.actions")
    fields, token = FORMS[path], visitor.token
    other = console.visitor().token
    assert visitor.post(path, **fields).status_code == 403
    assert visitor.post(path, csrf="", **fields).status_code == 403
    assert visitor.post(path, csrf=other, **fields).status_code == 403
    assert visitor.post(path, csrf="ü" * 43, **fields).status_code == 403
    for origin in (
        None,
        "null",
        "http://evil.test",
        f"{console.url}.evil.test",
        console.url.replace("http:", "https:"),
    ):
        answer = visitor.post(path, origin, csrf=token, **fields)
        assert answer.status_code == 403
        guarded(answer)
    assert visitor.get(path).status_code in (200, 404, 405)  # a link does nothing either
    assert visitor.get("/").status_code == 200  # still logged in
    assert console.house.query("SELECT count(*) FROM audit.actions") == before


def test_the_cookie_is_only_for_this_site_and_not_for_scripts(console: Console, lonely: Console) -> None:
    answer = console.visitor(None).post("/login", key=ALICE, next="/")
    assert re.fullmatch(r"strongbox=[\w-]{43}; Path=/; HttpOnly; SameSite=Strict", answer.headers["set-cookie"])
    secret = answer.cookies["strongbox"]
    assert secret not in answer.text + console.log
    https = lonely.visitor(None)
    answer = https.post("/login", key=ALICE, next="/")
    assert re.fullmatch(
        r"__Host-strongbox=[\w-]{43}; Path=/; HttpOnly; SameSite=Strict; Secure", answer.headers["set-cookie"]
    )
    assert https.post("/login", lonely.url, key=ALICE, next="/").status_code == 403


def test_an_old_cookie_is_of_no_use_after_logging_out_or_in_again(console: Console, visitor: Visitor) -> None:
    first = visitor.client.cookies["strongbox"]
    visitor.post("/logout", csrf=visitor.token)
    assert visitor.client.get("/", headers={"Cookie": f"strongbox={first}"}).status_code == 303
    again = console.visitor()
    second = again.client.cookies["strongbox"]
    assert again.post("/login", key=ALICE, next="/", csrf=again.token).status_code == 303
    assert again.client.cookies["strongbox"] != second
    assert httpx.get(f"{console.url}/", cookies={"strongbox": second}).status_code == 303


@pytest.mark.parametrize("then", ["//evil.test", "https://evil.test", "/\\evil.test", "evil", "/a\r\nx: y", "", "/%0a"])
def test_nobody_is_led_elsewhere_by_logging_in(console: Console, then: str) -> None:
    answer = console.visitor(None).post("/login", key=ALICE, next=then)
    assert answer.status_code in (303, 400)
    if answer.status_code == 303:
        assert answer.headers["location"] in ("/", "/%0a")


def test_keys_are_not_logged_and_wrong_ones_are_noticed(console: Console) -> None:
    before = console.log.count("log_in_refused")
    assert console.visitor(None).post("/login", key="a-guess-at-a-key", next="/").status_code == 401
    wait_until(lambda: console.log.count("log_in_refused") == before + 1, "the line in the log")
    assert not [key for key in ("a-guess-at-a-key", ALICE) if key in console.log]


def test_the_console_tells_what_is_away_and_never_breaks(lonely: Console) -> None:
    visitor = lonely.visitor(None)
    secret = visitor.post("/login", key=ALICE, next="/").cookies["__Host-strongbox"]
    visitor.client.headers["Cookie"] = f"__Host-strongbox={secret}"
    overview = visitor.get("/")
    assert overview.status_code == 200
    assert "Payments cannot be counted: the database cannot be reached, or" in overview.text
    for path in ("/payments", f"/payments/{uuid.uuid4()}", f"/wallets/{uuid.uuid4()}", "/dead-letters", "/actions"):
        answer = visitor.get(path)
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "1"), path
        assert "Try again" in answer.text
        guarded(answer)
    assert visitor.get("/gateway").status_code == 503
    answer = visitor.post("/gateway", csrf=visitor.token, **FORMS["/gateway"])
    assert (answer.status_code, "nothing was done" in answer.text.lower()) == (503, True)
    assert "secret-" not in lonely.log + overview.text


@pytest.mark.parametrize("path", QUERIES)
def test_no_address_breaks_the_console(visitor: Visitor, path: str) -> None:
    for hostile in HOSTILE:
        answer = visitor.get(path.format(hostile))
        assert answer.status_code < 500, (path, hostile)
        assert "<script>alert" not in answer.text
        guarded(answer)


@pytest.mark.parametrize("path", FORMS)
def test_no_form_breaks_the_console(visitor: Visitor, path: str) -> None:
    token = visitor.token
    for hostile in [
        "",
        "x",
        "\0",
        "\ud7ff",
        "a" * 5_000,
        CANARY,
        "1e400",
        "-1",
        "inf",
        "nan",
        "9999-12-31T23:59-23:59",
    ]:
        for field in FORMS[path]:
            answer = visitor.post(path, csrf=token, **FORMS[path] | {field: hostile, "run": "no"})
            assert answer.status_code < 500, (path, field, hostile)
            assert "<script>alert" not in answer.text
    headers = {"Origin": visitor.origin, "Content-Type": "application/x-www-form-urlencoded"}

    def sent(body: bytes, **others: str) -> int:
        return visitor.client.post(path, content=body, headers={**headers, **others}).status_code

    prefix = f"csrf={token}&".encode()
    assert sent(prefix + b"queue=%ff") == 400
    assert sent(prefix + b"&".join(b"id=%d" % n for n in range(300))) == 400
    assert sent(prefix + b"x=" + b"y" * 70_000) == 413
    assert sent(prefix, **{"Content-Type": "application/json"}) == 415
    assert sent(prefix, **{"Content-Encoding": "gzip"}) == 415


def test_other_methods_and_long_addresses_are_refused(visitor: Visitor) -> None:
    for method in ("PUT", "DELETE", "OPTIONS", "PATCH", "TRACE"):
        answer = visitor.client.request(method, "/")
        assert (answer.status_code, "allow" in answer.headers) == (405, True)
        guarded(answer)
    assert visitor.get("/payments?" + "x" * 9_000).status_code == 414
    assert visitor.get("/", **{"X-Long": "x" * 17_000}).status_code == 431
    head = visitor.client.head("/payments")
    assert (head.status_code, head.content) == (200, b"")
    assert visitor.get("/gateway", Cookie="x=" + "y" * 5_000).status_code == 303


def test_what_others_wrote_is_shown_as_text(console: Console, visitor: Visitor, house: House) -> None:
    """Wherever text of a client, a publisher, a gateway or an operator is stored and shown."""
    house.command("provider", "add", CANARY[:200], "--id", str(uuid.uuid4()))
    user_id = house.wallet(1_000)
    payment_id = house.paid(user_id, 10, external_reference=CANARY)
    ours = "UPDATE payments SET failure_code = %s WHERE id = %s AND user_id = %s RETURNING 1"
    house.query(ours, CANARY, payment_id, user_id)
    message_id = asyncio.run(dead(house, CANARY))
    house.query(
        "INSERT INTO audit.actions (operator, action, details) VALUES (%s, %s, %s) RETURNING id",
        CANARY, CANARY, f'{{"messages": ["{message_id}"], "x": "<b>{uuid.uuid4()}"}}',
    )  # fmt: skip

    def listed() -> bool:
        return message_id in visitor.get("/dead-letters?queue=audit.queue").text

    wait_until(listed, "the dead letter")
    paths = [
        "/payments", f"/payments/{payment_id}", f"/wallets/{user_id}", "/dead-letters?queue=audit.queue",
        f"/dead-letters/audit.queue/{message_id}", f"/dead-letters/audit.queue/{message_id}/drop", "/actions", "/",
    ]  # fmt: skip
    shown = {path: visitor.get(path) for path in paths}
    assert {answer.status_code for answer in shown.values()} == {200}
    for path, answer in shown.items():
        assert "<script>alert" not in answer.text, path
        assert "<img src=x" not in answer.text, path
    escaped = "&lt;script&gt;alert"
    assert all(escaped in shown[path].text for path in paths[:-1])
    answer = visitor.post(f"/dead-letters/audit.queue/{message_id}/drop", csrf=visitor.token)
    assert answer.status_code == 303
