# make test: everything, set up from nothing.  make demo: the main job, to be looked at.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
CACHE := $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/scheduler-k3s-rig
VENV := $(CACHE)/venv
PYTHON := $(VENV)/bin/python
RIG := PYTHONPATH=tests $(PYTHON) -m rig
VENV_STAMP := $(VENV)/requirements.sha256
# where CI is set, pytest prints whole values of a failed comparison, which here are megabytes
unexport CI

.PHONY: help venv check unit host cluster machines node-end test reference demo bench node-build node-start node-stop node-status clean

help:
	@echo 'make demo         set everything up and deploy a sample app to a real Kubernetes'
	@echo 'make test         set everything up; lint, unit, host and cluster tests'
	@echo 'make bench        measure: one table, each row against its floor; README'
	@echo 'make check unit host cluster machines     parts of it'
	@echo 'make node-start node-status node-stop    the Kubernetes node the tests stand on'

venv:
	@tests/rig/venv $(VENV) requirements-dev.txt

check: venv
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy lib tests/rig tests/unit tests/cluster tests/machines tests/bench
	$(VENV)/bin/mypy commands triggers/*
	$(VENV)/bin/mypy subcommands/*
	test -z "$$(gofmt -l tests/rig)"
	cd tests/rig/machines/k3s && go vet .
	tests/rig/packages shellcheck
	shellcheck install.sh lib/helpers/* tests/rig/venv tests/rig/packages tests/host/run tests/host/k3s_host .ci/run tests/host/*.bats tests/host/*.bash \
		tests/rig/dokku/bin/dokku tests/rig/dokku/lib/plugn.bash tests/rig/dokku/lib/property-functions \
		tests/rig/machines/boot tests/rig/machines/installer.sh

unit: venv
	$(PYTHON) -m pytest tests/unit -n auto

host: node-start
	tests/host/run

node-build node-start node-stop node-status: venv
	$(RIG).node $(@:node-%=%)

# pods take their time whatever the machine does meanwhile, so three files run at once
cluster: node-start
	$(PYTHON) -m pytest tests/cluster -n 3 --dist loadfile -m 'not exclusive and not slow_node'

# servers of their own, on which clusters are set up, joined and taken down; their images come from the node's registry
machines: node-start
	$(RIG).machines build
	$(PYTHON) -m pytest tests/machines -n 2 --dist loadfile

# what needs the node for itself, and last the node's own end, which must leave no trace
node-end: node-start
	$(PYTHON) -m pytest tests/cluster -m 'exclusive or slow_node'

# all parts, also behind one that failed
test:
	$(MAKE) --keep-going --no-print-directory check unit host cluster machines node-end

reference: venv
	PYTHONPATH=tests:lib $(PYTHON) -m rig.reference

demo: node-start
	$(RIG).demo

# NAME="run redeploy" for some of it
bench: node-start
	PYTHONPATH=tests:lib $(PYTHON) -m bench $(NAME)

clean: node-stop
	$(RIG).machines clean
