#!/bin/sh
# What viem's parseSiweMessage makes of a message whose domain is an IPv6 host (2.57.20).
#
# Guessed: domain and address, as the grammar has them (an RFC 3986 authority); or an error, if it knows no such host.
# Seen:    neither: the first two lines match nothing, and the result has no `domain` and no `address` while it has all
#          the other fields. validateSiweMessage then says false, and not why. A host with a user before it, or with an
#          empty port behind it, which are authorities as well, does the same.
# Matters: a parser that leaves out what it does not know has to be asked for each field. Those who take `address` from
#          it get undefined; on a machine of one's own with [::1] nobody can sign in.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund viem@2.57.20
cat >look.mjs <<'JAVASCRIPT'
import assert from "node:assert";
import { parseSiweMessage, validateSiweMessage } from "viem/siwe";

const address = "0x7E5F4552091A69125d5DfCb7b8C2659029395Bdf";
const text = domain => [
  `${domain} wants you to sign in with your Ethereum account:`, address, "", "",
  "URI: https://shop.example", "Version: 1", "Chain ID: 1", "Nonce: abcdefgh", "Issued At: 2026-01-31T12:00:00Z",
].join("\n");

for (const domain of ["shop.example", "[::1]:8080", "a@shop.example", "shop.example:"]) {
  const message = parseSiweMessage(text(domain));
  console.log(`${domain.padEnd(15)} domain: ${message.domain}, address: ${message.address}, nonce: ${message.nonce}`);
  assert.equal(message.nonce, "abcdefgh");
  assert.equal(message.domain, domain === "shop.example" ? domain : undefined);
  assert.equal(message.address, domain === "shop.example" ? address : undefined);
}
const isValid = validateSiweMessage({ message: parseSiweMessage(text("[::1]:8080")) });
console.log("[::1]:8080 is valid, when nothing is asked for:", isValid);
assert.equal(isValid, false);
JAVASCRIPT
node look.mjs
