"""How much of what it has found `verify` names."""

from collections.abc import AsyncIterator

from app.platform.operations.verify import verify


class Broken:
    """A check with 25 offenders."""

    name = claim = "nothing is wrong"

    async def offenders(self) -> AsyncIterator[str]:
        for nth in range(25):
            yield f"offender {nth}"


async def test_as_many_offenders_are_named_as_are_asked_for_and_all_are_counted() -> None:
    (finding,) = await verify([[Broken()]], lambda *_: None)
    assert (finding.offences, len(finding.offenders), finding.holds) == (25, 20, False)
    (finding,) = await verify([[Broken()]], lambda *_: None, named=24)
    assert (finding.offences, finding.offenders[-1]) == (25, "offender 23")
    (finding,) = await verify([[Broken()]], lambda *_: None, named=1_000)
    assert finding.offenders == tuple(f"offender {nth}" for nth in range(25))
