"""Our verdict on a case, and why it is another than the library's where it is."""

from typing import Final, NamedTuple

from app.contexts.identity.adapters.ethereum.keys import WalletKeys
from app.contexts.identity.domain.siwe import NotAMessage, parse
from app.contexts.identity.domain.wallet_proof import Terms, WalletNotProved, check
from app.contexts.identity.domain.wallet_signature import NotASignature, by_a_key, digest_of, signature_of
from tests.identity.oracle.cases import Case
from tests.identity.wallets import DOMAIN, NONCE, NOW

KEYS: Final = WalletKeys()
TERMS: Final = Terms((DOMAIN,), ("1",), 300)
MALFORMED, REFUSED, ACCEPTED = "malformed", "refused", "accepted"


def ours(case: Case) -> tuple[str, str]:
    """`malformed`, `refused` or `accepted`, and what of it was wrong."""
    try:
        signature, message = signature_of(case.signature), parse(case.message, KEYS.spelled)
    except (NotAMessage, NotASignature) as error:
        return MALFORMED, str(error)
    if message.nonce != NONCE:
        return REFUSED, "nonce"
    try:
        check(message, TERMS, int(NOW.timestamp() * 1_000_000))
    except WalletNotProved as refusal:
        return REFUSED, refusal.reason
    made = by_a_key(signature)
    if made is None or KEYS.address(digest_of(case.message, KEYS.keccak), *made) != message.address:
        return REFUSED, "signature"
    return ACCEPTED, ""


class Rule(NamedTuple):
    """Why we say otherwise: our verdict and how what was wrong begins, the library's verdict, and the rule of ours."""

    ours: str
    what: str
    theirs: str
    rule: str


RULES: Final = (
    Rule(MALFORMED, "the address", ACCEPTED, "an address is in its EIP-55 spelling: one wallet is one user"),
    Rule(MALFORMED, "must be 0x", ACCEPTED, "a signature begins with 0x"),
    Rule(MALFORMED, "must be 0x", REFUSED, "a signature that is no whole bytes is malformed, not wrong"),
    Rule(REFUSED, "uri", ACCEPTED, "the URI is of the domain, by http or https"),
    Rule(REFUSED, "version", MALFORMED, "another version is a message, and refused by its name"),
    Rule(REFUSED, "time", ACCEPTED, "a message is not older than its nonce, and not of time to come"),
    Rule(REFUSED, "time", MALFORMED, "a leap second is a time"),
    Rule(REFUSED, "signature", ACCEPTED, "a signature has one form: v is 27 or 28, and s the lower one"),
    Rule(ACCEPTED, "", REFUSED, "the text is held as it came; clocks may be wrong by a minute"),
    Rule(ACCEPTED, "", MALFORMED, "T and Z may be small, as in RFC 3339"),
)


def rule_of(case: Case, theirs: str) -> str | None:
    """The rule by which we differ from the library; None if nothing explains it."""
    verdict, what = ours(case)
    for each in RULES:
        if (each.ours, each.theirs) == (verdict, theirs) and what.startswith(each.what):
            return each.rule
    return None
