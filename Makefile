# Two commands do everything: `make demo` and `make test`. Each sets up what it needs by itself.

PYTHON ?= python3
VENV := .venv
RUN := PATH="$(CURDIR)/$(VENV)/bin:$$PATH" $(VENV)/bin/python
# Most tests wait for something, so two at a time nearly halve it; three would crowd two cores. A file's tests stay
# together, the longest file is the first, and a process that died is not replaced: it would die again.
SPREAD := -n 2 --dist loadfile --no-loadscope-reorder --max-worker-restart 0
ARGS ?=
NAMES ?=
LOCK := $(VENV)/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-annotate \
	--no-emit-index-url --no-emit-find-links --custom-compile-command "make lock" pyproject.toml

.DEFAULT_GOAL := help
.PHONY: help demo test unit soak check lint bench generate types format lock clean

help: ## Say what there is
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 16

demo: $(VENV)/demo.stamp ## Run a site on this machine and ask its cloud for the verdict; ARGS="--seconds 90 ..."
	@$(RUN) -m tools.command demo $(ARGS)

test: lint node_modules/dev.stamp ## Lint, then run every test but the long ones; ARGS="tests/hub -k planner"
	@$(RUN) -m pytest $(SPREAD) $(ARGS)

unit: $(VENV)/dev.stamp ## Run the tests that need no server but their own
	@$(RUN) -m pytest $(SPREAD) $(addprefix --ignore=tests/,end_to_end micropython supabase tools/local_cloud) $(ARGS)

soak: $(VENV)/dev.stamp node_modules/dev.stamp ## Run the long versions of the tests
	@$(RUN) -m pytest --soak -m soak -o faulthandler_timeout=7200 $(ARGS)

check: lint ## Lint, types, layering, generated files fresh
	@$(RUN) -m pytest tests/test_repository.py

lint: $(VENV)/dev.stamp ## Style, types, layering, generated files, Edge Functions
	@$(RUN) -m ruff format --check --quiet .
	@$(RUN) -m ruff check --quiet .
	@$(RUN) -m mypy
	@$(RUN) -m tools.generate --check
	@$(RUN) -m tools.layering
	@$(RUN) -m tools.local_cloud.deno_io

bench: $(VENV)/dev.stamp ## Measure against the references; NAMES="outbox uplink" ARGS="--json out.json"
	@$(RUN) -m tools.command bench $(NAMES) $(ARGS)

generate: $(VENV)/dev.stamp ## Write what is written from shared_schema
	@$(RUN) -m tools.generate

types: node_modules/dev.stamp ## Write the TypeScript types of the database from the migrations
	@$(RUN) -m tools.database_types

format: $(VENV)/dev.stamp ## Format the Python files and mend what can be mended
	@$(RUN) -m ruff format .
	@$(RUN) -m ruff check --fix .

lock: $(VENV)/dev.stamp ## Renew the lock files from pyproject.toml; ARGS=--upgrade for newer versions
	@$(LOCK) --group dev --output-file requirements/dev.txt $(ARGS)
	@$(LOCK) --group demo --constraints requirements/dev.txt --output-file requirements/demo.txt

clean: ## Remove everything that can be made again
	@rm -rf $(VENV) .cache node_modules build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis
	@find . -name __pycache__ -prune -exec rm -rf {} +

# The test environment holds everything the demo needs, at the same versions.
$(VENV)/demo.stamp: requirements/demo.txt tools/prepare_venv.py
	@echo "Setting up .venv (once; about half a minute)"
	@$(PYTHON) tools/prepare_venv.py $<
	@touch $@

$(VENV)/dev.stamp: requirements/dev.txt tools/prepare_venv.py
	@echo "Setting up .venv with the test tools (once; about a minute)"
	@$(PYTHON) tools/prepare_venv.py $<
	@touch $@ $(VENV)/demo.stamp

# Before the tests, so that no test waits for a download.
node_modules/dev.stamp: package-lock.json $(VENV)/dev.stamp
	@$(RUN) -c "from tools.local_cloud.node_io import ensure_node_modules as ensure; ensure(dev=True)"
	@touch $@
