"""Chains to test on."""

from collections.abc import Iterator

import pytest

from tests.chain.nodes import KINDS, Node, node


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
