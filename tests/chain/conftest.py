"""Chains to test on."""

from collections.abc import Iterator

import pytest

from app.contexts.chain.adapters.operations import look, parts
from tests.chain.nodes import KINDS, Node, answers_within, node


@pytest.fixture(scope="module", autouse=True)
def patient_with_nodes() -> Iterator[None]:
    """Whoever asks a node within this process waits for it as long as it takes on a busy machine."""
    with pytest.MonkeyPatch.context() as patch:
        answers_within(patch, 30.0)
        for looking in (look, parts):
            patch.setattr(looking, "LOOK_S", 60.0)
        patch.setattr(look, "WITHIN_S", 60.0)
        yield


@pytest.fixture(scope="module", params=KINDS)
def chain_node(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    """A node that the tests of a module share, by each of the EVMs."""
    with node(request.param, tmp_path_factory.mktemp("node")) as running:
        yield running


@pytest.fixture(params=KINDS)
def mortal_node(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    """A node of a test's own, which may be killed."""
    with node(request.param, tmp_path_factory.mktemp("mortal-node")) as running:
        yield running
