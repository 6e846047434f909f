"""Webhooks as admins and machines have them."""

import base64
import json
import threading
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from app.kernel.principal import Role
from tests.api_harness import error
from tests.webhooks.desk import URL, Desk
from tests.webhooks.office import event

MEMBERS = ["webhook_id", "url", "types", "description", "status", "created_at"]


def without_secret(webhook: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in webhook.items() if name != "secret"}


def test_a_webhook_is_as_it_was_said_and_its_secret_is_shown_once(desk: Desk) -> None:
    webhook = desk.add("payment.completed", "order.*", description="Bookkeeping")
    assert [*webhook] == [*MEMBERS[:5], "secret", "created_at"]
    assert (webhook["url"], webhook["types"], webhook["description"], webhook["status"]) == (
        URL, ["payment.completed", "order.*"], "Bookkeeping", "ACTIVE",
    )  # fmt: skip
    assert webhook["secret"].startswith("whsec_")
    assert len(base64.b64decode(webhook["secret"].removeprefix("whsec_"), validate=True)) == 32
    assert desk.ask("GET", f"/{webhook['webhook_id']}").json() == without_secret(webhook)
    assert desk.ask("GET").json() == {"webhooks": [without_secret(webhook)], "next_cursor": None}
    secret = base64.b64decode(webhook["secret"].removeprefix("whsec_"))
    ((kept,),) = desk.query("SELECT secret FROM webhooks.endpoints WHERE id = %s", webhook["webhook_id"])
    assert secret not in bytes(kept)
    assert webhook["secret"].encode() not in bytes(kept)


def test_webhooks_are_listed_by_pages_newest_first(desk: Desk) -> None:
    made = [desk.add(description=str(n)) for n in range(5)]
    first = desk.ask("GET", limit=3).json()
    second = desk.ask("GET", limit=3, cursor=first["next_cursor"]).json()
    assert [one["description"] for one in first["webhooks"] + second["webhooks"]] == ["4", "3", "2", "1", "0"]
    assert second["next_cursor"] is None
    assert len(made) == 5
    error(desk.ask("GET", cursor="nonsense"), 400, "VALIDATION_ERROR")


def test_a_tenant_has_twenty_at_the_most_also_when_many_ask_at_once(desk: Desk) -> None:
    answers: list[int] = []

    def add() -> None:
        answer = desk.ask("POST", body={"url": URL, "types": ["*"]})
        while answer.status_code == 503:  # on a busy machine somebody may wait for the others for too long
            answer = desk.ask("POST", body={"url": URL, "types": ["*"]})
        answers.append(answer.status_code)

    threads = [threading.Thread(target=add) for _ in range(30)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert sorted(answers) == [201] * 20 + [409] * 10
    error(desk.ask("POST", body={"url": URL, "types": ["*"]}), 409, "TOO_MANY")
    gone = desk.ask("GET", limit=1).json()["webhooks"][0]["webhook_id"]
    assert desk.ask("DELETE", f"/{gone}").status_code == 204
    desk.add()


def test_what_is_said_is_changed_and_nothing_else(desk: Desk) -> None:
    webhook = desk.add(description="x")
    path = f"/{webhook['webhook_id']}"
    changed = desk.ask("PATCH", path, {"types": ["order.*"], "status": "DISABLED", "description": None})
    assert changed.status_code == 200
    assert changed.json() == without_secret(webhook) | {
        "types": ["order.*"], "status": "DISABLED", "description": None,
    }  # fmt: skip
    assert desk.ask("PATCH", path, {}).json() == changed.json()
    versions = desk.query(
        "SELECT version, types, status FROM webhooks.endpoint_versions WHERE endpoint_id = %s ORDER BY version",
        webhook["webhook_id"],
    )
    assert versions == [(1, ["*"], "ACTIVE"), (2, ["order.*"], "DISABLED")], "nothing said is no version"


def test_a_webhook_that_is_deleted_is_not_there(desk: Desk) -> None:
    path = f"/{desk.add()['webhook_id']}"
    answer = desk.ask("DELETE", path)
    assert (answer.status_code, answer.content) == (204, b"")
    for method, below in (("GET", ""), ("DELETE", ""), ("POST", "/rotate"), ("POST", "/test"), ("GET", "/deliveries")):
        error(desk.ask(method, path + below), 404, "NOT_FOUND")
    error(desk.ask("PATCH", path, {"status": "ACTIVE"}), 404, "NOT_FOUND")
    span = {"from": "2026-01-01T00:00:00Z", "to": "2026-01-02T00:00:00Z"}
    error(desk.ask("POST", f"{path}/replay", span), 404, "NOT_FOUND")
    error(desk.ask("POST", f"{path}/deliveries/{uuid4()}/redeliver"), 404, "NOT_FOUND")


def test_a_new_secret_is_shown_once(desk: Desk) -> None:
    webhook = desk.add()
    answer = desk.ask("POST", f"/{webhook['webhook_id']}/rotate")
    assert answer.status_code == 200
    assert [*answer.json()] == ["secret"]
    assert answer.json()["secret"] != webhook["secret"]


def test_a_test_is_sent_whatever_is_asked_for(desk: Desk) -> None:
    webhook, other = desk.add("order.*"), desk.add("*")
    answer = desk.ask("POST", f"/{webhook['webhook_id']}/test")
    assert answer.status_code == 202
    (delivery,) = desk.deliveries(webhook)
    assert delivery | {"created_at": "", "event_id": "", "next_attempt_at": ""} == {
        "delivery_id": answer.json()["delivery_id"], "event_id": "", "type": "webhook.test",
        "subject": webhook["webhook_id"], "status": "PENDING", "attempts": 0, "last_status": None, "last_error": None,
        "next_attempt_at": "", "created_at": "", "delivered_at": None,
    }  # fmt: skip
    assert desk.deliveries(other) == []
    ((document,),) = desk.query("SELECT document FROM webhooks.events WHERE event_id = %s", delivery["event_id"])
    told = json.loads(bytes(document))
    assert (told["type"], told["data"], told["specversion"]) == (
        "webhook.test", {"webhook_id": webhook["webhook_id"]}, "1.0",
    )  # fmt: skip


def test_deliveries_are_listed_by_pages_and_by_status(desk: Desk) -> None:
    webhook = desk.add()
    desk.hear(*(event() for _ in range(5)))
    desk.query(
        "UPDATE webhooks.deliveries SET status = 'FAILED', attempts = 10, next_attempt_at = NULL,"
        " last_error = 'timeout' WHERE ctid IN (SELECT ctid FROM webhooks.deliveries WHERE endpoint_id = %s LIMIT 2)",
        webhook["webhook_id"],
    )  # fmt: skip
    assert len(desk.deliveries(webhook)) == 5
    assert {one["last_error"] for one in desk.deliveries(webhook, status="FAILED")} == {"timeout"}
    path = f"/{webhook['webhook_id']}/deliveries"
    first = desk.ask("GET", path, limit=2, status="PENDING").json()
    second = desk.ask("GET", path, limit=2, status="PENDING", cursor=first["next_cursor"]).json()
    assert [len(first["deliveries"]), len(second["deliveries"]), second["next_cursor"]] == [2, 1, None]
    assert [*error(desk.ask("GET", path, status="LOST"), 400, "VALIDATION_ERROR")] == ["status"]
    error(desk.ask("GET", path, status="FAILED", cursor=first["next_cursor"]), 400, "VALIDATION_ERROR")


def test_an_event_is_sent_again_as_if_for_the_first_time(desk: Desk) -> None:
    webhook = desk.add()
    desk.hear(event())
    (delivery,) = desk.deliveries(webhook)
    desk.query(
        "UPDATE webhooks.deliveries SET status = 'DELIVERED', attempts = 3, next_attempt_at = NULL, last_status = 200,"
        " delivered_at = now() WHERE id = %s", delivery["delivery_id"],
    )  # fmt: skip
    answer = desk.ask("POST", f"/{webhook['webhook_id']}/deliveries/{delivery['delivery_id']}/redeliver")
    assert answer.status_code == 202
    (again,) = desk.deliveries(webhook)
    assert again == delivery | {"next_attempt_at": again["next_attempt_at"]}
    error(desk.ask("POST", f"/{webhook['webhook_id']}/deliveries/{uuid4()}/redeliver"), 404, "NOT_FOUND")


def test_the_events_of_a_time_are_sent_again_and_what_is_missing_is_added(desk: Desk) -> None:
    noon = datetime.now(UTC) - timedelta(minutes=10)
    times = [noon + timedelta(seconds=n) for n in range(4)]
    desk.hear(
        event("order.paid", at=times[0]), event("order.paid", at=times[1]), event("payment.completed", at=times[1])
    )
    webhook, other = desk.add("order.*"), desk.add("order.*")
    desk.hear(event("order.paid"), event("hold.placed", at=times[1]))
    desk.ask("POST", f"/{webhook['webhook_id']}/test")
    path = f"/{webhook['webhook_id']}/replay"
    answer = desk.ask("POST", path, {"from": times[1].isoformat(), "to": times[2].isoformat()})
    assert (answer.status_code, answer.json()) == (202, {"count": 1})
    assert desk.ask("POST", path, {"from": times[0].isoformat(), "to": times[1].isoformat()}).json() == {"count": 1}
    everything = {"from": "2026-01-01T00:00:00Z", "to": "2999-01-01T00:00:00Z"}
    desk.query("UPDATE webhooks.deliveries SET attempts = 5 WHERE endpoint_id = %s", webhook["webhook_id"])
    assert desk.ask("POST", path, everything).json() == {"count": 3}
    found = desk.deliveries(webhook)
    assert sorted(one["type"] for one in found) == ["order.paid"] * 3 + ["webhook.test"]
    assert {one["attempts"] for one in found if one["type"] == "order.paid"} == {0}
    assert len({one["event_id"] for one in found}) == 4
    assert len(desk.deliveries(other)) == 1


def test_a_replay_of_many_is_done_to_its_end(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    from app.contexts.webhooks.adapters.postgres import sent_again

    monkeypatch.setattr(sent_again, "PART", 7)
    at = datetime.now(UTC) - timedelta(minutes=10)
    desk.hear(*(event("order.paid" if n % 3 else "user.registered", at=at) for n in range(50)))
    webhook = desk.add("order.*")
    span = {"from": at.isoformat(), "to": (at + timedelta(seconds=1)).isoformat()}
    assert desk.ask("POST", f"/{webhook['webhook_id']}/replay", span).json() == {"count": 33}
    assert len(desk.deliveries(webhook)) == 33


def test_to_a_webhook_that_is_disabled_nothing_can_be_sent(desk: Desk) -> None:
    webhook = desk.add()
    desk.hear(event())
    (delivery,) = desk.deliveries(webhook)
    path = f"/{webhook['webhook_id']}"
    desk.ask("PATCH", path, {"status": "DISABLED"})
    span = {"from": "2026-01-01T00:00:00Z", "to": "2026-01-02T00:00:00Z"}
    for below, body in (("/test", None), ("/replay", span), (f"/deliveries/{delivery['delivery_id']}/redeliver", None)):
        error(desk.ask("POST", path + below, body), 409, "WEBHOOK_DISABLED")


def test_webhooks_are_for_admins_and_for_machines_that_may(desk: Desk) -> None:
    machine, other = desk.people.machine("webhooks:manage"), desk.people.machine("wallet:receive")
    webhook = desk.add(who=machine)
    assert desk.ask("GET", f"/{webhook['webhook_id']}", who=machine).status_code == 200
    for somebody in (other, desk.people.user(), desk.people.user(role=Role.SELLER)):
        error(desk.ask("GET", who=somebody), 403, "FORBIDDEN")
        error(desk.ask("POST", body={"url": URL, "types": ["*"]}, who=somebody), 403, "FORBIDDEN")
    error(desk.client.get("/v1/webhooks"), 401, "UNAUTHORIZED")


def test_another_tenants_webhook_is_none(desk: Desk) -> None:
    webhook = desk.add()
    desk.hear(event())
    (delivery,) = desk.deliveries(webhook)
    stranger = desk.people.user(role=Role.ADMIN, tenant=desk.people.other_tenant)
    own = desk.add(who=stranger)
    path, unknown = f"/{webhook['webhook_id']}", f"/{uuid4()}"
    span = {"from": "2026-01-01T00:00:00Z", "to": "2027-01-02T00:00:00Z"}
    asks: list[tuple[str, str, Any]] = [
        ("GET", "", None), ("PATCH", "", {"status": "DISABLED"}), ("DELETE", "", None), ("POST", "/rotate", None),
        ("POST", "/test", None), ("GET", "/deliveries", None), ("POST", "/replay", span),
        ("POST", f"/deliveries/{delivery['delivery_id']}/redeliver", None),
    ]  # fmt: skip
    for method, below, body in asks:
        answers = [desk.ask(method, base + below, body, stranger) for base in (path, unknown)]
        assert [one.status_code for one in answers] == [404, 404]
        assert answers[0].json()["error"]["message"] == answers[1].json()["error"]["message"]
    mine = f"/{own['webhook_id']}/deliveries/{delivery['delivery_id']}/redeliver"
    error(desk.ask("POST", mine, who=stranger), 404, "NOT_FOUND")
    assert desk.ask("GET", who=stranger).json()["webhooks"] == [without_secret(own)]
    assert desk.ask("GET", path).json() == without_secret(webhook)
