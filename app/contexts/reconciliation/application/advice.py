"""What to do about a finding, for whoever looks into it."""

from typing import Final

from app.contexts.reconciliation.domain.finding import Finding, Kind

_DO: Final = {
    Kind.DOUBLED: "the report has it twice: ask the gateway whether it was charged twice, and have one given back",
    Kind.MISSING_HERE: "the gateway has it and nobody here asked for it: ask the gateway for whom it was, and have it "
    "given back; was a backup put back here, run `strongbox verify` first",
    Kind.STATUS_DIFFERS: "the gateway has what failed here: look at its story, and have the gateway give it back",
    Kind.CURRENCY_DIFFERS: "compare with the story; what is right is what was asked for: have the gateway correct it",
    Kind.AMOUNT_DIFFERS: "compare with the story; what is right is what was asked for: have the gateway correct it",
    Kind.MISSING_THERE: "it stands here and no report tells of it: ask the gateway for its charge; it may be in the "
    "report of a day that was not reconciled",
}
_STILL_PENDING: Final = (
    "it is not finished here since yesterday: see that `strongbox recover` runs and the gateway answers; it is right "
    "once it is finished"
)


def advice(finding: Finding) -> str:
    """What to do next."""
    if finding.kind is Kind.STATUS_DIFFERS and finding.ours is not None and finding.ours.finalized_at is None:
        return _STILL_PENDING
    return _DO[finding.kind]
