"""The cases that both are asked about: a message, a change of one thing in it, and its signature. All of them ours."""

import random
from collections.abc import Iterator
from typing import Final, NamedTuple

from tests.identity.wallets import DOMAIN, WALLET, Wallet, at, message_text

ORDER: Final = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
CHANGES: Final = 400
"""Of one character, anywhere."""
_ALPHABET: Final = "aZ09 :/?#[]@!$&'()*+,;=-._~%\n\r\t\0<é\u2028"
_LAST: Final = (
    f"\nExpiration Time: {at(60)}\nNot Before: {at(-60)}\nRequest ID: 1\nResources:\n- a:b\n- https://c.example/d"
)


class Case(NamedTuple):
    """A message and its signature, by what is special about it."""

    name: str
    message: str
    signature: str


def cases() -> Iterator[Case]:
    """All of them, the same in every run."""
    for name, text in {**_FIELDS, **_LINES}.items():
        yield Case(name, text, WALLET.sign(text))
    yield from _signatures()
    yield from _changed()


_FIELDS: Final = {
    "the shortest": message_text(),
    "the longest": message_text(statement="I agree.", rest=_LAST),
    "a scheme": message_text(domain=f"https://{DOMAIN}", uri=f"https://{DOMAIN}"),
    "another domain": message_text(domain="other.example"),
    "no domain": message_text(domain="", uri="https://shop.example"),
    "a domain with a user": message_text(domain=f"a@{DOMAIN}"),
    "a domain with a path": message_text(domain=f"{DOMAIN}/a"),
    "a domain in capitals": message_text(domain=DOMAIN.upper()),
    "an address in small letters": message_text(address=WALLET.address.lower()),
    "an address in capitals": message_text(address="0x" + WALLET.address[2:].upper()),
    "an address with one letter of another size": message_text(address=WALLET.address.replace("E", "e", 1)),
    "an address that is too short": message_text(address=WALLET.address[:-1]),
    "an empty statement": message_text(statement=""),
    "a statement of a blank": message_text(statement=" "),
    "a statement that looks like a field": message_text(statement="URI: https://a.example"),
    "a statement with quotes": message_text(statement='I "agree".'),
    "a statement with an umlaut": message_text(statement="Ich stimme zu: schön"),
    "a uri elsewhere": message_text(uri="https://other.example"),
    "a uri of another kind": message_text(uri="did:key:z6Mk"),
    "a uri without a scheme": message_text(uri=f"{DOMAIN}/a"),
    "a uri with a bracket": message_text(uri=f"https://{DOMAIN}/[a]"),
    "a uri with half an octet": message_text(uri=f"https://{DOMAIN}/%a"),
    "version 2": message_text(version="2"),
    "version 01": message_text(version="01"),
    "chain 5": message_text(chain_id="5"),
    "chain 01": message_text(chain_id="01"),
    "chain +1": message_text(chain_id="+1"),
    "chain 0x1": message_text(chain_id="0x1"),
    "another nonce": message_text(nonce="a" * 16),
    "a nonce of seven": message_text(nonce="1234567"),
    "a nonce with hyphens": message_text(nonce="1234-5678-9abc"),
    "issued at noon with a small t and z": message_text(issued_at="2026-01-31t12:00:00z"),
    "issued at noon of another zone": message_text(issued_at="2026-01-31T13:00:00+01:00"),
    "issued with nine digits": message_text(issued_at="2026-01-31T12:00:00.123456789Z"),
    "issued a day ago": message_text(issued_at=at(-86_400)),
    "issued in a day": message_text(issued_at=at(86_400)),
    "issued at second 60": message_text(issued_at="2026-01-31T11:59:60Z"),
    "issued in a leap second long ago": message_text(issued_at="2016-12-31T23:59:60Z"),
    "issued on no day": message_text(issued_at="2026-02-29T12:00:00Z"),
    "issued without a zone": message_text(issued_at="2026-01-31T12:00:00"),
    "expired": message_text(rest=f"\nExpiration Time: {at(-3_600)}"),
    "expired half a minute ago": message_text(rest=f"\nExpiration Time: {at(-30)}"),
    "good in an hour": message_text(rest=f"\nNot Before: {at(3_600)}"),
    "good in half a minute": message_text(rest=f"\nNot Before: {at(30)}"),
    "an empty request id": message_text(rest="\nRequest ID: "),
    "a request id with a slash": message_text(rest="\nRequest ID: a/b"),
    "no resources": message_text(rest="\nResources:"),
    "a resource that is none": message_text(rest="\nResources:\n- a"),
}

_WHOLE: Final = message_text(statement="I agree.", rest=_LAST)
_LINES: Final = {
    "carriage returns": _WHOLE.replace("\n", "\r\n"),
    "a line feed at the end": _WHOLE + "\n",
    "a blank at the end": _WHOLE + " ",
    "a mark before it": "\ufeff" + _WHOLE,
    "a line twice": _WHOLE.replace("\nVersion: 1", "\nVersion: 1\nVersion: 1"),
    "a line missing": _WHOLE.replace("\nVersion: 1", ""),
    "lines the other way round": _WHOLE.replace("\nVersion: 1\nChain ID: 1", "\nChain ID: 1\nVersion: 1"),
    "times the other way round": message_text(rest=f"\nNot Before: {at(-60)}\nExpiration Time: {at(60)}"),
    "a name in small letters": _WHOLE.replace("Chain ID: ", "Chain Id: "),
    "no empty line behind the address": _WHOLE.replace("\n\nI agree.", "\nI agree."),
    "three empty lines": message_text().replace("\n\n\n", "\n\n\n\n\n"),
}


def _signatures() -> Iterator[Case]:
    text = message_text()
    signed = bytes.fromhex(WALLET.sign(text)[2:])
    r_and_s, v = signed[:64], signed[64]
    high = signed[:32] + (ORDER - int.from_bytes(signed[32:64], "big")).to_bytes(32, "big") + bytes([55 - v])
    made = {
        "signed by another key": bytes.fromhex(Wallet(2).sign(text)[2:]),
        "another text signed": bytes.fromhex(WALLET.sign(text + " ")[2:]),
        "v of 0 or 1": r_and_s + bytes([v - 27]),
        "v of a chain": r_and_s + bytes([v + 10]),
        "v of nothing": r_and_s + b"\x63",
        "the other v": r_and_s + bytes([55 - v]),
        "the higher s": high,
        "64 bytes": r_and_s,
        "66 bytes": signed + b"\0",
        "no bytes": b"",
        "65 noughts": bytes(65),
    }
    for name, signature in made.items():
        yield Case(name, text, "0x" + signature.hex())
    yield Case("digits in capitals", text, "0x" + signed.hex().upper())
    yield Case("no 0x", text, signed.hex())
    yield Case("half a byte", text, "0x" + signed.hex()[:-1])


def _changed() -> Iterator[Case]:
    chance = random.Random(4361)
    for number in range(CHANGES):
        place, how = chance.randrange(len(_WHOLE)), chance.choice(("put", "drop", "change"))
        other = chance.choice(_ALPHABET) if how != "drop" else ""
        text = _WHOLE[:place] + other + _WHOLE[place + (how != "put") :]
        if text != _WHOLE:
            yield Case(f"change {number}", text, WALLET.sign(text))
