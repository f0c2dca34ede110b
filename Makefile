.DEFAULT_GOAL := help
SHELL := /bin/sh
PYTHON ?= python3
DURATION ?= 120
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/ready

.PHONY: help setup run demo servers test-quick test test-full chaos check format schemas lock clean

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(READY) ## Create .venv with all dependencies; .venv/bin/checkout is the command line

$(READY): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Python 3.11 or newer is needed: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --requirement requirements.lock
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --editable .
	@touch $@

run: $(READY) ## Run the whole system in one process, on http://127.0.0.1:8000 (Ctrl-C stops it)
	$(BIN)/checkout dev --data checkout-data

demo: $(READY) ## Take one checkout through the whole system
	@$(BIN)/checkout demo

servers: $(READY) ## Start Kafka, PostgreSQL and Redis, and print the settings for them (Ctrl-C stops them)
	@.ci/servers >&2
	@$(BIN)/python -m tests.servers

test-quick: $(READY) ## Run the tests that need no server, in about a minute
	$(BIN)/pytest -m quick --numprocesses 3 --dist loadfile

test: $(READY) ## Run the tests, and check their coverage, in about 12 minutes
	@.ci/servers
	$(BIN)/pytest -m "not full" --cov --cov-report= --numprocesses 3 --dist loadfile --no-loadscope-reorder
	@$(BIN)/coverage report --include='domain/*' --fail-under=100 --skip-covered
	@$(BIN)/coverage report --include='projections/*,services/*' --fail-under=90 --skip-covered
	@cat .pytest_cache/d/servers/skipped

test-full: $(READY) ## Run the tests that take long: failovers of servers, long outages, generated requests
	@.ci/servers
	$(BIN)/pytest -m full
	@cat .pytest_cache/d/servers/skipped

chaos: $(READY) ## Kill, freeze and restart everything at random, then audit: DURATION=120 (seconds) SEED=…
	@.ci/servers >&2
	@$(BIN)/python -m tests.faults.chaos --duration $(DURATION) $(if $(SEED),--seed $(SEED))

check: $(READY) ## Check format, lint, types, the direction of imports and the published schemas
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m tests.published

format: $(READY) ## Format the code
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

schemas: $(READY) ## Publish the current message schemas, unless they would break a consumer
	$(BIN)/python -m tests.published --renew

lock: $(READY) ## Pin the newest allowed versions in requirements.lock
	$(BIN)/pip install --quiet --upgrade pip-tools
	$(BIN)/pip-compile --quiet --upgrade --extra dev --extra embedded --extra otel --strip-extras --no-emit-index-url \
		--no-emit-find-links --no-emit-trusted-host --no-annotate --no-header \
		--output-file requirements.lock pyproject.toml

clean: ## Remove everything that make created
	rm -rf $(VENV) checkout-data .coverage .mypy_cache .ruff_cache .pytest_cache .hypothesis
