"""The settings of limits: what is taken, and what is named and never quoted."""

import pytest

from app.main.contexts import load
from app.platform.process.quotas import Quota, quota
from app.platform.process.redis_urls import RedisPlace, redis_place
from app.platform.process.settings import InvalidSettings


@pytest.mark.parametrize(
    ("url", "place"),
    [
        ("redis://r", RedisPlace("r", 6379, "", None, None, 0, has_tls=False)),
        ("redis://r:1/", RedisPlace("r", 1, "", None, None, 0, has_tls=False)),
        ("redis://:p%40%2F@[::1]:7000/12", RedisPlace("::1", 7000, "", None, "p@/", 12, has_tls=False)),
        ("rediss://u%3A:p@r.example/0", RedisPlace("r.example", 6379, "", "u:", "p", 0, has_tls=True)),
        ("unix:///run/a%20b.sock", RedisPlace("", 0, "/run/a b.sock", None, None, 0, has_tls=False)),
        ("unix://u:p@/run/redis.sock?db=3", RedisPlace("", 0, "/run/redis.sock", "u", "p", 3, has_tls=False)),
    ],
)
def test_a_redis_is_reached_by_host_with_or_without_tls_or_by_a_socket(url: str, place: RedisPlace) -> None:
    assert redis_place(url) == place
    assert load({"REDIS_URL": url}).redis_url == url


@pytest.mark.parametrize(
    "url",
    [
        "s3cret",
        "http://:s3cret@r",
        "redis:s3cret",
        "redis://",
        "redis://:s3cret@",
        "redis://:s3cret@:6379",
        "redis://:s3cret@r:0",
        "redis://:s3cret@r:70000",
        "redis://:s3/cret@r",
        "redis://:s3#cret@r",
        "redis://:s3?cret@r",
        "redis://:s3cret@r/one",
        "redis://:s3cret@r/-1",
        "redis://:s3cret@r/0/1",
        "redis://:s3cret@r?socket_timeout=60",
        "rediss://:s3cret@r/0?ssl_cert_reqs=none",
        "redis://:s3cret@r,redis://:s3cret@q",
        "unix://:s3cret@",
        "unix://:s3cret@/",
        "unix://host/s3cret",
        "unix:///run/s3cret?db=x",
        "unix:///run/s3cret?db=0&retry=1",
        "unix:///run/s3cret?s3cret",
    ],
)
def test_what_is_no_url_of_a_redis_is_named_and_never_quoted(url: str) -> None:
    with pytest.raises(InvalidSettings, match=r"^REDIS_URL is not redis://") as refused:
        load({"REDIS_URL": url})
    assert "s3" not in str(refused.value)


@pytest.mark.parametrize(
    ("text", "of"),
    [("50:200", Quota(50, 200)), ("0.2:10", Quota(0.2, 10)), ("0.000002:1", Quota(0.000002, 1)), ("off", None)],
)
def test_a_limit_is_a_rate_and_a_burst_or_off(text: str, of: Quota | None) -> None:
    assert quota(text) == of
    assert load({"RATE_LIMIT_LOGIN": text}).rate_limit_login == text


def test_a_window_is_as_long_as_an_empty_bucket_takes_to_be_full_rounded_up() -> None:
    assert [of.window_s for of in (Quota(50, 200), Quota(0.3, 2), Quota(1000, 1))] == [4, 7, 1]


@pytest.mark.parametrize("name", ["RATE_LIMIT_IP", "RATE_LIMIT_USER", "RATE_LIMIT_WALLET", "RATE_LIMIT_LOGIN"])
@pytest.mark.parametrize(
    "text",
    [
        *("0:10", "0.0:10", "1:0", "5", ":5", "5:", "-1:5", "1:-5", "1e3:5", "nan:5", "inf:5", "1:5:5", "1/5"),
        *("OFF", "1:1.5", "\u0661:5", "1 :5", "1000000:5", "1:1000000", "0.0000001:1", "0.000001:1"),
    ],
)
def test_what_is_no_limit_is_refused_by_name(name: str, text: str) -> None:
    with pytest.raises(InvalidSettings, match=name):
        load({name: text})
