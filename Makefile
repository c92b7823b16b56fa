# Everything one does here, in one list: `make` shows it.
# PYTHON=/path/to/python3.12 chooses the Python, ARGS="..." is handed on to what is run.

.DEFAULT_GOAL := help
.PHONY: help load keys pictures setup run test test-all kills bench fill soak latency fuzz check servers lock demo-reset clean model
BIN := .venv/bin
SERVERS := .venv/servers
DEMO = $${LISTENER_DATA:-$${XDG_DATA_HOME:-$$HOME/.local/share}/listener}/demo
ARGS ?=
KILLS ?= 200
LOAD ?= 60
SOAK ?= 20m
FUZZ ?= 60
BASE ?= models/weights/me5-small-pair
BUILT ?= build/me5-small-pair
TRAINER ?= .venv-train/bin/python
FILL ?= 100000
FILLED = $${LISTENER_DATA:-$${XDG_DATA_HOME:-$$HOME/.local/share}/listener-filled}

help: ## Show this list
	@sed -n 's/^\([a-z-]*\):[^#]*## /\1 /p' Makefile | while read -r name what; do \
	  printf '  make %-11s %s\n' "$$name" "$$what"; done

run: ## Start Listener on a demonstration, making its environment first if need be
	@sh scripts/setup run
	@exec $(BIN)/listener run --demo $(ARGS)

test: ## Run the tests that need no browser and nobody else's server: a few minutes
	@sh scripts/setup dev
	@exec $(BIN)/python -m pytest -n auto -m "not slow and not realserver and not browser" $(ARGS)

test-all: ## Run the slow tests and those with real servers (see servers) as well
	@sh scripts/setup dev
	@PATH="$$PATH:$$PWD/$(SERVERS)/bin" exec $(BIN)/python -m pytest -n auto $(ARGS)

check: ## Look at the code without running it: what every commit must pass
	@sh scripts/setup dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/deptry .
	$(BIN)/codespell

kills: ## Kill the program KILLS times (200 unless told) in every way we know, and count what is left
	@sh scripts/setup dev
	@LISTENER_KILLS=$(KILLS) exec $(BIN)/python -m pytest --timeout=0 tests/journeys/test_kill.py $(ARGS)

bench: ## Measure how fast the parts are on this machine (ARGS=--json for machines)
	@sh scripts/setup dev
	@exec $(BIN)/python scripts/bench $(ARGS)

soak: ## Listen to ten times Bluesky for SOAK (20m unless told), watching memory, files and delays
	@sh scripts/setup dev
	@exec $(BIN)/python scripts/soak --for $(SOAK) $(ARGS)

latency: ## See how soon posts are cases, on both databases: 50 a second, and 1,000 of which few matter
	@sh scripts/setup dev
	@$(BIN)/python scripts/soak --for 60s --rate 50 --share 1 --on sqlite postgresql $(ARGS)
	@exec $(BIN)/python scripts/soak --for 60s --rate 1000 --on sqlite postgresql $(ARGS)

fuzz: ## Feed broken posts to every reader for FUZZ seconds (60 unless told): none may fall
	@sh scripts/setup dev
	@exec $(BIN)/python scripts/fuzz --for $(FUZZ) $(ARGS)

fill: ## Fill an empty database with FILL (100000 unless told) invented mentions; see DATABASE_URL
	@sh scripts/setup dev
	@LISTENER_DATA="$(FILLED)" exec $(BIN)/python scripts/fill.py $(FILL)

load: ## Let twenty agents work what `make fill` made, for LOAD seconds (60); needs make servers
	@sh scripts/setup dev
	@LISTENER_DATA="$(FILLED)" exec $(BIN)/python scripts/load.py --for $(LOAD)

keys: ## Press keys on what `make fill` made, and see how soon the screen changes (needs Chromium)
	@sh scripts/setup dev
	@LISTENER_DATA="$(FILLED)" exec $(BIN)/python scripts/keys.py

pictures: ## Take a picture of every page (needs Chromium)
	@sh scripts/setup dev
	@exec $(BIN)/python scripts/pictures.py

setup: ## Make the environment with what tests and checks need, and run nothing
	@sh scripts/setup dev

model: ## Train the model anew, from BASE, with DATA and a TEACHER if told (see docs/model.md)
	@test -x $(TRAINER) || (python3 -m venv .venv-train && .venv-train/bin/pip install -q -e ".[train]")
	@$(if $(TEACHER),OMP_NUM_THREADS=1 $(TRAINER) -m models.training.teacher --teacher $(TEACHER) --out $(BUILT)/teacher $(if $(DATA),--data $(DATA)))
	@OMP_NUM_THREADS=1 $(TRAINER) -m models.training.build --base $(BASE) --out $(BUILT)/training $(if $(DATA),--data $(DATA)) $(if $(TEACHER),--taught $(BUILT)/teacher/taught.json) $(ARGS)
	@$(TRAINER) -m models.training.export --base $(BASE) --weights $(BUILT)/training/weights.pt --out $(BUILT)
	@$(TRAINER) -m models.training.measure $(BUILT) --calibrate new $(if $(DATA),--data $(DATA))
	@$(TRAINER) -m models.training.lens $(BUILT)

servers: ## Install the real servers that test-all talks to
	@sh scripts/setup dev
	@sh scripts/servers $(BIN)/python $(SERVERS)

# A machine's own package folders must not leak into the locks, nor a newer Python's choices.
COMPILE = unset PIP_FIND_LINKS PIP_EXTRA_INDEX_URL; PIP_CONFIG_FILE=/dev/null \
  $(BIN)/pip-compile --quiet --generate-hashes --no-emit-index-url --no-emit-find-links \
  --no-header --no-annotate --no-strip-extras $(ARGS)
lock: ## Pin every package anew after a change in pyproject.toml (ARGS=--upgrade for the newest)
	@sh scripts/setup dev
	@$(BIN)/python -c 'import sys; sys.exit(None if sys.version_info[:2] == (3, 11) else \
	  "Locks are made with Python 3.11, the oldest we run on: make lock PYTHON=python3.11")'
	$(COMPILE) --allow-unsafe --build-deps-for=editable -o requirements.lock pyproject.toml
	$(COMPILE) --allow-unsafe --build-deps-for=editable --extra=dev -c requirements.lock \
	  -o requirements-dev.lock pyproject.toml
	# isso can do without misaka, which would want a compiler.
	$(COMPILE) --unsafe-package=misaka -o requirements-ci.lock requirements-ci.in

demo-reset: ## Forget what the demonstration has stored, so that it starts afresh
	rm -rf "$(DEMO)"

clean: ## Remove the environment and what tools left behind; your posts and cases stay
	rm -rf .venv build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .import_linter_cache \
	  .hypothesis .coverage
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
