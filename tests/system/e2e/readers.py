"""What the reader of a page has before he types what it tells: by page, the script that gets it."""

_REGISTER = r"""
register() { curl -s http://127.0.0.1:8080/v1/auth/register -H 'Content-Type: application/json' \
  -d '{"email": "'$1'@example.net", "username": "'$1'", "password": "correct horse battery staple 7"}' |
  grep -o 'user_id":"[^"]*' | cut -d '"' -f 3; }
"""
_LOG_IN = r"""
log_in() { curl -s http://127.0.0.1:8080/v1/auth/login -H 'Content-Type: application/json' \
  -d '{"email": "'$1'@example.net", "password": "correct horse battery staple 7"}' |
  grep -o 'access_token":"[^"]*' | cut -d '"' -f 3; }
"""

GIVEN = {
    "docs/funds/wallets.md": f"""{_REGISTER}{_LOG_IN}
ALICE=$(register alice)
register bob
.venv/bin/strongbox wallet fund $ALICE USD 5000 --reference alice-1
TOKEN=$(log_in alice)
""",
    # `TILL` is a machine's token: what `client add` shows is asked for one.
    "docs/rewards/rules.md": f"""{_REGISTER}{_LOG_IN}
echo 'correct horse battery staple 7' | .venv/bin/strongbox user add olga@example.net --role admin
TOKEN=$(log_in olga)
USER_ID=$(register paul)
eval "$(.venv/bin/strongbox client add till-of-olga --scope purchases:write | sed -E 's/^([a-z_]+) +/\\1=/')"
TILL=$(curl -s -u "$client_id:$client_secret" http://127.0.0.1:8080/v1/auth/token -d grant_type=client_credentials |
  grep -o 'access_token":"[^"]*' | cut -d '"' -f 3)
""",
    "docs/how-to/a-machine-pays-in.md": f"{_REGISTER}USER_ID=$(register carol)\n",
    # The lines that the page shows, with a hash in full.
    "docs/how-to/move-users-here.md": """
sed -n '/^```json/,/^```$/{/^{/p}' docs/how-to/move-users-here.md |
  sed 's|\\$2b\\$10\\$…|$2b$10$aFwSoayl0BudTwtTWhnVz.03g1svWJJoS.iCB.ZA9mfxuSklHcVnu|' > users.jsonl
test $(grep -c -v … users.jsonl) = 2
""",
    "docs/identity/people.md": """
umask 077
echo correct horse battery staple 7 > password.txt
""",
}
