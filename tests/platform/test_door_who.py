"""Who is let in at the front door: by a token or a cookie, whose they are, and what is said to everybody else."""

from collections.abc import Iterator

import httpx
import pytest

from app.platform.http.asgi import create_app
from app.platform.http.inflight import InFlight
from app.platform.http.operations import BEARER, Contradiction
from app.platform.http.services import HttpOptions
from tests.api_answers import hold_to_its_document
from tests.api_harness import OPTIONS as WITHOUT_PEOPLE
from tests.api_harness import error, make_services
from tests.platform.doorman import ADMIN, COOKIE, CUSTOMER, ELSEWHERE, HOME, MACHINE, STRANGER
from tests.platform.made_up_market import Market, market, offer

BARE = 'Bearer realm="strongbox"'
INVALID = f'{BARE}, error="invalid_token"'


@pytest.fixture(scope="module")
def house() -> Iterator[Market]:
    with market() as served:
        yield served


@pytest.fixture
def client(house: Market) -> Iterator[httpx.Client]:
    """Somebody without a credential, whose every answer has to be documented."""
    house.doorman.is_away = False
    house.doorman.asked.clear()
    with house.client() as client:
        hold_to_its_document(client)
        yield client


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def by_cookie(*tokens: str) -> dict[str, str]:
    return {"Cookie": "; ".join(["a=b", *(f"{COOKIE}={token}" for token in tokens), "c=d"])}


def refused(answer: httpx.Response, challenge: str) -> None:
    error(answer, 401, "UNAUTHORIZED")
    assert answer.headers["www-authenticate"] == challenge


@pytest.mark.parametrize("shown", [bearer("customer"), by_cookie("customer"), {"authorization": "bEARER   customer"}])
def test_a_token_or_a_cookie_says_who_asks_and_whose_people_it_is_about(
    client: httpx.Client, shown: dict[str, str]
) -> None:
    for path in ("/v1/mine", "/v1/wares"):
        said = client.get(path, headers=shown).json()
        assert (said["user_id"], said["tenant_id"]) == (str(CUSTOMER.id), str(HOME))


def test_who_shows_nothing_is_somebody_of_the_hosts_people_where_one_may_be(client: httpx.Client) -> None:
    assert client.get("/v1/wares").json()["user_id"] is None
    assert client.get("/v1/wares", headers={"Host": "Elsewhere.EXAMPLE:80"}).json()["tenant_id"] == str(ELSEWHERE)
    assert client.post("/v1/auth/token", data={"grant_type": "x"}).json()["tenant_id"] == str(HOME)
    refused(client.get("/v1/mine"), BARE)


def test_a_credential_is_told_with_the_host_that_it_was_shown_to(house: Market, client: httpx.Client) -> None:
    there = {"Host": "elsewhere.example"}
    assert client.get("/v1/mine", headers=bearer("stranger") | there).json()["user_id"] == str(STRANGER.id)
    refused(client.get("/v1/mine", headers=bearer("stranger")), INVALID)
    refused(client.get("/v1/mine", headers=by_cookie("customer") | there), INVALID)
    assert [(each.is_cookie, each.host) for each in house.doorman.asked[-3:]] == [
        (False, "elsewhere.example"),
        (False, "127.0.0.1"),
        (True, "elsewhere.example"),
    ]


@pytest.mark.parametrize("path", ["/v1/mine", "/v1/wares", "/v1/auth/long"])
@pytest.mark.parametrize("token", ["nobody", "", "a b", "é", '"customer"', "customer,", "=", "x" * 8000])
def test_a_token_that_is_none_lets_nobody_in_even_where_one_may_come_without(
    client: httpx.Client, path: str, token: str
) -> None:
    shown = f"Bearer {token}".strip().encode("latin-1")
    answer = client.get(path, headers=[(b"Authorization", shown), (b"Cookie", f"{COOKIE}=customer".encode())])
    refused(answer, BARE if not token else INVALID)


def test_with_authorization_the_cookie_is_not_looked_at_whatever_its_scheme(client: httpx.Client) -> None:
    for scheme in ("Basic YTpi", "", "Bearer", "customer"):
        refused(client.get("/v1/mine", headers={"Authorization": scheme} | by_cookie("customer")), BARE)
    refused(client.get("/v1/wares", headers={"Authorization": "Basic YTpi"}), BARE)
    said = client.get("/v1/mine", headers=bearer("admin") | by_cookie("customer")).json()
    assert said["user_id"] == str(ADMIN.id)


def test_two_authorizations_are_malformed_the_same_twice_as_well(house: Market, client: httpx.Client) -> None:
    for second in ("customer", "admin"):
        twice = [("Authorization", "Bearer customer"), ("authorization", f"Bearer {second}")]
        for method, path in (("GET", "/v1/wares"), ("GET", "/v1/mine"), ("POST", "/v1/auth/token")):
            answer = client.request(method, path, headers=twice)
            assert error(answer, 400, "VALIDATION_ERROR").keys() == {"Authorization"}
    assert house.doorman.asked == []


def test_of_two_cookies_of_the_name_none_counts_wherever_they_stand(house: Market, client: httpx.Client) -> None:
    """A neighbouring host can set one that is sent before ours, or behind it."""
    for cookies in (("customer", "admin"), ("customer", "customer"), ("", "customer"), ("customer", "")):
        refused(client.get("/v1/mine", headers=by_cookie(*cookies)), INVALID)
        apart = [("Cookie", f"{COOKIE}={cookie}") for cookie in cookies]
        refused(client.get("/v1/mine", headers=apart), INVALID)
    assert house.doorman.asked == []


@pytest.mark.parametrize(
    "cookie",
    [
        "",
        ";;=;",
        "customer",
        "__host-strongbox_session=customer",
        "strongbox_session=customer",
        f"{COOKIE}=",
        f"x{COOKIE}=customer",
        f"a={COOKIE}=customer",
        f"{COOKIE} =customer",
    ],
)
def test_another_cookie_is_none(client: httpx.Client, cookie: str) -> None:
    refused(client.get("/v1/mine", headers={"Cookie": cookie}), BARE)
    assert client.get("/v1/wares", headers={"Cookie": cookie}).json()["user_id"] is None


def test_a_cookie_that_is_no_good_is_none_only_for_whoever_comes_to_be_let_in(client: httpx.Client) -> None:
    refused(client.get("/v1/wares", headers=by_cookie("nobody")), INVALID)
    for shown in (by_cookie("nobody"), by_cookie("customer", "customer"), by_cookie("a b")):
        assert client.post("/v1/auth/login", json={}, headers=shown).json()["user_id"] is None
        assert client.get("/v1/auth/long?limit=1", headers=shown).json()["user_id"] is None
    assert client.post("/v1/auth/login", headers=by_cookie("customer")).json()["user_id"] == str(CUSTOMER.id)


def test_where_nobody_is_asked_who_they_are_nothing_that_is_shown_is_looked_at(
    house: Market, client: httpx.Client
) -> None:
    shown = {"Authorization": "Basic YTpi"} | by_cookie("nobody")
    assert client.post("/v1/auth/token", data={"grant_type": "x"}, headers=shown).status_code == 200
    assert house.doorman.asked == []


def test_a_role_or_a_scope_too_little_is_told_with_what_is_needed(client: httpx.Client) -> None:
    for path, method, shown, needed in (
        ("/v1/people", "GET", "customer", "admin"),
        ("/v1/people", "GET", "machine", "admin"),
        ("/v1/mine", "GET", "machine", "admin customer seller"),
        ("/internal/wares", "POST", "admin", "wares:write"),
    ):
        answer = client.request(method, path, headers=bearer(shown))
        error(answer, 403, "FORBIDDEN")
        assert answer.headers["www-authenticate"] == f'{BARE}, error="insufficient_scope", scope="{needed}"'
    assert client.get("/v1/people", headers=bearer("admin")).json()["user_id"] == str(ADMIN.id)
    assert client.post("/internal/wares", headers=bearer("machine")).json()["user_id"] == str(MACHINE.id)
    assert client.get("/v1/wares", headers=bearer("machine")).json()["user_id"] == str(MACHINE.id)


def test_of_two_refusals_of_one_status_only_one_has_a_challenge(client: httpx.Client) -> None:
    answer = client.delete("/v1/mine", headers=by_cookie("customer") | {"Origin": "https://evil.example"})
    error(answer, 403, "ORIGIN_REFUSED")
    assert "www-authenticate" not in answer.headers
    header = client.get("/openapi.json").json()["paths"]["/v1/mine"]["delete"]["responses"]["403"]["headers"]
    assert header["WWW-Authenticate"].keys() == {"description", "schema"}


def test_where_it_cannot_be_known_nobody_is_let_in(house: Market, client: httpx.Client) -> None:
    house.doorman.is_away = True
    for path, shown in (("/v1/mine", bearer("customer")), ("/v1/wares", by_cookie("customer")), ("/v1/wares", {})):
        answer = client.get(path, headers=shown)
        error(answer, 503, "UNAVAILABLE")
        assert answer.headers["retry-after"] == "1"


def test_a_handler_that_lets_nobody_in_is_answered_like_the_door(client: httpx.Client) -> None:
    refused(client.post("/v1/auth/login", json={"name": "nobody"}), BARE)


def test_a_cookie_has_the_name_that_it_is_given(client: httpx.Client) -> None:
    with market(cookie="strongbox_session") as served, served.client() as other:
        assert other.get("/v1/mine", headers={"Cookie": "strongbox_session=customer"}).status_code == 200
        refused(other.get("/v1/mine", headers=by_cookie("customer")), BARE)
        schemes = other.get("/openapi.json").json()["components"]["securitySchemes"]
    assert schemes["Session"] == {"type": "apiKey", "in": "cookie", "name": "strongbox_session"}


def test_outside_keys_are_asked_for_and_inside_they_are_not(house: Market, client: httpx.Client) -> None:
    key = {"X-API-Key": "the-key-of-the-shop"}
    assert client.get("/shop", headers=key).status_code == 204
    answer = client.get("/shop", headers=bearer("admin") | by_cookie("admin"))
    error(answer, 401, "UNAUTHORIZED")
    assert answer.headers["www-authenticate"] == 'ApiKey realm="strongbox"'
    refused(client.get("/v1/mine", headers=key), BARE)
    assert house.doorman.asked == []


def test_without_people_nothing_is_served_that_asks_for_them() -> None:
    with pytest.raises(Contradiction, match="of which nobody here knows"):
        create_app([offer("GET", "/v1/a", "a", BEARER)], make_services(InFlight(1.0)), WITHOUT_PEOPLE)


@pytest.mark.parametrize(("template", "who"), [("/v1/a", "ApiKey"), ("/internal/a", "ApiKey")])
def test_keys_open_nothing_behind_the_door(template: str, who: str) -> None:
    with pytest.raises(Contradiction, match="asks for"):
        create_app([offer("GET", template, "a", who)], make_services(InFlight(1.0)), HttpOptions(("k",)))


def test_the_document_tells_who_may(client: httpx.Client) -> None:
    served = client.get("/openapi.json").json()
    assert served["components"]["securitySchemes"] == {
        "Bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"},
        "Session": {"type": "apiKey", "in": "cookie", "name": COOKIE},
        "ApiKey": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
    }
    paths = served["paths"]
    assert paths["/v1/mine"]["get"]["security"] == [{"Bearer": []}, {"Session": []}]
    assert paths["/v1/wares"]["get"]["security"] == [{"Bearer": []}, {"Session": []}, {}]
    assert paths["/internal/wares"]["post"]["security"] == [{"Bearer": ["wares:write"]}, {"Session": []}]
    assert "security" not in paths["/v1/auth/token"]["post"]
    assert {*paths["/v1/mine"]["get"]["responses"]} >= {"401", "403", "429", "503"}
    assert {*paths["/v1/wares"]["get"]["responses"]} >= {"401", "429", "503"}
    assert "403" not in paths["/v1/wares"]["get"]["responses"]
    assert "ORIGIN_REFUSED" in paths["/v1/auth/login"]["post"]["responses"]["403"]["description"]
    assert "May have <code>Authorization: Bearer</code> or the cookie" in client.get("/docs").text
