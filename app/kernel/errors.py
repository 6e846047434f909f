"""What may keep any part of the service from answering."""


class Unavailable(Exception):  # noqa: N818 -- it says what the service is, for now
    """The service cannot tell: database out of reach, overload, a lock held too long, or draining.

    It promises nothing about what happened. The same request with the same key finds out. The reason is for whoever
    reads the log: nothing of it is personal, and no client gets it.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)


class NeighbourAway(ConnectionError):  # noqa: N818 -- it says what somebody else is, for now
    """Work on events waits for somebody outside of this process and of its database: it is well itself, and to start it
    anew would mend nothing. It says nothing about any event.
    """
