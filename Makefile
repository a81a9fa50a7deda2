# Two commands on a fresh machine: `make demo` and `make test`. Everything they make lies in .venv/ and .fleettwin/.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
ARGS ?=

.PHONY: setup demo test check format lint types contracts audit bench bench-long soak fuzz telegraf documents screenshots lock clean

setup: $(VENV)/.ready

$(VENV)/.ready: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "fleettwin needs Python 3.11 or newer; $(PYTHON) is $$($(PYTHON) --version 2>&1). Set PYTHON=/path/to/python3.11." >&2; exit 2; }
	@test -x $(BIN)/python || { echo "making $(VENV)"; $(PYTHON) -m venv $(VENV); }
	@echo "installing the locked dependencies (hashes checked)"
	@sed -n '/^uv==/,/^[^ ]/{/^uv==/p;/^    --hash/p}' requirements.lock > $(VENV)/uv.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --requirement $(VENV)/uv.lock
	@export UV_DEFAULT_INDEX="$${UV_DEFAULT_INDEX:-$$($(BIN)/python -m pip config get global.index-url 2>/dev/null)}"; \
	  test -n "$$UV_DEFAULT_INDEX" || unset UV_DEFAULT_INDEX; \
	  $(BIN)/uv pip sync --quiet --python $(BIN)/python --require-hashes --compile-bytecode requirements.lock && \
	  $(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .
	@touch $@

demo: setup
	@$(BIN)/fleettwin demo $(ARGS)

test: setup
	$(BIN)/python -m pytest $(ARGS)

check: format lint types contracts test

format: setup
	$(BIN)/ruff format --check .

lint: setup
	$(BIN)/ruff check .

types: setup
	$(BIN)/mypy

contracts: setup
	$(BIN)/lint-imports

audit: setup  # asks the package index for known weaknesses; not in check, whose result must not change by itself
	$(BIN)/pip-audit --disable-pip --require-hashes --requirement requirements.lock

bench: setup  # under a quarter of an hour, on servers of its own; ARGS="--json FILE" for all figures
	@$(BIN)/python -m benchmarks $(ARGS)

bench-long: setup  # 35 minutes: ten minutes of the million, more attempts at the highest rate, how costs grow
	@$(BIN)/python -m benchmarks --long $(ARGS)

soak: setup  # random faults under load, held against the oracle; ARGS="--faults N --seed S --rate R --json FILE"
	@$(BIN)/python -m tests.faults $(ARGS)

telegraf: setup  # once, if Telegraf is to be among those that bench compares with; needs go
	@$(BIN)/python -m benchmarks.rivals.telegraf

documents: setup  # what is made from code and committed: dashboards, schemas, API descriptions
	$(BIN)/fleettwin dashboards build
	$(BIN)/fleettwin schema --out docs

screenshots: setup  # the README's pictures, from a demo at work; needs chromium
	$(BIN)/python -m tests.screenshots docs

fuzz: setup  # hostile input for every decoder, guided by coverage; ARGS="--cases N --json FILE"
	@$(BIN)/python -m tests.fuzz $(ARGS)

lock: setup
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --extra dev --upgrade pyproject.toml --output-file requirements.lock

clean:
	rm -rf $(VENV) .fleettwin dist build .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
