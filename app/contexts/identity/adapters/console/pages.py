"""What identity brings to the console: people with their log-ins, and machines."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from app.contexts.identity.adapters.console.machines import machines
from app.contexts.identity.adapters.console.mending import mending
from app.contexts.identity.adapters.console.people import Lists, people
from app.contexts.identity.application.look_up import LookUp
from app.contexts.identity.application.operate_on_people import LogInNotFound, OperateOnPeople
from app.contexts.identity.application.read_machines import Machines
from app.contexts.identity.domain.refusals import TenantNotFound, UserNotFound
from app.platform.console.page import Page

TEMPLATES = Path(__file__).with_name("templates")


def pages(lists: Lists, look_up: LookUp, operate: OperateOnPeople, known: Machines) -> Sequence[Page]:
    """The pages."""
    missing = (UserNotFound, TenantNotFound, LogInNotFound)
    return (
        Page(partial(people, lists, look_up), "/people", "People", 22, TEMPLATES, missing),
        Page(partial(mending, look_up, operate)),
        Page(partial(machines, known, look_up), "/machines", "Machines", 24, TEMPLATES),
    )
