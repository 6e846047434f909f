# `make` lists what there is. Everything but Docker's targets needs only Python 3.11 or newer.

# The first that is new enough; a complaint about python3 when none is.
PYTHON ?= $(or $(shell for python in python3 python3.14 python3.13 python3.12 python3.11; do \
	$$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$python && break; done),python3)
VENV := .venv
TOOLS := .venv-tools
SIWE := .venv-siwe
VYPER := .venv-vyper
# Modules instead of scripts, which would lose their way when the folder is moved.
RUN := $(VENV)/bin/python -m
COMPOSE ?= docker compose

.DEFAULT_GOAL := help
.PHONY: help setup run demo test test-today crash screenshots soak bench bench-short verify-million teeth engines fuzz siwe-oracle contract docs audit-deps manifests licences test-servers version-given lint fmt clean lock image up observe down reset logs consume rabbit-ui \
	migrate migrate-up migrate-down migrate-version migrate-force

help: ## List the targets
	@awk -F ':.*## ' '/^## --- / { gsub(/^## --- | ---$$/, ""); printf "\n%s\n", $$0 } \
		/^[a-z-]+:.*## / { printf "  %-16s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

## --- On this machine, without Docker ---

setup: $(VENV)/.ready ## Only the virtual environment in .venv; the others do it by themselves

$(VENV)/.ready: requirements-dev.lock pyproject.toml clients/python/pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
		echo "Python 3.11 or newer is needed; $(PYTHON) is $$($(PYTHON) --version 2>&1). Another one: make PYTHON=python3.12" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
		echo "Python's venv module is missing. Debian and Ubuntu: apt-get install python3-venv" >&2; exit 1; }
	@$(RUN) pip --version >/dev/null 2>&1 || { \
		echo "Making a virtual environment in $(VENV) …"; $(PYTHON) -m venv --clear $(VENV); }
	@echo "Installing the pinned packages into $(VENV), which takes a minute the first time …"
	@$(RUN) pip install --quiet --disable-pip-version-check -r requirements-dev.lock
	@$(RUN) pip install --quiet --disable-pip-version-check --no-deps -e . -e clients/python
	@touch $@

# Tools with dependencies of their own, which must not meet the project's.
$(TOOLS)/.ready: requirements-tools.lock
	@$(TOOLS)/bin/python -m pip --version >/dev/null 2>&1 || $(PYTHON) -m venv --clear $(TOOLS)
	$(TOOLS)/bin/python -m pip install --quiet --disable-pip-version-check -r requirements-tools.lock
	@touch $@

# A compiler's packages are not to be had for every Python that the service runs on.
$(VYPER)/.ready: requirements-vyper.lock
	@$(VYPER)/bin/python -m pip --version >/dev/null 2>&1 || $(PYTHON) -m venv --clear $(VYPER)
	$(VYPER)/bin/python -m pip install --quiet --disable-pip-version-check -r requirements-vyper.lock
	@touch $@

# Another implementation's dependencies contradict both.
$(SIWE)/.ready: requirements-siwe.lock
	@$(SIWE)/bin/python -m pip --version >/dev/null 2>&1 || $(PYTHON) -m venv --clear $(SIWE)
	$(SIWE)/bin/python -m pip install --quiet --disable-pip-version-check -r requirements-siwe.lock
	@touch $@

run: setup ## Serve everything here, installed before if need be (Ctrl-C ends it)
	@exec $(RUN) app run

demo: setup ## A sale, auctions, cashback, the gateway's failures: it ends by itself
	@exec $(RUN) app demo

consume: setup ## Run metrics and audit in this terminal (Ctrl-C ends them)
	@trap 'kill $$metrics $$audit 2>/dev/null; wait' INT TERM; \
	$(RUN) consumers metrics & metrics=$$!; $(RUN) consumers audit & audit=$$!; \
	wait $$metrics || failed=1; wait $$audit || failed=1; exit $${failed:-0}

## --- To test and to measure ---

test: setup test-servers $(VYPER)/.ready ## Run all tests, or a context's own (CONTEXT=payments); covers 90 %
	$(RUN) pytest --numprocesses auto --dist loadfile --no-loadscope-reorder $(if $(CONTEXT),tests/$(CONTEXT),--cov=app --cov-report=)
ifndef CONTEXT
	$(RUN) coverage report --skip-covered
	$(RUN) coverage report --include='app/kernel/*,app/contexts/*/domain/*,app/contexts/*/application/*' --fail-under=90
endif

test-today: setup test-servers ## The tests on newer PostgreSQL and RabbitMQ (TESTS=tests/system/crash)
	sh tests/today.sh trixie $(RUN) pytest --numprocesses auto --dist loadfile $(TESTS)
	sh tests/today.sh sid $(RUN) pytest --numprocesses auto --dist loadfile $(TESTS)

crash: setup test-servers ## The whole crash matrix; `make test` has its short form
	$(RUN) pytest tests/system/crash -m 'long or not long'

screenshots: setup ## Take the pictures of the console anew (needs Chromium)
	@mkdir -p docs/images
	SCREENSHOTS=$(CURDIR)/docs/images $(RUN) pytest -q tests/system/browser/test_screenshots.py

soak: setup test-servers ## Load, faults and an audit of everything: the bank test (DURATION=60 SEED=…)
	$(RUN) tests.system.soak --duration $(or $(DURATION),60) $(if $(SEED),--seed $(SEED))

bench: setup ## How fast it is (SCENARIO=spread REPEATS=3 DURATION=20; AGAINST=main PAIRS=5)
	@sh tests/install-servers.sh --bench
	$(RUN) bench $(if $(SCENARIO),--scenario $(SCENARIO)) $(if $(REPEATS),--repeats $(REPEATS)) $(if $(DURATION),--duration $(DURATION)) \
		$(if $(AGAINST),--against $(AGAINST)) $(if $(PAIRS),--pairs $(PAIRS))

bench-short: setup ## The same in tiny sizes: whether it works, not how fast
	@sh tests/install-servers.sh --bench
	$(RUN) bench --short

verify-million: setup ## Time and memory of `strongbox verify` over a million payments (PAYMENTS=…)
	$(RUN) bench.verify $(if $(PAYMENTS),--payments $(PAYMENTS))

teeth: setup test-servers ## Plant bugs, and see that the crash tests catch each (SOAK=1: the bank test, too)
	$(RUN) tests.system.teeth $(if $(SOAK),--soak)

engines: setup test-servers ## Kill, halt and restart what there are several of, under load (ENGINE=pgbouncer)
	$(RUN) tests.system.engines $(if $(ENGINE),--only $(ENGINE))

fuzz: setup test-servers $(TOOLS)/.ready ## Made-up requests against the whole service (EXAMPLES=100 SEED=…)
	$(RUN) tests.system.hostile --examples $(or $(EXAMPLES),100) $(if $(SEED),--seed $(SEED))

siwe-oracle: setup $(SIWE)/.ready ## Hold the reading of wallets' messages against another implementation's (WRITE=1)
	$(RUN) tests.identity.oracle $(if $(WRITE),--write)

contract: setup $(VYPER)/.ready ## Compile the token's contract anew, and compare (WRITE=1: write its artefact)
	$(RUN) tests.chain.contract $(if $(WRITE),--write)

test-servers:
	@sh tests/install-servers.sh

## --- To change it ---

lint: setup ## Check style, format, types and the architecture's boundaries
	$(RUN) ruff check .
	$(RUN) ruff format --check .
	$(RUN) mypy
	$(VENV)/bin/lint-imports

docs: setup $(TOOLS)/.ready ## Build the documentation as a site in build/docs
	$(VENV)/bin/python docs/site/reference.py build/reference
	$(TOOLS)/bin/python -m properdocs build --strict --clean --config-file docs/site/mkdocs.yml

audit-deps: setup $(TOOLS)/.ready ## Known vulnerabilities of the pinned dependencies
	$(RUN) tests.system.dependencies.audit

manifests: setup $(TOOLS)/.ready ## The Kubernetes manifests against the schemas of Kubernetes
	$(RUN) tests.system.kubernetes

licences: setup ## Write docs/licences.md anew
	$(RUN) tests.system.dependencies.licences

fmt: setup ## Format the code and mend what can be mended
	$(RUN) ruff check --fix-only .
	$(RUN) ruff format .

clean: ## Remove what was built and measured, and the data of `make run`
	@if [ -d .strongbox ]; then \
		if [ -x $(VENV)/bin/python ]; then $(RUN) app.main.local.clean; \
		else echo ".strongbox stays: whether a run is alive in it only 'make setup' can tell" >&2; fi; fi
	rm -rf $(TOOLS) $(SIWE) $(VYPER) .strongbox-soak .strongbox-bench build dist *.egg-info clients/python/build clients/python/*.egg-info .coverage htmlcov .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
	find . -path ./$(VENV) -prune -o -name __pycache__ -type d -exec rm -rf {} +

lock: setup ## Pin the dependencies anew, from pyproject.toml
	$(RUN) pip install --quiet pip-tools
	@sh tests/lock.sh $(VENV)/bin/pip-compile

## --- The schema; in the folder of a run its database is found, elsewhere DATABASE_URL says which ---

migrate: migrate-up ## The same as migrate-up

migrate-up: setup ## Run all pending migrations
	@$(RUN) app migrate up

migrate-down: setup ## Undo the last migration, or the last N=…
	@$(RUN) app migrate down $(or $(N),1)

migrate-version: setup ## Print the version of the schema
	@$(RUN) app migrate version

migrate-force: version-given setup ## Declare the schema to be at version V=…; runs nothing
	@$(RUN) app migrate force $(V)

version-given:
	@test -n "$(V)" || { echo "migrate-force needs the version: make migrate-force V=3" >&2; exit 2; }

## --- In Docker ---

# Once, for the nine services that run it: built by each of them at once they would get into each other's way.
image: ## Build the image
	$(COMPOSE) build migrate

up: image ## Start everything in Docker
	$(COMPOSE) up --detach --wait

observe: image ## The same, with Prometheus and Grafana
	$(COMPOSE) --profile observability up --detach --wait

down: ## Stop it; the data stays
	$(COMPOSE) --profile observability down

reset: image ## Stop it, remove its data, start and migrate anew
	$(COMPOSE) --profile observability down --volumes
	$(COMPOSE) up --detach --wait

logs: ## Follow its logs
	$(COMPOSE) logs --follow

rabbit-ui: ## Say where RabbitMQ's pages are
	@echo "With 'make up': http://127.0.0.1:15672, user and password 'strongbox' (queues, rates, messages)."
	@echo "The private RabbitMQ of 'make run' has no pages; its queues' consumers report on the metrics port."
