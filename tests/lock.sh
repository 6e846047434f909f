#!/bin/sh
# Pins the dependencies: lock.sh PIP_COMPILE. Where packages come from is the machine's business and stays out.
set -eu

compile() {
    "$1" --quiet --strip-extras --no-annotate --no-header --allow-unsafe --no-emit-options \
        --no-emit-index-url --no-emit-find-links --no-emit-trusted-host --upgrade \
        --output-file "$2" $3
}

write() {
    { printf '# %s\n# Made by `make lock`; not edited by hand.\n' "$1"; grep -v -E '^(#|strongbox|$)' "$2"; } >"$3"
}

drafts=$(mktemp -d)
trap 'rm -rf "$drafts"' EXIT
compile "$1" "$drafts/run" pyproject.toml
compile "$1" "$drafts/dev" "--extra dev --extra local --constraint $drafts/run pyproject.toml"
printf '%s\n' kubernetes-validate mermaidx pip-audit properdocs properdocs-theme-mkdocs schemathesis >"$drafts/tools.in"
compile "$1" "$drafts/tools" "$drafts/tools.in"
printf '%s\n' signinwithethereum >"$drafts/siwe.in"
compile "$1" "$drafts/siwe" "$drafts/siwe.in"
printf '%s\n' vyper >"$drafts/vyper.in"
compile "$1" "$drafts/vyper" "$drafts/vyper.in"
write "What the service runs on, pinned." "$drafts/run" requirements.lock
write "The same, with the tools and what a machine without PostgreSQL needs." "$drafts/dev" requirements-dev.lock
write "Tools that look at it from outside, in an environment of their own (.venv-tools)." "$drafts/tools" requirements-tools.lock
write "A second implementation of EIP-4361, to be asked for its opinion, in an environment of its own (.venv-siwe)." "$drafts/siwe" requirements-siwe.lock
write "The compiler of the token's contract, in an environment of its own (.venv-vyper)." "$drafts/vyper" requirements-vyper.lock
