"""Log-ins are counted by how somebody asked and what came of it."""

from tests.identity.processes import PASSWORD, Process, somebody


def counts(api: Process) -> dict[tuple[str, str], float]:
    """What was counted, by how and result."""
    registry = api.container.platform.registry()
    return {
        (sample.labels["how"], sample.labels["result"]): sample.value
        for metric in registry.collect()
        for sample in metric.samples
        if sample.name == "strongbox_log_ins_total"
    }


async def test_log_ins_are_counted_by_how_and_by_what_came_of_them(api: Process) -> None:
    email = somebody()
    before = counts(api)
    await api.registered(email)  # and logs in
    async with api.client() as client:
        wrong = {"email": email, "password": PASSWORD + "!"}
        assert (await client.post("/v1/auth/login", json=wrong)).status_code == 401
        assert (await client.post("/v1/auth/token", json={"grant_type": "client_credentials"})).status_code >= 400
    assert (await api.refresh("none")).status_code == 401
    grown = {names: count - before.get(names, 0) for names, count in counts(api).items()}
    assert {names: count for names, count in grown.items() if count} == {
        ("password", "succeeded"): 1,
        ("password", "refused"): 1,
        ("client", "refused"): 1,
        ("refresh", "refused"): 1,
    }
