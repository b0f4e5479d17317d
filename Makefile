# `make` alone lists the targets. Each sets itself up in .venv.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
LOCK := requirements/dev.lock
UV_COMPILE := $(BIN)/uv pip compile --quiet --universal --generate-hashes --python-version 3.11 \
	--custom-compile-command 'make lock' pyproject.toml --extra speed

.DEFAULT_GOAL := help
.PHONY: help demo test check format controlplane bench lock clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(VENV)/.ready: $(LOCK) pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "error: pilotfish needs Python 3.11 or newer; $(PYTHON) is $$($(PYTHON) --version)" >&2; \
		echo "hint: name another one, for example: make PYTHON=python3.12" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --require-hashes --requirement $(LOCK)
	$(BIN)/pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

demo: $(VENV)/.ready controlplane ## schedule real pods on a real API server and watch why each goes where
	$(BIN)/python hack/demo.py

test: $(VENV)/.ready ## run the tests; those that need the control plane are skipped without it
	$(BIN)/pytest

check: $(VENV)/.ready ## format, lint, types, layers, purity, sizes
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python hack/check_sizes.py
	$(BIN)/pytest -q tests/unit/test_purity.py

format: $(VENV)/.ready ## put the code into its format
	$(BIN)/ruff format
	$(BIN)/ruff check --fix

controlplane: ## build etcd, kube-apiserver, kube-scheduler and friends from Go modules (9 minutes, once)
	@hack/controlplane/build.sh

bench: $(VENV)/.ready controlplane ## compare with kube-scheduler on the same API server
	$(BIN)/python bench/throughput.py

lock: $(VENV)/.ready ## pin the dependencies anew, with hashes
	$(UV_COMPILE) --output-file requirements/runtime.lock
	$(UV_COMPILE) --group dev --output-file $(LOCK)

clean: ## remove the virtual environment and the control plane
	rm -rf $(VENV) .controlplane
