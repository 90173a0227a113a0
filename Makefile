# Every target sets itself up: python3 (3.11 or newer), make and a package registry are enough.
# What is downloaded is held to the hashes in requirements*.txt, here and in each of PYTHON_FOLDERS, and in the
# package-lock.json of each of NODE_FOLDERS.
# The locks are complete, so nothing is resolved (--no-deps): pip would look past a pin for what is asked for with extras.

PYTHON ?= python3
# Compiled files are kept, whatever the environment says: to compile all tests anew takes as long as to run many of them.
unexport PYTHONDONTWRITEBYTECODE
BIN := .venv/bin
INSTALL := $(BIN)/python -m pip -qq --disable-pip-version-check install

# One file per finished piece of set-up: done again only when what it was made from changes.
PIP := $(BIN)/pip
RUN := .venv/installed-to-run
DEV := .venv/installed-to-develop
NODE_FOLDERS := tests/interop tests/openapi/linters tests/openapi/typescript_client
NODE := $(if $(shell command -v npm),$(NODE_FOLDERS:%=%/node_modules/.package-lock.json))
PYTHON_FOLDERS := tests/openapi/python_client tests/openapi/schemathesis
PYTHON_CLIENT := tests/openapi/python_client/.venv/installed
SCHEMATHESIS := tests/openapi/schemathesis/.venv/installed

# One worker more than there are processors, because tests wait for servers and browsers; at most four. A worker with
# nothing left to do takes tests over from the others.
WORKERS := $(shell expr $$(getconf _NPROCESSORS_ONLN) + 1)
PYTEST := $(BIN)/pytest --numprocesses=$(WORKERS) --maxprocesses=4 --dist=worksteal

.PHONY: help demo serve quick one test test-all soak schemathesis check slow lint types drift coverage fuzz bench fix examples catalogues lock

help: ## This list
	@sed -n 's/^\([a-z-]*\):.*## /  make \1	/p' $(MAKEFILE_LIST) | expand -t 20

demo: $(RUN) ## The main job on a small network: issue, verify, tamper, revoke (result in var/demo/)
	@$(BIN)/laurel demo

serve: $(RUN) ## The service on http://localhost:8000
	@$(BIN)/laurel serve

quick: $(DEV) ## What is quick of the tests of credentials/ and service/, on SQLite: under a minute
	@$(PYTEST) --databases=sqlite -m "not slow" tests/credentials tests/service $(wildcard tests/test_*.py) $(ARGS)

one: $(DEV) ## Some tests, on every database: make one T=tests/service/awards/test_api.py, or words of their names
	@$(BIN)/pytest $(if $(findstring /,$(T)),$(T),-k "$(or $(T),$(error which tests? make one T=...))") $(ARGS)

test: $(DEV) $(NODE) $(PYTHON_CLIENT) ## All tests: SQLite, PostgreSQL where it may differ, other people's verifiers, browser
	@$(PYTEST) --databases=$(if $(filter test-all,$(MAKECMDGOALS)),all,chosen) $(ARGS)

test-all: test soak schemathesis ## All tests, on SQLite and PostgreSQL, the soak, and requests drawn from the description

soak: $(DEV) ## Attack a service for ten minutes, half on SQLite and half on PostgreSQL: make soak ARGS=--soak=60 is shorter
	@$(BIN)/pytest --soak=600 --capture=tee-sys tests/attacks $(ARGS)

schemathesis: $(DEV) $(SCHEMATHESIS) ## Requests drawn from the description of the API: make schemathesis ARGS=--seed=2 draws others
	@$(BIN)/python -m tests.openapi.generated_requests $(ARGS)

check: lint types drift test coverage ## All that CI asks: format, lint, types, drift, tests and their coverage

slow: $(DEV) $(NODE) $(PYTHON_CLIENT) ## Measure anew which tests take long: quick leaves them out, the others begin with them
	@$(PYTEST) --databases=sqlite --record-slow $(ARGS)

lint: $(DEV) ## Format, lint and plain English, changing nothing
	@$(BIN)/ruff format --check
	@$(BIN)/ruff check
	@$(BIN)/python -m tests.plain_english

types: $(DEV) ## mypy, strict
	@$(BIN)/mypy

drift: $(DEV) ## openapi/ against the service (migrations against the rows: a test, on both databases)
	@$(BIN)/laurel openapi --check

coverage: $(DEV) # of every branch of credentials/, by its own tests; those that alter each place of a badge add none
	@$(PYTEST) --databases=sqlite tests/credentials --ignore=tests/credentials/test_mutations.py \
		--cov=credentials --cov-branch --cov-report=term-missing:skip-covered --cov-fail-under=100

fuzz: $(DEV) ## Both roads of canonicalization on random documents: make fuzz ARGS=3600 for an hour
	@$(BIN)/python -m tests.credentials.graph.fuzzing $(ARGS)

bench: $(DEV) ## Figures: how fast, how much memory
	@$(BIN)/python -m tests.benchmarks $(ARGS)

fix: $(DEV) ## Format, and mend what the linter can
	@$(BIN)/ruff format
	@$(BIN)/ruff check --fix

examples: $(DEV) ## Record anew what the service answers to the examples in its description
	@$(BIN)/python -m tests.openapi.record_examples

catalogues: $(DEV) ## Collect the texts that people read, and bring every language's catalogue up to them
	@$(BIN)/pybabel -q extract --mapping=pyproject.toml --add-location=file --sort-by-file --no-wrap --omit-header \
		--output=$(LOCALES)/laurel.pot service
	@for language in $(LOCALES)/*/; do $(BIN)/pybabel -q update --domain=laurel --locale=$$(basename $$language) \
		--input-file=$(LOCALES)/laurel.pot --output-dir=$(LOCALES) --no-wrap --no-fuzzy-matching --ignore-obsolete \
		--ignore-pot-creation-date --init-missing; done

LOCALES := service/texts/locales

lock: $(DEV) ## Lock the newest versions that pyproject.toml and the package.json of other people's programs allow
	$(LOCK) --group=build --output-file=requirements.txt
	$(LOCK) --group=build --group=dev --constraint=requirements.txt --output-file=requirements-dev.txt
	for folder in $(PYTHON_FOLDERS); do $(COMPILE) $$folder/requirements.in --output-file=$$folder/requirements.txt || exit 1; done
	for folder in $(NODE_FOLDERS); do (cd $$folder && npm install --package-lock-only --ignore-scripts) || exit 1; done

COMPILE = $(BIN)/uv --quiet pip compile --upgrade --universal --python-version=3.11 --generate-hashes --no-annotate \
	--custom-compile-command="make lock"
LOCK = $(COMPILE) pyproject.toml

$(PIP):
	@command -v $(PYTHON) >/dev/null \
		|| { echo 'Laurel needs Python 3.11 or newer, and "$(PYTHON)" is not here; name yours: make PYTHON=python3.12 ...' >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "Laurel needs Python 3.11 or newer, and \"$(PYTHON)\" is $$($(PYTHON) -V 2>&1); name another: make PYTHON=python3.12 ..." >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null \
		|| { echo 'Laurel needs the venv module of "$(PYTHON)", which is not installed (Debian, Ubuntu: apt-get install python3-venv).' >&2; exit 1; }
	@$(PYTHON) -m venv .venv

$(RUN): requirements.txt pyproject.toml | $(PIP)
	@echo 'Setting up .venv (the first time about half a minute) ...'
	@$(INSTALL) --require-hashes --no-deps -r requirements.txt
	@$(INSTALL) --no-deps --no-build-isolation --editable .
	@touch $@

$(DEV): requirements-dev.txt requirements.txt pyproject.toml | $(PIP)
	@echo 'Setting up .venv with the tools for development (the first time about a minute) ...'
	@$(INSTALL) --require-hashes --no-deps -r requirements-dev.txt
	@$(INSTALL) --no-deps --no-build-isolation --editable .
	@touch $(RUN) $@

tests/openapi/%/.venv/installed: tests/openapi/%/requirements.txt
	@echo "Setting up other people's programs in tests/openapi/$* for the tests ..."
	@$(PYTHON) -m venv $(@D)
	@$(@D)/bin/python -m pip -qq --disable-pip-version-check install --require-hashes --no-deps -r $<
	@touch $@

tests/%/node_modules/.package-lock.json: tests/%/package-lock.json
	@echo "Setting up other people's programs in tests/$* for the tests ..."
	@cd tests/$* && npm ci --silent --ignore-scripts
	@touch $@
