# Every target that needs packages makes .venv and installs them first, once; nothing else has to be there but Python.
#
#   make export ARGS="digits --force"     ARGS goes to the program behind a target
#   make test ARGS="tests/layers -x"
#   make export PYTHON=/opt/python3.12    another Python than the first one found

VENV ?= .venv
BIN := $(VENV)/bin

# TensorFlow 2.21 has wheels for Python 3.11 to 3.13.
SUITABLE := import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))
PYTHON ?= $(shell for python in python3.13 python3.12 python3.11 python3; do \
	"$$python" -c '$(SUITABLE)' 2> /dev/null && echo "$$python" && break; done)

.DEFAULT_GOAL := help

.PHONY: help
help: ## List the targets
	@echo "make TARGET, where TARGET is one of:"
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-18s %s\n", $$1, $$2 }' Makefile

.PHONY: export
export: $(VENV)/.models ## Train every model of models/, export it to dist/ in every format, verify it
	@$(BIN)/python -m models $(ARGS)

.PHONY: test
test: $(VENV)/.dev ## Run the tests
	@PYTHONHASHSEED=0 $(BIN)/python -m pytest -q -n 2 --dist loadfile $(ARGS) # so that all workers name the cases alike

.PHONY: test-long
test-long: $(VENV)/.dev ## Run the tests that take minutes each
	@$(BIN)/python -m pytest -q -m long --timeout 3600 $(ARGS)

.PHONY: test-backends
test-backends: $(VENV)/.backends ## Run the tests of the custom layers under JAX and PyTorch, which it installs
	@$(BIN)/python -m pytest -q -m backends --timeout 1800 $(ARGS)

.PHONY: test-hub
test-hub: $(VENV)/.hub ## Export models of KerasHub and hold them against the record, with keras-hub, which it installs
	@$(BIN)/python -m pytest -q -m hub --timeout 3600 $(ARGS)

.PHONY: test-micro
test-micro: $(VENV)/.micro ## Run the tests that need the interpreter of microcontrollers, which it installs
	@$(BIN)/python -m pytest -q -m micro $(ARGS)

.PHONY: fuzz
fuzz: $(VENV)/.fuzz ## Fuzz the audits of model files, guided by coverage, for two minutes (ARGS=600 for ten)
	@$(BIN)/python -m tests.loading.guided $(ARGS)

.PHONY: lint
lint: $(VENV)/.dev ## Check style and format
	@$(BIN)/ruff check --quiet .
	@$(BIN)/ruff format --check --quiet . || { $(BIN)/ruff format --diff --quiet .; exit 1; }

.PHONY: types
types: $(VENV)/.dev ## Check types
	@$(BIN)/mypy --no-error-summary

.PHONY: bench-onnx
bench-onnx: $(VENV)/.dev ## Print the latency of ONNX files against Keras's own export, the limit, the transposes
	@$(BIN)/python -m benchmarks.bench_onnx $(ARGS)

.PHONY: bench-tflite
bench-tflite: $(VENV)/.dev ## Print the latency of TFLite files against Keras's own export, and the ops outside of XNNPACK
	@$(BIN)/python -m benchmarks.bench_tflite $(ARGS)

.PHONY: bench-cost
bench-cost: $(VENV)/.dev ## Print the time and memory of an export against Keras's own as the weights grow (ARGS=tflite)
	@$(BIN)/python -m benchmarks.bench_cost $(ARGS)

.PHONY: study-verification
study-verification: $(VENV)/.dev ## Print how many right files the verification refuses and how many faults it finds (ARGS=--quick)
	@$(BIN)/python -m benchmarks.verification $(ARGS)

.PHONY: clean
clean: ## Delete what the other targets made, .venv too
	rm -rf $(VENV) dist models/trained build *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# A stamp for each set of extras in pyproject.toml. What pip has to say is shown if it fails.
define INSTALL
	@echo "Installing packages into $(VENV) (extra: $(1)); this takes a few minutes, once."
	@$(BIN)/python -m pip install --disable-pip-version-check --no-input -e '.[$(1)]' > $(VENV)/pip.log 2>&1 \
		|| { tail -n 25 $(VENV)/pip.log; echo "pip failed; all it said is in $(VENV)/pip.log" >&2; exit 1; }
	@touch $@
endef

$(VENV)/.models: pyproject.toml | $(BIN)/python
	$(call INSTALL,models)

$(VENV)/.dev: pyproject.toml | $(BIN)/python
	$(call INSTALL,dev)
	@touch $(VENV)/.models

$(VENV)/.backends: pyproject.toml | $(VENV)/.dev
	$(call INSTALL,backends)

$(VENV)/.hub: pyproject.toml | $(VENV)/.dev
	$(call INSTALL,hub)

$(VENV)/.micro: pyproject.toml | $(VENV)/.dev
	$(call INSTALL,micro)

$(VENV)/.fuzz: pyproject.toml | $(VENV)/.dev
	$(call INSTALL,fuzz)

$(BIN)/python:
	@"$(or $(PYTHON),false)" -c '$(SUITABLE)' 2> /dev/null || { \
		echo "This needs Python 3.11, 3.12 or 3.13 (TensorFlow has no packages for others)$(if $(PYTHON),; $(PYTHON) is not one)." >&2; \
		echo "Install one, or say where it is: make export PYTHON=/path/to/python3.12" >&2; exit 1; }
	@"$(PYTHON)" -m venv $(VENV) || { rm -rf $(VENV); \
		echo "$(PYTHON) cannot make a virtual environment; on Debian and Ubuntu: apt install python3-venv" >&2; exit 1; }
