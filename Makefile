# Two commands matter: `make demo` and `make test`. Each sets up all it needs in .venv and does again only what changed.
SHELL := /bin/bash
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help

VENV := .venv
BIN := $(VENV)/bin
DONE := $(VENV)/.done
PIP_VERSION := 26.3
# The first Python that is new enough and can make virtual environments; set PYTHON to choose another.
PYTHON ?= $(shell for python in python3 python3.13 python3.12 python3.11 python3.14; do \
	$$python -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1 && { echo $$python; break; }; done)
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet install --constraint constraints.txt
PYTEST := $(BIN)/python -m pytest -n auto --dist loadgroup

# What one command has compiled, the hundreds that tests start need not compile again.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help
help:
	@echo 'make demo        install, then evaluate the embedded model on the starter suite and print its level card'
	@echo 'make test        every test that needs nothing but Python'
	@echo 'make test-full   all tests: with Prometheus, Alertmanager, Chromium and PostgreSQL, and General-Bench if a copy is there'
	@echo "                 (ONLY=\"-m 'full and not soak'\": only those that make test leaves out)"
	@echo 'make soak        the long form of what make test does in small: storms of failures, kills, restarts, memory, fuzzes'
	@echo 'make check       format, lint, types, import rules, sizes, contract, deployment files'
	@echo 'make test-images the image and the stack of docker-compose.yml under podman, with the demo in it (Debian, root)'
	@echo 'make audit       known vulnerabilities of the packages that are installed'
	@echo 'make policies    what checkov says of the Helm chart'
	@echo 'make bench       the benchmarks; prints their figures'
	@echo 'make proto       generate the contract code again'
	@echo 'make clean       remove .venv and everything generated'

.PHONY: demo
demo: $(DONE)/base
	$(BIN)/genlevel eval --model embedded/generalist --suite starter

# Commands that tests call are forked from a process that has imported what they import (tests/integration/forker.py): to start Python for
# each took most of the time. Tests marked slow come first; those that share the embedded model or a llama.cpp server share a worker.
# Marked services are run with tokens and with client certificates, too (GENLEVEL_TEST_AUTH, tests/integration/credentials.py), and then over
# PostgreSQL and NATS (GENLEVEL_TEST_STORAGE, tests/integration/shared_storage.py); make soak runs all of tests/integration with either.
# Marked soak is the large form of a test whose small form stays here; marked full too, it needs a PostgreSQL.
.PHONY: test
test: $(DONE)/test
	$(PYTEST) -m 'not full and not soak'

.PHONY: test-full
test-full: $(DONE)/full
	$(MAKE) --keep-going --jobs=3 --output-sync=line full-tests services-tokens services-mtls

# At once, as each of them mostly waits.
.PHONY: full-tests services-tokens services-mtls
full-tests: $(DONE)/full
	$(PYTEST) $(or $(ONLY),-m 'not soak')

services-tokens services-mtls: services-%: $(DONE)/full
	GENLEVEL_TEST_STORAGE=shared GENLEVEL_TEST_AUTH=$* $(PYTEST) -n 1 tests/integration -m 'services and not soak and not full'

.PHONY: soak
soak: $(DONE)/soak
	$(PYTEST) -m soak
	$(PYTEST) --hypothesis-profile=explore -m 'hypothesis and not full'
	GENLEVEL_TEST_AUTH=tokens $(PYTEST) tests/integration -m 'not soak and not full'
	GENLEVEL_TEST_AUTH=mtls $(PYTEST) tests/integration -m 'not soak and not full'
	@set -e; for fuzz in tests/performance/fuzz_*.py; do echo "== $$fuzz"; $(BIN)/python $$fuzz; done

.PHONY: test-images
test-images: $(DONE)/base
	$(BIN)/python deploy/check/images.py

.PHONY: check lint types imports house contract deployment
check: lint types imports house contract deployment

lint: $(DONE)/check
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(DONE)/check
	$(BIN)/mypy

imports: $(DONE)/check
	$(BIN)/lint-imports

house: $(DONE)/check
	$(BIN)/python deploy/check/house.py

contract: $(DONE)/check
	$(BIN)/python deploy/check/contract.py

deployment: $(DONE)/check
	$(BIN)/python deploy/check/deployment.py

# All that checks and tests need but what make test-full adds: so that none is installed while others run.
.PHONY: installed
installed: $(DONE)/audit $(DONE)/checkov

# What tests import is compiled, and their assertions are rewritten, once: else each of their workers does that for itself.
.PHONY: collected
collected: $(DONE)/test
	@$(BIN)/python -m pytest -n0 -qqq --collect-only >$(DONE)/collected.txt || { cat $(DONE)/collected.txt; exit 1; }

.PHONY: audit
audit: $(DONE)/audit
	$(BIN)/python deploy/check/audit.py

.PHONY: policies
policies: $(DONE)/check $(DONE)/checkov
	$(BIN)/python deploy/check/policies.py $(VENV)/checkov/bin/checkov

.PHONY: proto
proto: $(DONE)/check
	$(BIN)/python deploy/check/contract.py --write

.PHONY: bench
bench: $(DONE)/soak
	@set -e; for bench in tests/performance/bench_*.py; do echo "== $$bench"; $(BIN)/python $$bench; done

.PHONY: clean
clean:
	rm -rf $(VENV) build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(DONE)/python: Makefile
	@test -n "$(PYTHON)" || { echo 'genlevel needs Python 3.11 or newer with its venv module (on Debian: python3-venv). Install it, or name one: make PYTHON=/path/to/python3' >&2; exit 1; }
	$(PYTHON) -m venv --clear $(VENV)
	$(BIN)/python -m pip --disable-pip-version-check --quiet install pip==$(PIP_VERSION)
	@mkdir -p $(DONE) && touch $@

$(DONE)/base: $(DONE)/python pyproject.toml constraints.txt
	$(PIP) --editable '.[embedded]'
	$(BIN)/genlevel install-embedded
	@touch $@

$(DONE)/test: $(DONE)/base
	$(PIP) --group test
	@touch $@

$(DONE)/soak: $(DONE)/test
	$(PIP) --group soak
	@touch $@

$(DONE)/check: $(DONE)/test
	$(PIP) --group check
	@touch $@

# In an environment of its own: it wants other versions of what we need. Our pip is faster than the one that it would bring.
$(DONE)/checkov: $(DONE)/python deploy/check/checkov.txt
	$(BIN)/python -m venv --clear --without-pip $(VENV)/checkov
	$(BIN)/python -m pip --python $(VENV)/checkov --disable-pip-version-check --quiet install --no-compile --no-deps \
		--requirement deploy/check/checkov.txt
	@touch $@

# After those: one at a time installs into the environment, so that `make --jobs=2 check audit` can be.
$(DONE)/audit: $(DONE)/check
	$(PIP) --group audit
	@touch $@

# Networks' packages have thousands of modules, of which few are ever imported: those are compiled then.
$(DONE)/full: $(DONE)/test
	$(PIP) --no-compile --editable '.[embedded,vision,video,audio]' --group full
	$(PIP) --no-deps speechmos
	@touch $@
