"""Settings: what counts, and what stops the start."""

from pathlib import Path

import pytest

from app.contexts.payments.settings import PaymentsSettings
from app.main.contexts import load
from app.platform.process import loading
from app.platform.process.settings import InvalidSettings


def test_the_environment_stands_over_the_file_over_what_runs_here_over_defaults(tmp_path: Path) -> None:
    path = tmp_path / "strongbox.yaml"
    path.write_text("http_port: 1\nGATEWAY_ATTEMPTS: 5\n")
    found = {"HTTP_PORT": "3", "GATEWAY_ATTEMPTS": "4", "GATEWAY_URL": "http://127.0.0.1:9"}
    settings = load({"STRONGBOX_CONFIG": str(path), "HTTP_PORT": "2"}, found)
    payments = settings.of(PaymentsSettings)
    assert (settings.http_port, payments.gateway_attempts, payments.gateway_url) == (2, 5, "http://127.0.0.1:9")
    assert settings.http_host == "127.0.0.1"


def test_an_empty_variable_counts_as_not_set() -> None:
    assert load({"HTTP_PORT": " "}).http_port == 8080


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("HTTP_PORT", "eighty"),
        ("HTTP_PORT", "70000"),
        ("REQUEST_TIMEOUT_S", "0"),
        ("REQUEST_TIMEOUT_S", "nan"),
        ("RECOVER_AFTER_S", "10"),
        ("GATEWAY_TIMEOUT_S", "10"),
        ("BREAKER_RESET_S", "10"),
        ("GATEWAY_URL", "ftp://gateway"),
        ("EXTRA_CURRENCIES", "usdc"),
        ("EXPOSE_DOCS", "perhaps"),
        ("LOG_LEVEL", "loud"),
        ("CORS_ORIGINS", "*"),
        ("CORS_ORIGINS", "null"),
        ("CORS_ORIGINS", "https://shop.example, https://pages.example/path"),
        ("CORS_ORIGINS", "https://Shop.example"),
        ("TRUSTED_PROXIES", "10.0.0.1/8"),
        ("TRUSTED_PROXIES", "10.0.0.0/8, proxy.example"),
        ("TRUSTED_PROXIES", "::ffff:10.0.0.0/104"),
        ("FORWARDED_HEADER", "x-real-ip"),
        ("LOG_HASH_KEY", "too-short"),
        ("LOG_HASH_KEY", "with-a-letter-that-is-not-\u00e4scii"),
    ],
)
def test_a_wrong_or_contradictory_value_is_refused_by_name(name: str, value: str) -> None:
    with pytest.raises(InvalidSettings, match=name):
        load({name: value})


@pytest.mark.parametrize("content", ["[1, 2]", "a: [", "NO_SUCH_SETTING: 1"])
def test_a_file_that_is_not_settings_is_refused(tmp_path: Path, content: str) -> None:
    path = tmp_path / "strongbox.yaml"
    path.write_text(content)
    with pytest.raises(InvalidSettings):
        load({"STRONGBOX_CONFIG": str(path)})


def test_a_missing_file_is_refused_and_an_empty_one_says_nothing(tmp_path: Path) -> None:
    with pytest.raises(InvalidSettings, match="cannot be read"):
        load({"STRONGBOX_CONFIG": str(tmp_path / "none.yaml")})
    (tmp_path / "empty.yaml").touch()
    assert load({"STRONGBOX_CONFIG": str(tmp_path / "empty.yaml")}) == load({})


@pytest.mark.parametrize("url", ["http://xn--mnchen-3ya.de/v2", "https://u:p%3F@[::1]:8081/", "http://a_b.local"])
def test_a_gateway_may_have_a_path_credentials_and_a_name_of_any_letters(url: str) -> None:
    assert load({"GATEWAY_URL": url}).of(PaymentsSettings).gateway_url == url


def test_lists_of_origins_and_networks_are_taken_as_they_are_compared() -> None:
    settings = load(
        {"CORS_ORIGINS": " https://shop.example:443 ,, http://[::1]:8080 ", "TRUSTED_PROXIES": "10.0.0.1,FD00::/8"}
    )
    assert settings.cors_origins == "https://shop.example,http://[::1]:8080"
    assert settings.trusted_proxies == "10.0.0.1/32,fd00::/8"


def test_what_a_command_needs_is_named_when_it_is_missing() -> None:
    with pytest.raises(InvalidSettings, match="DATABASE_URL"):
        load({}).require("database_url")
    assert load({"API_KEYS": "a, b,"}).require("api_keys").keys == ("a", "b")


def test_the_owner_s_and_the_consumers_urls_fall_back_on_the_database_s() -> None:
    settings = load({"DATABASE_URL": "host=d"})
    assert {settings.owner_url, settings.consumers_url, settings.consumers_owner_url} == {"host=d"}
    given = {"DATABASE_URL": "host=d", "MIGRATE_DATABASE_URL": "host=m", "AUDIT_DATABASE_URL": "host=a"}
    settings = load(given)
    assert (settings.owner_url, settings.consumers_url, settings.consumers_owner_url) == ("host=m", "host=a", "host=a")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DATABASE_URL", "postgres//user:s3cret@h/db"),
        ("AUDIT_DATABASE_URL", "http://user:s3cret@h"),
        ("RABBITMQ_URL", "amqp://good/,s3cret"),
        ("GATEWAY_URL", "http://"),
        ("GATEWAY_URL", "http://[s3cret"),
        ("GATEWAY_URL", "http://user:s3cret@gateway/v2?key=s3cret"),
        ("GATEWAY_URL", "http://user:s3cret@gateway/?"),
        ("GATEWAY_URL", "http://user:s3cret@gateway/#s3cret"),
        ("GATEWAY_URL", "http://user:s3cret@xn--"),
        ("GATEWAY_URL", "http://user:s3cret@xn--a.example/"),
        ("GATEWAY_URL", "http://user:s3cret@\u2603\u2603./"),
        ("DATABASE_URL", "postgresql://user:s3@cret@h/db"),
        ("DATABASE_URL", "postgresql://user:s3cret/x@h/db"),
        ("DATABASE_URL", "postgresql://user:s3cret@h/d\nb"),
        ("MIGRATE_DATABASE_URL", "host=h port=s3cret"),
        ("API_KEYS", "s3cret\x00s3cret"),
        ("GATEWAY_URL", "http://gate\u200bway"),
        ("API_KEYS", ", ,"),
        ("MOCK_GATEWAY_MODE", "bogus"),
    ],
)
def test_what_is_no_url_key_or_mode_is_named_and_never_quoted(name: str, value: str) -> None:
    with pytest.raises(InvalidSettings) as refused:
        load({name: value})
    assert name in str(refused.value)
    assert "s3cret" not in str(refused.value)


def test_what_stands_around_a_value_is_none_of_it(tmp_path: Path) -> None:
    path = tmp_path / "strongbox.yaml"
    path.write_text('GATEWAY_URL: "http://gateway\\n"\nHTTP_PORT: " 8081\\t"\n')
    settings = load(
        {
            "STRONGBOX_CONFIG": f"{path}\n",
            "DATABASE_URL": " postgresql://u:p@h/db\n",
            "RABBITMQ_URL": "amqp://a/ ,\n amqp://b/\n",
            "API_KEYS": "a-key,\nanother\n",
            "LOG_LEVEL": "debug\r\n",
        }
    )
    assert (settings.database_url, settings.text("GATEWAY_URL")) == ("postgresql://u:p@h/db", "http://gateway")
    assert (settings.http_port, settings.log_level) == (8081, "debug")
    assert settings.rabbitmq_url == "amqp://a/,amqp://b/"
    assert settings.keys == ("a-key", "another")


@pytest.mark.parametrize("number", ["\uff18\uff10", "8_0", "0x50"])
def test_a_number_has_plain_digits(number: str) -> None:
    with pytest.raises(InvalidSettings, match="HTTP_PORT"):
        load({"HTTP_PORT": number})


@pytest.mark.parametrize(
    ("given", "sent_by_browsers"),
    [
        ("https://console.test:443", "https://console.test"),
        ("http://console.test:80", "http://console.test"),
        ("https://console.test:08443", "https://console.test:8443"),
        ("https://console.test:80", "https://console.test:80"),
        ("https://[::1]:443", "https://[::1]"),
        ("http://127.0.0.1:8090\n", "http://127.0.0.1:8090"),
    ],
)
def test_where_the_console_is_is_kept_as_browsers_send_it(given: str, sent_by_browsers: str) -> None:
    assert load({"CONSOLE_URL": given}).console_url == sent_by_browsers


@pytest.mark.parametrize("url", ["https://[0:0::1]", "https://127.1", "https://127.0.0.01", "https://console.test:"])
def test_a_host_that_browsers_write_otherwise_is_refused(url: str) -> None:
    with pytest.raises(InvalidSettings, match="CONSOLE_URL"):
        load({"CONSOLE_URL": url})


def test_a_setting_that_the_file_has_twice_is_refused_by_name(tmp_path: Path) -> None:
    path = tmp_path / "strongbox.yaml"
    path.write_text("http_port: 1\nLOG_LEVEL: info\nHTTP_PORT: 2\n")
    with pytest.raises(InvalidSettings, match=r"has HTTP_PORT twice"):
        load({"STRONGBOX_CONFIG": str(path)})


@pytest.mark.parametrize("name", ["HTTP_HOST", "CONSOLE_HOST"])
@pytest.mark.parametrize(
    ("given", "used"),
    [("[::1]", "::1"), ("::", "::"), ("0.0.0.0", "0.0.0.0"), ("localhost", "localhost"), ("a-b.c_d", "a-b.c_d")],
)
def test_a_host_to_listen_on_is_a_name_or_an_address(name: str, given: str, used: str) -> None:
    assert getattr(load({name: given}), name.lower()) == used


@pytest.mark.parametrize("given", ["127.0.0.1:8080", "[::1]:80", "http://localhost", "a b", "[localhost]", "-"])
def test_what_is_no_host_is_refused_by_name(given: str) -> None:
    with pytest.raises(InvalidSettings, match="HTTP_HOST is no name and no address"):
        load({"HTTP_HOST": given})


@pytest.mark.parametrize("host", ["h..", "a" * 64])
def test_a_broker_whose_name_cannot_be_looked_up_is_refused_by_name(host: str) -> None:
    with pytest.raises(InvalidSettings, match="RABBITMQ_URL: broker 2"):
        load({"RABBITMQ_URL": f"amqp://good/,amqp://{host}/"})


def test_contexts_are_all_on_unless_some_are_named() -> None:
    all_of_them = "identity funds payments reconciliation catalog ordering auctions chain rewards mint webhooks"
    assert [*load({}).sections] == all_of_them.split()
    assert [*load({"CONTEXTS": " funds , "}).sections] == ["funds"]


@pytest.mark.parametrize(
    ("given", "why"), [("funds, paymints", "no context 'paymints'"), ("payments", "payments needs funds")]
)
def test_contexts_that_there_are_not_or_that_lack_what_they_need_are_refused_by_name(given: str, why: str) -> None:
    with pytest.raises(InvalidSettings, match=f"CONTEXTS: .*{why}"):
        load({"CONTEXTS": given})


def test_a_setting_of_a_context_that_is_switched_off_is_known_and_ignored(tmp_path: Path) -> None:
    path = tmp_path / "strongbox.yaml"
    path.write_text("contexts: funds\ngateway_url: ftp://nowhere\ngateway_timeout_s: 99\n")
    settings = load({"STRONGBOX_CONFIG": str(path)})
    with pytest.raises(InvalidSettings, match="payments is switched off"):
        settings.of(PaymentsSettings)


@pytest.mark.parametrize("name", ["PAYMENTS_DATABASE_URL", "FUNDS_DATABASE_URL", "MIGRATE_PAYMENTS_DATABASE_URL"])
def test_contexts_that_share_transactions_share_the_database(name: str) -> None:
    given = {"DATABASE_URL": "host=d", "MIGRATE_DATABASE_URL": "host=m"}
    with pytest.raises(InvalidSettings, match=f"^{name} is another than (MIGRATE_)?DATABASE_URL"):
        load(given | {name: "host=other"})
    same = given["MIGRATE_DATABASE_URL" if name.startswith("MIGRATE_") else "DATABASE_URL"]
    assert load(given | {name: same}).homes == {}


def test_a_process_that_knows_no_contexts_passes_over_their_settings(tmp_path: Path) -> None:
    path = tmp_path / "strongbox.yaml"
    path.write_text("gateway_attempts: 5\nlog_level: debug\n")
    assert loading.load(None, {"STRONGBOX_CONFIG": str(path), "CONTEXTS": "any"}).log_level == "debug"
