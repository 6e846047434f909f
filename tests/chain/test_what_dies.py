"""Whether the page of what dies names tests that there are."""

import re

from tests.system.crash.steps import STEPS
from tests.system.documents import ROOT

PAGE = (ROOT / "docs/chain/what-dies.md").read_text()


def test_every_test_that_the_page_names_is_there() -> None:
    named = re.findall(r"\]\(\.\./\.\./(tests/\S+\.py)\): ([^<|;]+)", PAGE)
    assert len(named) >= 30
    for file, sentence in named:
        name = "test_" + "_".join(sentence.split())
        assert f"def {name}(" in (ROOT / file).read_text(), (file, name)


def test_every_step_at_which_somebody_is_killed_is_on_it() -> None:
    table = PAGE.partition("| who | killed | form |")[2].partition("\n## ")[0]
    assert table.count("| long |") + table.count("| short |") == len(STEPS)
