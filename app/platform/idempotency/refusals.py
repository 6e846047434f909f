"""What an Idempotency-Key can be refused for, whatever was asked for under it."""

from app.kernel.refusals import Refusal


class KeyInProgress(Refusal):
    """Another request with this Idempotency-Key is under way, or what it made is not final yet."""

    code = "IDEMPOTENCY_IN_PROGRESS"

    def __str__(self) -> str:
        return "a request with this Idempotency-Key is still being worked on; retry with the same key"


class KeyReused(Refusal):
    """The Idempotency-Key belongs to a request that asked for something else."""

    code = "IDEMPOTENCY_KEY_REUSED"

    def __str__(self) -> str:
        return "this Idempotency-Key was used with another request"
