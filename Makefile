# `make help` says what there is. Every target sets up what it needs in .venv, from nothing but
# Python 3.11 or newer (with its venv module) and make.

.DEFAULT_GOAL := help

VENV := .venv
PY := $(VENV)/bin/python
PIP := PIP_DISABLE_PIP_VERSION_CHECK=1 $(PY) -m pip install --quiet --require-hashes
# Stamps: what .venv holds, and since when.
RUN := $(VENV)/requirements.stamp
DEV := $(VENV)/requirements-dev.stamp

CODE := manage.py newsletter papers subscribers tests benchmarks

# The tests and checks see none of the caller's settings (every variable that .env.example names),
# and keep their data in a folder of their own. (exec: a signal to make must reach the program.)
ISOLATED = exec env -u PYTHONDONTWRITEBYTECODE $$(sed -nE 's/^(\# )?([A-Z][A-Z0-9_]*)=.*/-u \2/p' .env.example) DATA_DIR=var/$@

# The operator's settings, for what works on the operator's data.
DOTENV = set -a; if [ -f .env ]; then . ./.env; fi; set +a

COV = $(if $(COVERAGE),--cov --cov-report= --cov-fail-under=0)

.PHONY: help
help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-9s %s\n", $$1, $$2 }' Makefile

.PHONY: demo
demo: $(RUN) ## Make and deliver one edition to a demo reader, and say where it is (PAPERS=file.json)
	@$(PY) manage.py demo

.PHONY: run
run: $(RUN) ## Run the service: web, workers, beat and a broker, on http://localhost:8000 (PORT=…)
	@$(DOTENV); $(PY) manage.py migrate --verbosity 0 && $(PY) manage.py prepare && exec $(PY) manage.py run

.PHONY: migrate
migrate: $(RUN) ## Bring the database up to date
	@$(DOTENV); $(PY) manage.py migrate

# COVERAGE=1 measures both legs together, and fails below `fail_under` of pyproject.toml.
.PHONY: test
test: $(DEV) ## Run all but the slow tests on SQLite and on PostgreSQL with Valkey (ARGS="-k name")
	@rm -f .coverage .coverage.* var/test-*/slow-left-out
	@$(MAKE) --no-print-directory --keep-going --jobs=2 --output-sync=target test-sqlite test-postgresql
	@cat var/test-*/slow-left-out | awk '{ n += $$1 } \
		END { if (n) print n " slow tests (browser, real workers, random API calls) were left out: make test-all runs them too." }'
	@$(if $(COVERAGE),$(PY) -m coverage combine --quiet && $(PY) -m coverage report)

.PHONY: test-slow
test-slow: $(DEV)
	@$(MAKE) --no-print-directory test ARGS='--slow -m "slow or hypothesis" --hypothesis-profile=thorough $(ARGS)'

.PHONY: test-all
test-all: test test-slow ## Run the slow tests too, and try many more random examples

.PHONY: test-sqlite
test-sqlite: $(DEV)
	@$(ISOLATED) COVERAGE_FILE=.coverage.sqlite $(PY) -m pytest $(COV) $(ARGS)

.PHONY: test-postgresql
test-postgresql: $(DEV)
	@$(ISOLATED) COVERAGE_FILE=.coverage.postgresql $(PY) -m tests.servers -- $(PY) -m pytest $(COV) $(ARGS)

.PHONY: check
check: $(DEV) ## Check style, types, templates, migrations and settings: with the tests, all of CI
	$(PY) -m ruff check
	$(PY) -m ruff format --check
	@echo "django-upgrade, djade"
	@find $(CODE) -name '*.py' -exec $(PY) -m django_upgrade --check {} +
	@find templates -name '*.html' -exec $(VENV)/bin/djade --check {} +
	@echo "codespell"
	@$(VENV)/bin/codespell
	@echo "mypy"
	@$(ISOLATED) $(PY) -m mypy
	@echo "manage.py check, makemigrations --check"
	@$(ISOLATED) $(PY) manage.py check --fail-level WARNING
	@$(ISOLATED) $(PY) manage.py makemigrations --check --dry-run
	@echo "manage.py check --deploy, with a production's variables"
	@$(ISOLATED) DEBUG=0 SITE_URL=https://papers.example.org POSTAL_ADDRESS="1 Example Street" \
		SECRET_KEY=only-to-check-0123456789-abcdefghijklmnopqrstuvwxyz \
		$(PY) manage.py check --deploy --fail-level WARNING

.PHONY: lint
lint: $(DEV) ## Show what the linter would change
	@$(PY) -m ruff check

.PHONY: format
format: $(DEV) ## Format code and templates, and fix what can be fixed without a person
	@find $(CODE) -name '*.py' -exec $(PY) -m django_upgrade --exit-zero-even-if-changed {} +
	@$(PY) -m ruff check --fix --exit-zero
	@$(PY) -m ruff format
	@find templates -name '*.html' -exec $(VENV)/bin/djade {} + || true

.PHONY: bench
bench: $(DEV) ## Run the benchmarks (ARGS="name …")
	@$(ISOLATED) $(PY) -m benchmarks $(ARGS)

.PHONY: pins
pins: $(PY) ## Choose exact versions again, and write them with their hashes (ARGS=--upgrade)
	@$(PY) -m pip install --quiet 'uv>=0.9,<1'
	@$(PIN) --output-file requirements.txt
	@$(PIN) --constraint requirements.txt --group dev --all-extras --output-file requirements-dev.txt

# One file for every platform and Python version; no addresses, so any package index will do. Extras
# stay: pip does not take coverage==1 for the coverage[toml] of another package.
PIN = UV_CUSTOM_COMPILE_COMMAND="make pins" $(PY) -m uv pip compile pyproject.toml --quiet \
	--universal --python-version 3.11 --generate-hashes --no-strip-extras --no-emit-index-url --no-emit-find-links $(ARGS)

# The development requirements hold the run-time ones, in the same versions.
$(DEV): requirements-dev.txt | $(PY)
	@echo "Setting up $(VENV) to work on the code (a minute or two) …"
	@$(PIP) -r requirements-dev.txt
	@touch $(RUN) $(DEV)

$(RUN): requirements.txt | $(PY)
	@echo "Setting up $(VENV) (less than a minute) …"
	@$(PIP) -r requirements.txt
	@touch $(RUN)

# The first Python here that is new enough and has venv; or name one: make PYTHON=/path/to/python
$(PY):
	@for python in $${PYTHON:-python3 python3.13 python3.12 python3.11 python3.14}; do \
		if "$$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then \
			new_enough=$$python; \
			if "$$python" -c 'import ensurepip, venv' 2>/dev/null; then \
				exec "$$python" -m venv --clear $(VENV); \
			fi; \
		fi; \
	done; \
	if [ -n "$$new_enough" ]; then \
		echo "$$new_enough has no venv module: install it (on Debian and Ubuntu: apt install python3-venv)." >&2; \
	else \
		echo "Python 3.11 or newer is needed: install it, or name it with PYTHON=/path/to/python3." >&2; \
	fi; \
	exit 1
