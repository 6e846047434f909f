"""A wallet for a terminal: prove by a key in a file that an address is yours.

    curl -s $V1/auth/nonce | python wallet.py my.key

prints `message` and `signature` as the body of a request that signs in or links the address (EIP-4361, EIP-191). The
key is made when the file is not there.
"""

import json
import os
import sys
from datetime import UTC, datetime

from eth_account import Account
from eth_account.messages import encode_defunct

(file,) = sys.argv[1:]
if not os.path.exists(file):
    with open(os.open(file, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w") as made:
        made.write(bytes(Account.create().key).hex() + "\n")
with open(file) as kept:
    account = Account.from_key(kept.read().strip())
asked = json.load(sys.stdin)
at = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
message = (
    f"{asked['domain']} wants you to sign in with your Ethereum account:\n{account.address}\n\n\n"
    f"URI: {asked['uri']}\nVersion: 1\nChain ID: {asked['chain_ids'][0]}\nNonce: {asked['nonce']}\nIssued At: {at}"
)
signature = account.sign_message(encode_defunct(text=message)).signature
json.dump({"message": message, "signature": "0x" + bytes(signature).hex()}, sys.stdout)
