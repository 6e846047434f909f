"""The same examples in every run: a failure here is a fault, never the weather."""

from hypothesis import HealthCheck, settings

settings.register_profile(
    "strongbox",
    derandomize=True,
    deadline=None,
    database=None,
    max_examples=100,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("strongbox")
