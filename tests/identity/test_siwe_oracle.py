"""Where a second implementation says otherwise a rule of ours does; what it said is kept, and asked anew elsewhere."""

from tests.identity.oracle.cases import cases
from tests.identity.oracle.facts import recorded
from tests.identity.oracle.verdicts import RULES, ours, rule_of

CASES = [*cases()]
FACTS = recorded()


def test_every_case_has_a_name_of_its_own_and_was_asked_about() -> None:
    assert [case.name for case in CASES] == [*FACTS]
    assert len(FACTS) > 400


def test_our_verdicts_are_those_that_were_held_against_the_librarys() -> None:
    assert {case.name: ours(case)[0] for case in CASES} == {name: mine for name, (mine, _) in FACTS.items()}


def test_each_difference_is_a_rule_of_ours() -> None:
    different = [case for case in CASES if len(set(FACTS[case.name])) == 2]
    assert [case.name for case in different if rule_of(case, FACTS[case.name][1]) is None] == []
    assert {rule_of(case, FACTS[case.name][1]) for case in different} == {each.rule for each in RULES}
