#!/bin/sh
# What signinwithethereum holds a signature against (5.0.2).
#
# Guessed: the text that was parsed, which is what the wallet has signed.
# Seen:    verify() writes the message anew from the fields and recovers from that. `Chain ID: 01` is of the grammar
#          (1*DIGIT), is parsed as 1, and written `Chain ID: 1`: a genuine signature is an InvalidSignature, and the
#          signature of the other text, which nobody sent, would do.
# Matters: whoever checks a signature has to do it over the bytes that came. What is parsed of them is for the other rules.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check signinwithethereum==5.0.2
"$folder/venv/bin/python" - <<'PYTHON'
from eth_account import Account
from eth_account.messages import encode_defunct
from siwe import InvalidSignature, SiweMessage

account = Account.from_key("0x" + "1".rjust(64, "0"))


def text(chain):
    return (
        f"shop.example wants you to sign in with your Ethereum account:\n{account.address}\n\n\nURI: https://shop.example\n"
        f"Version: 1\nChain ID: {chain}\nNonce: abcdefgh\nIssued At: 2026-01-31T12:00:00Z"
    )


def verdict(sent, signed):
    try:
        SiweMessage.from_message(sent).verify(account.sign_message(encode_defunct(text=signed)).signature)
    except InvalidSignature:
        return "refused"
    return "accepted"


genuine = verdict(text("01"), text("01"))
of_another_text = verdict(text("01"), text("1"))
print("Chain ID: 01, signed as it was sent:", genuine)
print("Chain ID: 01, with the signature of Chain ID: 1:", of_another_text)
assert verdict(text("1"), text("1")) == "accepted"
assert (genuine, of_another_text) == ("refused", "accepted")
PYTHON
