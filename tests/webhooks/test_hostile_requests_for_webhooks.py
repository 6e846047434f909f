"""Whatever is wrong with a request about webhooks is told, by the member that it is about."""

from typing import Any
from uuid import uuid4

import pytest

from tests.api_harness import error
from tests.webhooks.desk import URL, Desk

BAD: list[tuple[Any, list[str]]] = [
    ({}, ["url", "types"]),
    ({"url": URL}, ["types"]),
    ({"url": URL, "types": []}, ["types"]),
    ({"url": URL, "types": ["*"] * 51}, ["types"]),
    ({"url": URL, "types": "*"}, ["types"]),
    ({"url": URL, "types": ["payment"]}, ["types"]),
    ({"url": URL, "types": ["payment.completed\n"]}, ["types"]),
    ({"url": URL, "types": [None]}, ["types"]),
    ({"url": URL, "types": ["*"], "description": "x" * 141}, ["description"]),
    ({"url": URL, "types": ["*"], "description": "a\nb"}, ["description"]),
    ({"url": URL, "types": ["*"], "secret": "x"}, ["secret"]),
    ({"url": 5, "types": ["*"]}, ["url"]),
    ({"url": "", "types": ["*"]}, ["url"]),
    ({"url": "ftp://x.example", "types": ["*"]}, ["url"]),
    ({"url": "https://u:p@x.example", "types": ["*"]}, ["url"]),
    ({"url": "https://10.0.0.1/", "types": ["*"]}, ["url"]),
    ({"url": "https://[::1]/", "types": ["*"]}, ["url"]),
    ({"url": "https://x.example/" + "a" * 2048, "types": ["*"]}, ["url"]),
    ([], ["body"]),
    ("x", ["body"]),
]


@pytest.mark.parametrize(("body", "wrong"), BAD)
def test_what_is_malformed_is_refused_with_what_is_wrong(desk: Desk, body: Any, wrong: list[str]) -> None:
    assert sorted(error(desk.ask("POST", body=body), 400, "VALIDATION_ERROR")) == sorted(wrong)


@pytest.mark.parametrize(
    ("body", "wrong"),
    [
        ({"status": "GONE"}, "status"),
        ({"status": None}, "status"),
        ({"url": None}, "url"),
        ({"types": None}, "types"),
        ({"url": "https://192.168.0.1/"}, "url"),
        ({"webhook_id": str(uuid4())}, "webhook_id"),
    ],
)
def test_so_is_a_change(desk: Desk, body: Any, wrong: str) -> None:
    webhook = desk.add()
    assert [*error(desk.ask("PATCH", f"/{webhook['webhook_id']}", body), 400, "VALIDATION_ERROR")] == [wrong]
    assert desk.ask("GET", f"/{webhook['webhook_id']}").json() == {
        name: value for name, value in webhook.items() if name != "secret"
    }


@pytest.mark.parametrize(
    ("body", "wrong"),
    [
        ({}, ["from", "to"]),
        ({"from": "2026-01-01", "to": "2026-01-02T00:00:00Z"}, ["from"]),
        ({"from": "2026-01-01T00:00:00Z", "to": "2026-01-01T00:00:00Z"}, ["to"]),
        ({"from": "2026-01-01T00:00:00", "to": "2026-01-02T00:00:00Z"}, ["from"]),
        ({"from": "0001-01-01T00:00:00+23:00", "to": "2026-01-02T00:00:00Z"}, ["from"]),
    ],
)
def test_so_is_a_replay(desk: Desk, body: Any, wrong: list[str]) -> None:
    answer = desk.ask("POST", f"/{desk.add()['webhook_id']}/replay", body)
    assert sorted(error(answer, 400, "VALIDATION_ERROR")) == wrong


def test_half_a_character_is_no_time(desk: Desk) -> None:
    body = rb'{"from": "\ud800", "to": "2026-01-02T00:00:00Z"}'
    headers = desk.admin.bearer | {"Content-Type": "application/json"}
    answer = desk.client.post(f"/v1/webhooks/{desk.add()['webhook_id']}/replay", content=body, headers=headers)
    assert [*error(answer, 400, "VALIDATION_ERROR")] == ["from"]


def test_an_id_that_is_none_is_refused(desk: Desk) -> None:
    assert [*error(desk.ask("GET", "/x"), 400, "VALIDATION_ERROR")] == ["id"]
    answer = desk.ask("POST", f"/{uuid4()}/deliveries/x/redeliver")
    assert [*error(answer, 400, "VALIDATION_ERROR")] == ["delivery_id"]
