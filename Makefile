# The shop's commands. They need Python 3.11 or newer and make, nothing else; everything they install goes into .venv.
# All paths are relative, because make would split a folder's name at its spaces.

.DEFAULT_GOAL := help
.PHONY: help run cluster test bench lint messages requirements clean

BOOTSTRAP := project/embedded/bootstrap.py
SERVICES := .venv/bin/python -m project.embedded with-services --

# Shell: puts an interpreter into $$python: the one of PYTHON=…, or the first that is new enough, .venv's own before all.
# One that lacks its venv module serves only if no other is there; the bootstrap then says what to install.
define FIND_PYTHON
python=; other=; found=; \
if [ -n "$$PYTHON" ]; then set -- "$$PYTHON"; \
else set -- .venv/bin/python python3 python3.13 python3.12 python3.11 python3.14 python; fi; \
for candidate in "$$@"; do \
  command -v "$$candidate" >/dev/null 2>&1 || continue; \
  found=$${found:-$$candidate}; \
  "$$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1 || continue; \
  other=$${other:-$$candidate}; \
  "$$candidate" -c 'import ensurepip, venv' >/dev/null 2>&1 || continue; \
  python=$$candidate; break; \
done; \
python=$${python:-$$other}; \
if [ -z "$$found" ]; then \
  echo "Python was not found: install Python 3.11 or newer, or name one, for example: PYTHON=/opt/python/bin/python3 make run" >&2; exit 1; \
fi; \
if [ -z "$$python" ]; then \
  echo "Samovar needs Python 3.11 or newer, and $$found is $$("$$found" --version 2>&1): install a newer one, or name one, for example: PYTHON=python3.12 make run" >&2; exit 1; \
fi
endef

## run           start the whole shop: PORT=8001 for another port, DEMO=0 without the demo shop
run:
	@$(FIND_PYTHON); "$$python" $(BOOTSTRAP) --for-run requirements.txt
	@exec .venv/bin/python manage.py up --parent $$PPID

## cluster       start three database nodes with Patroni and etcd on this machine, to try a failover
cluster:
	@$(FIND_PYTHON); "$$python" $(BOOTSTRAP) requirements.txt requirements-cluster.txt
	@exec .venv/bin/python -m project.embedded cluster --parent $$PPID

## test          run the tests whose means are there, with a database of their own; CI=true runs the slow ones too
test:
	@$(FIND_PYTHON); "$$python" $(BOOTSTRAP) requirements.txt requirements-dev.txt
	@$(SERVICES) .venv/bin/python -m pytest --numprocesses=auto --cov --cov-report=term:skip-covered $(SELECTED) $(ARGS)

# What takes long, door by door or example by example: continuous integration runs it, nobody waits for it at home.
SELECTED := $(if $(filter true 1,$(CI)),,-m "not slow")

## bench         measure the speed and print a table
bench:
	@$(FIND_PYTHON); "$$python" $(BOOTSTRAP) requirements.txt requirements-cluster.txt
	@.venv/bin/python -m project.embedded with-services --durable -- .venv/bin/python -m benchmarks $(ARGS)

## lint          check style, types, import contracts, migrations and the production settings
lint:
	@$(FIND_PYTHON); "$$python" $(BOOTSTRAP) requirements.txt requirements-dev.txt
	.venv/bin/python -m ruff check
	.venv/bin/python -m ruff format --check
	$(PRODUCTION) .venv/bin/python -m mypy .
	.venv/bin/lint-imports
	$(SERVICES) .venv/bin/python manage.py makemigrations --check --dry-run
	$(PRODUCTION) .venv/bin/python manage.py check --deploy --fail-level WARNING
	.venv/bin/python -m pip check

# Settings as in production, with made-up secrets: the check reads them and connects to nothing.
PRODUCTION := env SECRET_KEY=made-up-for-the-check-of-the-settings-0123456789-abcdefghijkl \
  FIELD_ENCRYPTION_KEYS=sA9g2F1oNpAYHhZxL7iMT8bfw2mdHqZ2h0mGQGmK6lM= \
  DATABASE_URL=postgres://samovar:password@database.example:5432/samovar REDIS_URL=redis://redis.example:6379/1 \
  ALLOWED_HOSTS=shop.example HTTPS=1 BEHIND_PROXY=1

## messages      bring the Russian texts up to date with the code and compile them; needs gettext
messages:
	@$(FIND_PYTHON); "$$python" $(BOOTSTRAP) requirements.txt
	$(PRODUCTION) .venv/bin/python manage.py makemessages
	$(PRODUCTION) .venv/bin/python manage.py compilemessages --locale ru --ignore .venv --ignore var

## requirements  compile requirements.txt and those for places, the cluster and development from their .in files
requirements:
	@$(FIND_PYTHON); "$$python" $(BOOTSTRAP) requirements.txt requirements-dev.txt
	$(COMPILE) requirements.in
	$(COMPILE) requirements-places.in
	$(COMPILE) requirements-cluster.in
	$(COMPILE) requirements-dev.in

COMPILE := .venv/bin/python -m piptools compile --quiet --strip-extras --no-emit-index-url --no-emit-find-links \
  --no-emit-trusted-host

## clean         delete what tests, linters and the installation made; never var/, where the shop's data is
clean:
	rm -rf .venv .coverage .coverage.* htmlcov .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	find . -path ./var -prune -o -type d -name __pycache__ -exec rm -rf {} +

help:
	@echo "The shop's commands:"; sed -n 's/^## /  make /p' Makefile
