# Two commands do all the set-up: `make practice` and `make test`.
PYTHON ?= python3
UV_VERSION = 0.13.9
UV = .uv/bin/uv
BIN = .venv/bin
PYTEST = $(BIN)/python -m pytest --dist loadgroup
# Screens wait for their clocks most of the time, so four share two cores; what has real nodes is given a core each.
SCREENS = tests/screens tests/tui
THE_REST = $(SCREENS:%=--ignore=%)

.PHONY: practice test test-deep check java gallery lock clean help

help:            ## what one can make
	@grep -E '^[a-z-]+:.*##' Makefile | sed -E 's/^([a-z-]+):.*## /  make \1|/' | column -t -s '|'

practice: .venv/ready  ## a complete backup and restore on an embedded practice cluster
	$(BIN)/atlasdb-recovery practice

test: check java  ## everything that must hold, the real three-node clusters included
	$(PYTEST) -n 4 -m "not deep" $(SCREENS)
	$(PYTEST) -n 2 -m "not deep" $(THE_REST)

test-deep: check java ## the long versions of the same
	$(PYTEST) -n 4 $(SCREENS)
	$(PYTEST) -n 2 $(THE_REST)

java: .venv/ready
	@$(BIN)/python -c 'import sys; from atlasdb_recovery.practice.java import java; sys.tracebacklimit = 0; java()'

gallery: .venv/ready  ## the pictures of the wizard in docs/gallery, taken anew
	$(BIN)/python -m tests.screens.gallery docs/gallery

check: .venv/ready  ## format, lint, types, layers
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

lock: $(UV)      ## pin every dependency anew
	$(UV) pip compile --quiet --universal --generate-hashes --no-header --extra dev pyproject.toml -o requirements.lock

$(UV):
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "atlasdb-recovery needs Python 3.11 or newer; this is $$($(PYTHON) --version). Name another one: make PYTHON=python3.12 …" >&2; exit 1; }
	$(PYTHON) -m venv .uv
	.uv/bin/python -m pip install --quiet uv==$(UV_VERSION)

.venv/ready: requirements.lock pyproject.toml | $(UV)
	$(UV) venv --quiet --allow-existing --python $(PYTHON) .venv
	$(UV) pip sync --quiet --python .venv --require-hashes requirements.lock
	$(UV) pip install --quiet --python .venv --no-deps --no-build-isolation --editable .
	touch $@

clean:           ## remove what make made
	rm -rf .uv .venv .mypy_cache .pytest_cache .ruff_cache .import_linter_cache
