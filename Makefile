# CowVision: `make demo` opens it, `make test` checks it.
SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.PHONY: help setup demo test lint bench screenshots herd weights clean

VENV := .venv
PYTHON := $(VENV)/bin/python
PIP_INSTALL := -m pip install --quiet --disable-pip-version-check
STUDIO_VENV := .venv-studio
STUDIO_PYTHON := $(STUDIO_VENV)/bin/python
space := $(subst ,, )

help: ## show this list
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /\1\t/' | expand -t 14

setup: $(VENV)/.installed ## install everything into .venv (Python 3.11 or 3.12)

demo: setup ## open the dashboard in the browser (PORT=8502 for another port)
	@$(PYTHON) -m streamlit run app.py $(addprefix --server.port=,$(PORT))

# Two processes with a thread each are quicker than one with two; what is timed in a browser goes alone.
test: lint $(VENV)/.browser ## check everything: style, types, tests, the page in a browser
	@OMP_NUM_THREADS=1 $(PYTHON) -m pytest -m "not browser" --numprocesses=2 --dist=worksteal
	@$(PYTHON) -m pytest -m browser

lint: $(VENV)/.tests-installed
	@$(PYTHON) -m ruff check
	@$(PYTHON) -m ruff format --check --quiet
	@$(PYTHON) -m mypy

bench: setup ## measure the speed on this machine
	@$(PYTHON) -m tests.benchmarks.bench

screenshots: $(VENV)/.browser ## photograph the pages into assets/screenshots
	@$(PYTHON) -m tests.browser.screenshots $(OUT)

herd: setup $(STUDIO_VENV)/.installed ## render the herd again (Blender; hours; goes on where it stopped)
	@for job in sprites plates test-herd stills clips; do PYTHONPATH=assets $(STUDIO_PYTHON) -m studio $$job; done
	@PYTHONPATH=assets $(PYTHON) -m studio pack

weights: setup ## train both embedded models again (hours)
	@$(PYTHON) -m cowvision weights

clean: ## remove what setup and the tests made
	@rm -rf $(VENV) $(STUDIO_VENV) .mypy_cache .pytest_cache .ruff_cache
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

# Makes the folder $(1) a virtual environment of the first Python, among the versions $(2), that has venv and pip.
define make_venv
	@suits='import sys, venv, ensurepip; sys.exit("3.%d" % sys.version_info[1] not in "$(2)".split())'; \
	if $(1)/bin/python -c "$$suits" 2>/dev/null; then exit 0; fi; \
	for candidate in $(addprefix python,$(2)) python3 python; do \
		if "$$candidate" -c "$$suits" 2>/dev/null; then exec "$$candidate" -m venv --clear $(1); fi; \
	done; \
	echo "Python $(subst $(space), or ,$(2)) with its venv module is needed, and none was found on the PATH." >&2; \
	echo "Debian or Ubuntu: apt-get install python3 python3-venv. macOS: brew install python@3.11. Windows: use WSL." >&2; \
	exit 1
endef

# OpenCV needs libGL and GLib, which a bare Linux machine lacks: install them where that is allowed, else say how.
define check_opencv
	@if $(PYTHON) -c 'import cv2' 2>/dev/null; then exit 0; fi; \
	if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
		echo "Installing the system libraries OpenCV needs (libgl1, libglib2.0-0) ..."; \
		{ apt-get update && apt-get install -y --no-install-recommends libgl1 libglib2.0-0; } >$(VENV)/apt.log 2>&1 || true; \
	fi; \
	if $(PYTHON) -c 'import cv2'; then exit 0; fi; \
	echo "OpenCV does not load: a system library is missing. Debian or Ubuntu: sudo apt-get install libgl1 libglib2.0-0. Then: make setup" >&2; \
	exit 1
endef

$(VENV)/.installed: requirements.txt
	$(call make_venv,$(VENV),3.12 3.11)
	@echo "Installing CowVision into $(VENV) (a few minutes, once) ..."
	@$(PYTHON) $(PIP_INSTALL) -r requirements.txt || { \
		echo "The installation did not end. It needs the network and, on Linux with CUDA, some 12 GB while it runs (here:" \
			"$$(df -Pk . | awk 'NR == 2 { printf "%.0f", $$4 / 1e6 }') GB free; the system's temporary folder counts too). Then: make setup" >&2; \
		exit 1; }
	@$(PYTHON) -m pip check --quiet
	$(check_opencv)
	@touch $@

$(VENV)/.tests-installed: $(VENV)/.installed tests/requirements.txt
	@$(PYTHON) $(PIP_INSTALL) -r tests/requirements.txt
	@touch $@

# Looks for a Chromium each time until there is one: without it the browser tests are skipped, or fail where CI=true.
$(VENV)/.browser: $(VENV)/.tests-installed
	@$(PYTHON) -m tests.browser.chromium --install && touch $@ || true

$(STUDIO_VENV)/.installed: assets/studio/requirements.txt
	$(call make_venv,$(STUDIO_VENV),3.11)
	@echo "Installing the studio into $(STUDIO_VENV) ..."
	@$(STUDIO_PYTHON) $(PIP_INSTALL) -r assets/studio/requirements.txt
	@touch $@
