# Everything a person does with this repository. `make` alone lists the targets.

PYTHON ?= $(shell command -v python3.11 || command -v python3)
BIN := .venv/bin
READY := .venv/.ready
STATIC := clow_nb/ui/static/.ready
NOTEBOOKS := $(shell find nbs -name '*.ipynb' -not -path '*/.ipynb_checkpoints/*')
# The workspace of `up` and `down`: $CLOW_HOME, else what the last demo left, else ./.clow.
HOME_HERE = $(or $(CLOW_HOME),$(realpath demo/latest/.clow),$(CURDIR)/.clow)
export PIP_DISABLE_PIP_VERSION_CHECK := 1
export MLFLOW_DISABLE_TELEMETRY := true

.PHONY: help setup demo up down test test-all check bench browser clean

help: ## list the targets
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

setup: $(READY) $(STATIC) ## install everything into .venv and build the front end

# Nothing here is half done: the stamp is written last, and each step can be taken again after it broke off.
$(READY): constraints.txt settings.ini setup.py pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' \
	  || { echo "Python 3.11 is needed; found $$($(PYTHON) --version). Set PYTHON=/path/to/python3.11"; exit 1; }
	@test -x $(BIN)/pip && $(BIN)/python -m pip --version >/dev/null 2>&1 || $(PYTHON) -m venv --clear .venv
	@echo "Installing into .venv (some minutes the first time) ..."
	@$(BIN)/pip install -q -c constraints.txt --retries 10 -e '.[dev]' \
	  || { echo "The installation broke off. Run the same command again; it goes on where it stopped."; exit 1; }
	@touch $@

$(STATIC): $(READY) js/build.py js/package.json js/package-lock.json $(wildcard js/src/*)
	@$(BIN)/python js/build.py
	@touch $@

demo: setup ## the main job from end to end, in ./demo
	@$(BIN)/clow demo $(ARGS)

up: setup ## open what the demo left: worker, JupyterLab and dashboards
	@CLOW_HOME=$(HOME_HERE) $(BIN)/clow up

down: ## end what `make up` started
	@CLOW_HOME=$(HOME_HERE) $(BIN)/clow down

browser: ## Chromium and a Korean font for the browser tests, where root allows
	@if command -v chromium >/dev/null && fc-list :lang=ko 2>/dev/null | grep -q .; then :; \
	elif [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	  apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq chromium fonts-nanum fontconfig >/dev/null; \
	else echo "Chromium or a Korean font is missing and can't be installed without root: the browser tests will be skipped."; fi

test: setup browser ## the notebooks and the tests (some minutes)
	@$(BIN)/nbdev_test --path nbs --n_workers 2 --timing
	@$(BIN)/pytest -n 2 --dist loadfile --no-loadscope-reorder

test-all: setup browser ## everything, the slow tests too
	@$(BIN)/nbdev_test --path nbs --n_workers 2 --flags slow
	@$(BIN)/pytest -m "slow or not slow" --hypothesis-profile thorough

check: setup ## before each commit: exported, clean, in sync, linted, typed, built as designed
	@$(BIN)/nbdev_export && $(BIN)/nbdev_clean --fname nbs && $(BIN)/nbdev_clean --fname dashboards
	@git diff --exit-code --stat -- nbs dashboards clow_nb || { echo "Commit what export and clean have changed."; exit 1; }
	@$(BIN)/ruff check .
	@$(BIN)/ruff check --isolated --select F821 nbs dashboards docs
	@$(BIN)/mypy
	@$(BIN)/pytest tests/test_architecture.py tests/test_locale.py tests/test_doors.py

bench: setup ## figures, side by side, as ratios
	@for script in tests/bench/*.py; do echo "== $$script"; $(BIN)/python $$script || exit 1; done

clean: ## remove what was built (the environment too)
	@rm -rf .venv build dist *.egg-info clow_nb/ui/static js/node_modules .mypy_cache .ruff_cache .hypothesis demo
