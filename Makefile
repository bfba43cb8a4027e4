# SPDX-License-Identifier: GPL-3.0-or-later
# Every target does all of its own set-up, in .venv and .cache of this folder. `make` alone lists them.
#
#   ARGS=...      further arguments for the program behind the target, as in: make demo ARGS=--check
#   PYTHON=...    the Python to set up with (3.11 to 3.13); else the first on the PATH that fits
#   SHARD=2/4     with test-all: only the second quarter, as long as the others by tests/durations.json
#   BASE=...      with lint and test: the commit since which files are changed; else where the branch left origin/main
#   GALAXY=1      take kubernetes.core from Ansible Galaxy instead of out of the package `ansible`

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help demo test test-all lint units integration sanity coverage e2e bench docs kubeconfig teardown clean set-up set-up-test set-up-docs

ARGS ?=
BASE ?=
GALAXY ?=
SHARD ?=
KUBESTELLAR_HOME ?= $(HOME)/.kubestellar
PYTHON ?= $(shell for python in python3 python3.13 python3.12 python3.11; do \
	  $$python -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null \
	    && echo $$python && break; done)

# The checkout's own settings, whatever the user's environment says.
export ANSIBLE_CONFIG := $(CURDIR)/ansible.cfg
export ANSIBLE_COLLECTIONS_PATH := $(CURDIR)/.venv/collections
export ANSIBLE_HOME := $(CURDIR)/.cache/ansible
export ANSIBLE_REMOTE_TMP := $(CURDIR)/.cache/ansible/tmp
export GALAXY
export KUBESTELLAR_HOME
export LC_ALL := C.UTF-8
export PATH := $(CURDIR)/.venv/bin:$(PATH)
export PYTHONUNBUFFERED := 1
# Nothing is compiled when it is installed, but when it is first used; with this set, it would be compiled each time.
unexport PYTHONDONTWRITEBYTECODE

DEMO := .venv/bin/ansible-playbook -i inventories/embedded
STAGES := .venv/bin/python tools/stages.py

PROGRAMS := .venv/bin/python tools/programs.py
CHECKS := \
  ansible-lint='.venv/bin/ansible-lint -q --nocolor' \
  antsibull-docs='.venv/bin/antsibull-docs lint-collection-docs --plugin-docs --validate-collection-refs=self .' \
  sanity='.venv/bin/python tools/sanity.py --changed=$(BASE)' \
  mypy='MYPYPATH=.venv/collections .venv/bin/mypy -p ansible_collections.kubestellar.core.plugins' \
  ruff='.venv/bin/ruff check --quiet --output-format concise .' \
  ruff-format='.venv/bin/ruff format --quiet --check .' \
  antsibull-changelog='.venv/bin/antsibull-changelog lint'
UNITS := .venv/bin/python -m pytest -n 2 --dist loadfile tests/unit
INTEGRATION := .venv/bin/python -m pytest -n 2 --dist loadscope --no-loadscope-reorder --durations 15
COVERED := --cov --cov-append --cov-report=
# The order is fixed then, so that all shards divide the same list.
PART := $(word 1,$(subst /, ,$(SHARD)))
SPLIT := $(if $(SHARD),-p no:randomly --splits $(word 2,$(subst /, ,$(SHARD))) --group $(PART) --durations-path tests/durations.json)

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' Makefile
	@awk '/^#   [A-Z]+=/ { print substr($$0, 2) }' Makefile

demo: set-up ## a hub, two clusters and a workload on this machine, without containers; again: what changed
	@$(DEMO) playbooks/site.yml $(ARGS)

test: set-up-test ## style, types, units, and an integration test of every capability: what CI runs
	@$(STAGES) checks="$(STAGES) --jobs 3 programs='$(PROGRAMS)' $(CHECKS)" units='$(UNITS)' \
	  integration='$(INTEGRATION) -m core tests/integration'

test-all: set-up-test ## everything: the above, all integration tests, sanity, molecule, e2e, benchmarks in small; minutes by the dozen
	@$(STAGES) $(if $(filter-out 1,$(PART)),,checks="$(STAGES) --jobs 3 programs='$(PROGRAMS)' $(CHECKS)") units='$(UNITS) $(SPLIT) $(ARGS)' \
	  integration='$(INTEGRATION) $(SPLIT) $(ARGS) tests/integration tests/perf tests/suites --size small'

lint: set-up-test ## style, types, documentation, changelog, and of ansible-test sanity what concerns changed files
	@$(STAGES) --jobs 2 $(CHECKS)

units: set-up-test ## unit tests, a minute
	@$(UNITS) $(ARGS)

integration: set-up-test ## all tests against real stacks, beside any demo; ARGS='-m core' those of make test
	@$(INTEGRATION) tests/integration $(ARGS)

sanity: set-up-test ## ansible-test sanity, complete
	@.venv/bin/python tools/sanity.py $(ARGS)

coverage: set-up-test ## how much of plugins is run by the tests of make test, and what is not
	@rm -rf .cache/coverage
	@$(STAGES) units='$(UNITS) $(COVERED)' \
	  integration='$(INTEGRATION) $(COVERED) -m core tests/integration' \
	  combined='.venv/bin/coverage combine --quiet && .venv/bin/coverage report'

e2e: set-up-test ## KubeStellar's own end-to-end suite, against a stack of its own; ARGS=-ginkgo.focus=... picks specs
	@.venv/bin/python tools/e2e.py $(ARGS)

bench: set-up-test ## benchmarks, side by side with what they are compared with
	@.venv/bin/python -m pytest -p no:randomly tests/perf $(ARGS)

docs: set-up-docs ## HTML pages of guides, modules, filters and roles in docs/_build
	@.venv/bin/python tools/docs.py

kubeconfig: ## print the path of the demo's kubeconfig, as in: export KUBECONFIG=$(make kubeconfig)
	@if test -f "$$KUBESTELLAR_HOME/stacks/kubestellar/kubeconfig"; then \
	  echo "$$KUBESTELLAR_HOME/stacks/kubestellar/kubeconfig"; \
	else \
	  echo "There is no demo in $$KUBESTELLAR_HOME/stacks/kubestellar. Start it with: make demo" >&2; exit 1; \
	fi

teardown: set-up ## stop and delete the demo; what was built stays for the next one
	@$(DEMO) playbooks/teardown.yml $(ARGS)

clean: ## delete the environment and the caches of this folder, not the demo
	@rm -rf .venv .cache .ansible docs/_build tests/output .hypothesis .mypy_cache .pytest_cache .ruff_cache
	@find . -name .git -prune -o -type d -name __pycache__ -exec rm -rf {} +

set-up:
	@python='$(PYTHON)'; \
	if test -z "$$python"; then \
	  echo 'No Python from 3.11 to 3.13 was found. Install one, or name it: make PYTHON=/path/to/python3.11 ...' >&2; \
	  exit 1; \
	fi; \
	"$$python" tools/setup.py runtime

set-up-test: set-up
	@'$(PYTHON)' tools/setup.py runtime test

set-up-docs: set-up
	@'$(PYTHON)' tools/setup.py runtime test docs
