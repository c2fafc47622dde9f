# Everything runs in .venv, which `make install` makes and keeps in step with the files it depends on.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
# More arguments for the bench targets, such as ARGS="--quick --json modes.json".
ARGS ?=

.PHONY: install test lint types serve demo browser bench bench-modes bench-shards bench-scale bench-http bench-recovery bench-read bench-verify clean

install: $(STAMP)

$(STAMP): setup.cfg pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "ao-scheduler needs Python 3.11 or newer: make PYTHON=/path/to/python3.11" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null \
		|| { test "$$(id -u)" = 0 && apt-get update && apt-get install -y python3-venv; } \
		|| { echo "$(PYTHON) cannot make environments: apt-get install python3-venv" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet -c constraints.txt setuptools
	$(BIN)/python -m pip install --quiet -c constraints.txt --no-build-isolation -e '.[dev]'
	@touch $@

# One worker a core, each with half of the tests until it helps the other. Tests start hundreds of
# programs: these are to be compiled once, whatever the environment says.
test: export PYTHONDONTWRITEBYTECODE =
test: lint types browser
	$(BIN)/python -m pytest -n auto --maxprocesses 4 --dist worksteal

# The explorer page is tested in a real browser. Where there is none, and no right to install one,
# those tests are skipped and say so.
browser:
	@command -v chromium >/dev/null \
		|| { test "$$(id -u)" = 0 && apt-get update -qq \
			&& DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium >/dev/null; } \
		|| echo "no chromium, and no right to install it: the page will not be tested" >&2

lint: install
	$(BIN)/ruff check
	$(BIN)/ruff format --check

types: install
	$(BIN)/python -m mypy

# On 127.0.0.1:8734, with data/ and wallet.json of this folder; ARGS="--port 0" and the like.
serve: install
	$(BIN)/ao-scheduler serve $(ARGS)

# Never in the store or with the wallet of whoever tries it.
demo: install
	$(BIN)/ao-scheduler demo --data demo-data/store --wallet demo-data/wallet.json

bench: bench-modes bench-shards bench-scale bench-http bench-recovery bench-read bench-verify

bench-modes bench-shards bench-scale bench-http bench-recovery bench-read bench-verify: bench-%: install
	$(BIN)/python -m bench $* $(ARGS)

clean:
	rm -rf $(VENV) build *.egg-info .mypy_cache .ruff_cache .pytest_cache
