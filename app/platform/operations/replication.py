"""What COMMITs wait for: standbys, how far behind they are, and whether anything waits for them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

SYNCHRONOUS = ("sync", "quorum")
HANGS_S = 1.0
"""A COMMIT that waits longer for a standby hangs: the services give up on theirs after a few seconds."""


@dataclass(frozen=True, slots=True)
class Standby:
    """A connected standby as PostgreSQL names it. All but the name is None to a login that may not read statistics.

    `behind_bytes`: of the log, what it has not on disk yet. `replay_lag_s`: how long it took to apply its last answer.
    """

    name: str
    state: str | None
    sync_state: str | None
    behind_bytes: int | None
    replay_lag_s: float | None


@dataclass(frozen=True, slots=True)
class Replication:
    """The standbys that are connected. `wanted`: `synchronous_standby_names`, empty where no COMMIT waits for any.

    `waiting`: COMMITs that wait for a standby, the oldest for `waiting_s`. `all_shown`: whether this login may read
    statistics; without it only the COMMITs of its own role are counted.
    """

    wanted: str
    standbys: Sequence[Standby]
    waiting: int
    waiting_s: float
    all_shown: bool


def seen(replication: Replication) -> Iterator[str]:
    """What there is to say, piece by piece; nothing without standbys."""
    if replication.wanted:
        yield f"COMMITs wait for {replication.wanted}"
    if replication.standbys:
        yield f"{len(replication.standbys)} standby(s): {', '.join(map(_standby, replication.standbys))}"
    if replication.waiting:
        yield f"{replication.waiting} COMMIT(s) wait, the oldest for {replication.waiting_s:.1f} s"
    if (replication.wanted or replication.standbys) and not replication.all_shown:
        yield "the rest shows to a login with pg_read_all_stats"


def trouble(replication: Replication, late_s: float) -> str | None:
    """What is wrong, and where to look."""
    if replication.waiting_s > HANGS_S:
        return "COMMITs hang: no standby confirms them, see `When COMMITs hang` in the runbook"
    synchronous = [s for s in replication.standbys if s.sync_state in SYNCHRONOUS or not replication.all_shown]
    if replication.wanted and not synchronous:
        return "no synchronous standby is connected: COMMITs wait for one"
    if any((standby.replay_lag_s or 0) > late_s for standby in replication.standbys):
        return "a standby is behind: see pg_stat_replication"
    return None


def _standby(standby: Standby) -> str:
    words = [word for word in (standby.sync_state, standby.state) if word not in (None, "streaming")]
    if standby.behind_bytes:
        words.append(f"{standby.behind_bytes / 1024:,.0f} KiB behind")
    if standby.replay_lag_s is not None:
        words.append(f"applied after {standby.replay_lag_s:.1f} s")
    return f"{standby.name} ({', '.join(words)})" if words else standby.name
