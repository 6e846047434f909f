"""What goes on without contexts that are switched off, and what is started for those that are not."""

from pathlib import Path

import httpx
import pytest

from app.main import contexts
from app.main.local import plan
from app.main.local.roles import Urls
from tests.greetings.context import GREETINGS
from tests.system.e2e.house import HEADERS, House

TOOL = "tests.greetings"


def test_funds_serve_without_payments(database: Urls, rabbitmq_url: str, tmp_path: Path) -> None:
    house = House(database, rabbitmq_url, tmp_path, CONTEXTS="funds", GATEWAY_URL="")
    user_id = house.wallet(500)
    house.start_api()
    try:
        wallet = f"{house.api_url}/wallets/{user_id}"
        assert httpx.get(f"{wallet}/balance", headers=HEADERS).json()["balances"][0]["current_balance"] == 500
        (line,) = httpx.get(f"{wallet}/transactions", headers=HEADERS).json()["transactions"]
        assert (line["kind"], line["amount"], line["provider_id"]) == ("FUNDING", 500, None)
        assert house.pay(user_id, 100).status_code == 404
        assert "all 14 checks hold" in house.command("verify")
    finally:
        house.stop("api")


def test_a_local_run_starts_its_worker_recovery_and_nothing_of_what_is_switched_off(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(contexts, "CONTEXTS", (*contexts.CONTEXTS, GREETINGS))

    def parts(**given: str) -> list[str]:
        settings = contexts.load(given)
        ports = plan.choose_ports(settings, lambda _: None, environ={})
        stages = plan.parts(settings, ports, in_process=False, tool=("-m", TOOL))
        return [part.name for stage in stages for part in stage]

    heard = ["metrics", "audit", "rewards", "mint", "webhooks", "thanks"]
    assert parts() == ["gateway", "node", *heard, "relay", "recover", "chain", "answer", "api", "console"]
    some = ["metrics", "audit", "thanks", "relay", "recover", "answer", "api", "console"]
    assert parts(CONTEXTS="funds,greetings") == some
    assert parts(CONTEXTS="identity") == ["metrics", "audit", "relay", "api", "console"]
    assert "gateway" not in parts(GATEWAY_URL="http://gateway.test")
