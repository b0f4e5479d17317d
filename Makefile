# `make` alone lists the targets. Each sets itself up in .venv.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
LOCK := requirements/dev.lock
UV_PIN := $(BIN)/uv pip compile --quiet --universal --generate-hashes --python-version 3.11 \
	--custom-compile-command 'make lock'
UV_COMPILE := $(UV_PIN) pyproject.toml --extra speed
CLIENTS := kubernetes-29 kubernetes-newest kubernetes-asyncio

# Half of the tests' time is waiting: more workers than a small machine has cores.
WORKERS := 4
export PIP_DISABLE_PIP_VERSION_CHECK := 1

# Tests start hundreds of interpreters: let them share what is compiled.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help demo test check format controlplane parity bench bench-cycle bench-cluster clients lock clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z -]+:.*## / {printf "  make %-21s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(VENV)/.ready: $(LOCK) pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "error: pilotfish needs Python 3.11 or newer; $(PYTHON) is $$($(PYTHON) --version)" >&2; \
		echo "hint: name another one, for example: make PYTHON=python3.12" >&2; exit 1; }
	@echo "setting up $(VENV): about a minute, once"
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --require-hashes --requirement $(LOCK)
	$(BIN)/pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

demo: $(VENV)/.ready ## a short story on an embedded cluster: real pods, and why each goes where
	$(BIN)/pilotfish demo $(DEMO_OPTIONS)

test: $(VENV)/.ready ## run the tests, those on the control plane last; they are skipped without it
	$(BIN)/pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder -m 'not controlplane'
	$(BIN)/pytest -m controlplane

check: $(VENV)/.ready ## format, lint, types, layers, purity, sizes, manifests
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python hack/check_sizes.py
	$(BIN)/pytest -q tests/unit/test_purity.py tests/unit/test_manifests.py

format: $(VENV)/.ready ## put the code into its format
	$(BIN)/ruff format
	$(BIN)/ruff check --fix

controlplane: ## build etcd, kube-apiserver, kube-scheduler and friends from Go modules (9 minutes, once)
	@hack/controlplane/build.sh

parity: $(VENV)/.ready controlplane ## compare decisions with a running kube-scheduler, on drawn clusters
	$(BIN)/python tests/parity/live.py $(PARITY_OPTIONS)

bench: $(VENV)/.ready controlplane ## compare with kube-scheduler on the same API server
	$(BIN)/python bench/throughput.py

bench-cycle: $(VENV)/.ready ## measure scheduling cycles against limits and a stored baseline
	$(BIN)/python bench/cycle.py $(BENCH_OPTIONS)

bench-cluster: $(VENV)/.ready controlplane ## compare the embedded cluster with kube-apiserver and etcd
	$(BIN)/python bench/cluster.py $(BENCH_OPTIONS)

clients: $(CLIENTS:%=.clients/%/.ready) ## install the Python clients that tests run, each by itself

.clients/%/.ready: tests/clients/%.lock
	$(PYTHON) -m venv $(@D)
	$(@D)/bin/pip install --quiet --require-hashes --requirement $<
	@touch $@

lock: $(VENV)/.ready ## pin the dependencies anew, with hashes
	$(UV_COMPILE) --output-file requirements/runtime.lock
	$(UV_COMPILE) --extra report --group dev --output-file $(LOCK)
	for name in $(CLIENTS); do $(UV_PIN) tests/clients/$$name.in --output-file tests/clients/$$name.lock; done

clean: ## remove the virtual environments and the control plane
	rm -rf $(VENV) .clients .controlplane

include hack/lab.mk
