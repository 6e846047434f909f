"""Whether a file of secrets is for nobody but us."""

import os
import stat

import pytest

from app.platform.process.secret_files import is_for_us_alone


@pytest.mark.parametrize(
    ("mode", "owner", "group", "may"),
    [
        (0o440, 0, 10_001, True),
        (0o640, 0, 10_001, True),
        (0o440, 0, 7, False),
        (0o440, 8, 10_001, False),
        (0o444, 0, 10_001, False),
        (0o460, 0, 10_001, False),
        (0o440, 10_001, 10_001, False),
        (0o600, 10_001, 10_001, True),
    ],
)
def test_a_file_that_a_cluster_has_mounted_is_read_by_our_group(
    monkeypatch: pytest.MonkeyPatch, mode: int, owner: int, group: int, may: bool
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 10_001)
    monkeypatch.setattr(os, "getegid", lambda: 999)
    monkeypatch.setattr(os, "getgroups", lambda: [10_001])
    status = os.stat_result((stat.S_IFREG | mode, 0, 0, 1, owner, group, 0, 0, 0, 0))
    assert is_for_us_alone(status) is may
