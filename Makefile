# edge-audio: `make` prints this menu.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
CONFIG ?=
ARM_ROOT ?= /var/tmp/edge-audio-arm64
MODELS ?=
PINS ?= /var/tmp/edge-audio-pins
MEDIAPIPE ?= /var/tmp/edge-audio-mediapipe
HOME_ASSISTANT ?= /var/tmp/edge-audio-home-assistant
INSTALL ?= /var/tmp/edge-audio-install
DEB ?= /var/tmp/edge-audio-deb
IMAGE ?= /var/tmp/edge-audio-image
PAGE ?= /var/tmp/edge-audio-page
FUZZ ?=
VERSION ?=
CLAPS ?= 500
LOADED ?=
KEYS ?=
HOURS ?= 48
# Test workers: one more than cores, for many tests wait for a broker or a clock.
WORKERS ?= $(shell echo $$(($$(nproc) + 1)))
PYTEST := $(BIN)/python -m pytest -q -n $(WORKERS) --dist worksteal
SHELL := /bin/bash

.DEFAULT_GOAL := menu
.PHONY: menu packages test-packages install demo run test test-fast test-tflite test-brokers fleet test-arm test-pins install-test test-first-start test-microphone test-mediapipe arm-instructions \
	test-home-assistant test-page page-pictures fuzz faults soak overload latency deb deb-test image image-test check clean

menu: ## print this menu
	@echo "edge-audio"; grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1|\2/' | column -t -s '|'

packages:
	@deploy/packages.sh run

test-packages:
	@deploy/packages.sh run test

$(VENV)/installed: setup.cfg pyproject.toml
	@$(MAKE) --no-print-directory packages
	@deploy/environment.sh $(PYTHON) $(VENV) '.[files,plot,page]'
	@touch $@

$(VENV)/installed-dev: $(VENV)/installed
	@$(MAKE) --no-print-directory test-packages
	@deploy/environment.sh $(PYTHON) $(VENV) '.[files,plot,page,test,dev]'
	@touch $@

install: $(VENV)/installed ## install what is missing: Debian packages, a virtual environment, edge-audio in it

demo: $(VENV)/installed ## hear the bundled sounds: private broker, simulated pins, a subscriber's view
	@$(BIN)/edge-audio demo

run: $(VENV)/installed ## hear this machine's microphone (CONFIG=my.toml for settings of your own)
	@$(BIN)/edge-audio run $(if $(CONFIG),--config $(CONFIG))

test: $(VENV)/installed-dev ## run the tests, on LiteRT and on tflite-runtime
	$(PYTEST) -m "not slow"
	@$(MAKE) --no-print-directory test-tflite

test-fast: $(VENV)/installed-dev ## run the tests that start no broker and no process (under a minute: the inner loop)
	$(PYTEST) -m "not slow and not big"

test-tflite: $(VENV)/installed-dev ## run the model's tests on tflite-runtime, in an environment of its own
	@deploy/test-tflite.sh $(BIN)/python $(WORKERS)

test-arm: $(VENV)/installed-dev ## run the suite's core and the appliance on an emulated ARM machine (root; an hour and more; ARM_ROOT=folder)
	deploy/arm-root.sh $(ARM_ROOT)-trixie trixie $(BIN)/python deploy/arm-suite.sh
	deploy/arm-root.sh $(ARM_ROOT)-trixie trixie $(BIN)/python $(BIN)/python -m pytest -q -m slow tests/test_arm.py
	deploy/arm-root.sh $(ARM_ROOT) bookworm $(BIN)/python $(BIN)/python -m pytest -q -m slow tests/test_arm_instructions.py

install-test: $(VENV)/installed-dev ## install the service in fresh roots of Debian 12 and 13 (root; minutes; INSTALL=folder)
	mkdir -p $(INSTALL)
	deploy/install-root.sh $(INSTALL)/bookworm bookworm $(BIN)/python -m pytest -q -m slow tests/test_install.py
	deploy/install-root.sh $(INSTALL)/trixie trixie $(BIN)/python -m pytest -q -m slow tests/test_install.py

test-brokers: $(VENV)/installed-dev ## run the tests of delivery against RabbitMQ and NATS (minutes)
	@deploy/packages.sh brokers
	$(BIN)/python -m pytest -q -m slow -k "rabbitmq or nats" tests/sinks tests/fleet

fleet: $(VENV)/installed-dev ## play 1,000 boards against Mosquitto, and against three NATS nodes of which one is killed (minutes)
	@deploy/packages.sh fleet
	$(BIN)/python -m deploy.fleet.mosquitto
	$(BIN)/python -m deploy.fleet.nats

test-pins: $(VENV)/installed-dev ## run the pins on a real kernel's GPIO chips, in a virtual machine (minutes; PINS=folder)
	@deploy/packages.sh pins
	deploy/pins-machine.sh $(PINS) $(BIN)/python -m pytest -q -p no:cacheprovider -m slow tests/sinks/test_sinks_gpiod_kernel.py tests/sinks/test_sinks_gpiod_process.py

arm-instructions: $(VENV)/installed-dev ## count instructions on emulated ARM: networks, and the whole run, which may take 3 % more than it did (root; minutes; MODELS="more.tflite ..." WRITE=1)
	deploy/arm-root.sh $(ARM_ROOT) bookworm $(BIN)/python deploy/arm-instructions.sh $(ARM_ROOT) models/starter/backbone.tflite models/impulse/look.tflite $(MODELS)
	deploy/arm-root.sh $(ARM_ROOT) bookworm $(BIN)/python $(BIN)/python -m deploy.arm_run $(ARM_ROOT) $(if $(WRITE),--write)

test-first-start: $(VENV)/installed-dev ## run the first start in a fresh Debian 13; cloud-init, netplan and sudo judge (root; minutes; INSTALL=folder)
	@deploy/packages.sh first-start
	mkdir -p $(INSTALL)
	deploy/install-root.sh $(INSTALL)/first-start trixie $(BIN)/python -m pytest -q -m slow tests/image/first_start

test-microphone: $(VENV)/installed-dev ## break a microphone in ten ways: what health says of it, and when the appliance hears again (six minutes)
	$(BIN)/python -m pytest -q -rP -m slow tests/microphone

test-mediapipe: $(VENV)/installed-dev ## hear exported models with MediaPipe as a phone app would (minutes; MEDIAPIPE=folder)
	deploy/mediapipe.sh $(MEDIAPIPE) $(BIN)/python $(BIN)/python -m pytest -q -s -m slow tests/test_mediapipe.py tests/workshop/test_workshop_bench_peer.py

test-home-assistant: $(VENV)/installed-page ## show appliance and page to a real Home Assistant and Node-RED (root; minutes; HOME_ASSISTANT=folder)
	deploy/home-assistant-root.sh $(HOME_ASSISTANT) $(BIN)/python -m pytest -q -m slow tests/home

$(VENV)/installed-page: $(VENV)/installed-dev
	@deploy/packages.sh page
	@deploy/environment.sh $(PYTHON) $(VENV) '.[files,plot,page,test,dev,browser-test]'
	@touch $@

test-page: $(VENV)/installed-page ## look at the page with Chromium, and through nginx: claps, clicks, logins, axe-core (minutes; PAGE=folder)
	axe=$$(tests/page/chromium/axe.sh $(PAGE)) && EDGE_AUDIO_AXE=$$axe $(BIN)/python -m pytest -q -m slow tests/page

page-pictures: $(VENV)/installed-page ## take the page's pictures for deploy/docs, with Chromium (a minute)
	$(BIN)/python -m tests.page.chromium.pictures deploy/docs/pictures

$(VENV)/installed-fuzz: $(VENV)/installed-dev
	@deploy/environment.sh $(PYTHON) $(VENV) '.[files,plot,page,test,dev,fuzz-test]'
	@touch $@

fuzz: $(VENV)/installed-fuzz ## try a million broken files, messages and packets on what takes them (an hour and more; FUZZ="TARGET ... --inputs N")
	nice -n 19 $(BIN)/python -m pytest -q -rP -m slow tests/control/test_control_commands.py
	nice -n 19 $(BIN)/python -m tests.fuzz $(FUZZ)

faults: $(VENV)/installed-dev ## count what is lost when appliance, broker, line and disk fail (ten minutes; root for some)
	$(BIN)/python -m tests.faults

soak: $(VENV)/installed-dev ## play days of sound to the appliance, faster than real time: memory, threads, the same events (hours; HOURS=48)
	nice -n 19 $(BIN)/python -m tests.endurance.soak --hours $(HOURS)

overload: $(VENV)/installed-dev ## give the appliance too little processor: what it leaves out, how late it is, that it recovers (minutes)
	$(BIN)/python -m tests.endurance.overload

latency: $(VENV)/installed-dev ## time claps to the pin and the subscriber, part by part (half an hour; CLAPS=60 for less, LOADED=--loaded for a busy machine too)
	$(BIN)/python -m tests.latency --claps $(CLAPS) $(LOADED)

deb: $(VENV)/installed ## build the Debian packages into build/: arm64 and amd64, for Debian 13 and 12 (three minutes)
	@for suite in trixie bookworm; do for arch in arm64 amd64; do \
		PYTHON=$(BIN)/python deploy/deb.sh $$arch $$suite build || exit 1; done; done

deb-test: $(VENV)/installed-dev ## lintian; install, upgrade and purge the packages in fresh roots, ARM too (root; half an hour; DEB=folder)
	deploy/deb-test.sh $(DEB) $(INSTALL) $(BIN)/python

image: $(VENV)/installed-dev ## build the image for the Pi into build/ (root; 20 minutes, 5 GB; IMAGE=folder KEYS=folder VERSION=1.2)
	VERSION=$(VERSION) KEYS=$(KEYS) deploy/image/build.sh $(IMAGE) build $(BIN)/python

image-test: $(VENV)/installed-dev ## start the image in emulated machines: first start, an event, updates, power cuts (root; an hour)
	deploy/image/build.sh $(IMAGE) $(IMAGE)/results $(BIN)/python
	EDGE_AUDIO_IMAGE=$(IMAGE) $(BIN)/python -m pytest -q -s -m slow tests/image --ignore tests/image/first_start

check: $(VENV)/installed-dev ## lint, type-check, check the layers
	$(BIN)/ruff check .
	$(BIN)/mypy --strict edge
	$(BIN)/python -m pytest -q tests/test_layers.py

clean: ## remove the environments and what tools left behind
	rm -rf $(VENV) $(VENV)-tflite build *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
