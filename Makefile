# Loupe. `make` lists the commands. Works with GNU make 3.81 and later.
SHELL := /bin/bash
VENV := .venv
PYTHON := $(VENV)/bin/python
STAMP := $(VENV)/installed
ARGS ?=
# Linting loads the settings, which want a key; no secret.
LINT_ENV := SECRET_KEY=lint DEBUG=0
# A worker a core, each with servers of its own; WORKERS=0 runs all tests in one process.
WORKERS ?= 2
PYTEST := $(PYTHON) -m pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder

.DEFAULT_GOAL := help
.PHONY: help install demo dev test test-all lint format bench browser screenshots

help: ## list the commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

install: $(STAMP) ## make .venv with all that the demo, the tests and the benchmarks need

$(STAMP): pyproject.toml constraints.txt
	@set -o pipefail; \
	if [ ! -x $(PYTHON) ]; then \
	  for name in python3.12 python3.11 python3.13 python3 ""; do \
	    [ -n "$$name" ] || { echo "Loupe needs Python 3.11 or later."; exit 1; }; \
	    "$$name" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && break; \
	  done; \
	  echo "Making $(VENV) with $$name"; "$$name" -m venv $(VENV) || exit 1; \
	fi; \
	$(PYTHON) -c 'import tomllib; \
	p = tomllib.load(open("pyproject.toml", "rb")); \
	print(*p["project"]["dependencies"], *p["dependency-groups"]["dev"], sep="\n")' > $(VENV)/requirements.txt && \
	echo "Installing; the first time takes some minutes" && \
	$(PYTHON) -m pip install --disable-pip-version-check --no-input --progress-bar off \
	  -c constraints.txt -r $(VENV)/requirements.txt \
	  | awk '/^ *Downloading .*MB/ {print "  " $$2, $$3, $$4} /^Installing/ {print "  installing"} {fflush()}' && \
	touch $@

demo: install ## the whole desk with demo images: make demo ARGS="--check | --images DIR | --port N"
	@DEBUG=$${DEBUG:-1} $(PYTHON) manage.py demo $(ARGS)

dev: install ## servers, worker and an autoreloading web server: make dev ARGS="--port N"
	@DEBUG=$${DEBUG:-1} $(PYTHON) -m config.processes dev $(ARGS)

test: lint browser ## every check that CI runs
	@$(PYTEST) $(ARGS)

test-all: lint browser ## the same with the slow tests, and what no test runs
	@$(PYTEST) --cov --cov-report=term -m "slow or not slow" $(ARGS)

browser: install
	@$(PYTHON) -m tests.chromium >/dev/null 2>&1 || { \
	  echo "Getting a browser for the tests"; \
	  if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	    apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium >/dev/null; \
	  fi; \
	  $(PYTHON) -m tests.chromium >/dev/null 2>&1 || $(PYTHON) -m playwright install chromium; \
	}

lint: install ## style, types, import contracts, templates, migrations
	@$(PYTHON) -m ruff check --quiet
	@$(PYTHON) -m ruff format --check --quiet || { echo "Not formatted; run: make format"; exit 1; }
	@$(LINT_ENV) $(PYTHON) -m mypy
	@$(VENV)/bin/lint-imports --no-logo
	@find templates -name '*.html' -exec $(VENV)/bin/djade --target-version 5.2 --check {} +
	@$(LINT_ENV) $(PYTHON) manage.py makemigrations --check --dry-run

format: install ## let the formatters have their way
	@$(PYTHON) -m ruff check --fix --quiet || true
	@$(PYTHON) -m ruff format
	@find templates -name '*.html' -exec $(VENV)/bin/djade --target-version 5.2 {} +

screenshots: browser ## pictures of every screen, in artefacts/screenshots/: make screenshots ARGS="desk-blurred --theme light"
	@$(PYTHON) -m tests.screens $(ARGS)

bench: install ## measure: JSON lines, kept in bench/results/
	@$(PYTHON) -m bench $(ARGS)
