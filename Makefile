# The front door. `make help` tells what there is.
#
# Variables: ENDPOINT (an engine's socket, for demo), DEMO_SECONDS (end the demo after so long; empty: Ctrl-C ends it),
# PREFIX, LIBDIR, INCLUDEDIR, DESTDIR (where to install), COMMAND (a folder that scripts/command made; default: it is made),
# SIMULATOR (a folder that scripts/simulator made: it is installed, too; default: it is not, because a node needs no program that
# plays an engine), RELEASE_URL (where a release will be published: its recipes name it),
# TARGETS (what portable-libraries and dist are for: names of scripts/targets, or "all"; default: this machine),
# CARGO_TARGET_DIR (where everything is built; default: target).

TARGET  := $(or $(CARGO_TARGET_DIR),target)
RELEASE := $(TARGET)/release
# Always asked: Cargo knows best what has to be built again.
CARGO   := cargo
HOST    := $(shell scripts/targets --host)
TARGETS ?= $(HOST)
override TARGETS := $(if $(filter all,$(TARGETS)),$(shell scripts/targets),$(TARGETS))
# Panics tell where in the source they are. This machine's folders are nobody's business, and would make its library
# another than the next machine's.
REMAP   := --config 'build.rustflags=["--remap-path-prefix=$(or $(CARGO_HOME),$(HOME)/.cargo)/registry/src=/crates", \
	"--remap-path-prefix=$(CURDIR)=/criwatch", "--remap-path-prefix=$(abspath $(TARGET))=/target"]'

export ENDPOINT DEMO_SECONDS PREFIX LIBDIR INCLUDEDIR DESTDIR RELEASE_URL

.DEFAULT_GOAL := build
.PHONY: bench build shared-library command demo install uninstall portable-libraries dist simulator test test-long lint header clean help

build: shared-library ## Build the library: libcriwatch.so and libcriwatch.a in target/release (the default)
	$(CARGO) rustc $(REMAP) --release --lib --crate-type staticlib --target-dir $(TARGET) -- \
		--print native-static-libs=$(abspath $(RELEASE))/native-static-libs
	@ls -l $(RELEASE)/libcriwatch.so $(RELEASE)/libcriwatch.a

shared-library:
	@# One crate type at a time: together with the rlib, Cargo silently does no link-time optimisation.
	$(CARGO) rustc $(REMAP) --release --lib --crate-type cdylib --target-dir $(TARGET)
	@# Programs ask for the SONAME.
	ln -sf libcriwatch.so $(RELEASE)/libcriwatch.so.1

demo: shared-library ## Watch this node's containers: ENDPOINT=..., else an engine that answers, else a simulated one [DEMO_SECONDS=20]
	scripts/demo

install: build ## Install into PREFIX=/usr/local [LIBDIR=, INCLUDEDIR=, DESTDIR=, SIMULATOR=]
	scripts/link-libraries $(TARGET)/install
	$(if $(COMMAND),,scripts/command $(TARGET)/command)
	scripts/install $(TARGET)/install $(or $(COMMAND),$(TARGET)/command) $(SIMULATOR)

uninstall: ## Remove what `make install` with the same variables has installed
	scripts/install --uninstall

command: ## The command as one static program, in target/command
	scripts/command $(TARGET)/command
	@ls -l $(TARGET)/command/criwatch

simulator: ## The simulated engine as one static program, in target/simulator
	scripts/simulator $(TARGET)/simulator
	@ls -l $(TARGET)/simulator/cri-sim

portable-libraries: $(if $(filter $(HOST),$(TARGETS)),build) ## The libraries that packages carry, in target/portable [TARGETS=all]
	scripts/portable-libraries $(TARGETS)

dist: portable-libraries $(if $(filter $(HOST),$(TARGETS)),command simulator) ## What users get, with its checksums, in target/dist [TARGETS=all]
	scripts/dist $(TARGETS)

.PHONY: release-check
release-check: ## Check what a release promises: versions, changelog, ABI, licences, the same bytes twice (docs/release.md)
	scripts/release-check

.PHONY: integrations
integrations: ## Build the agents in integrations/ against the library in PREFIX=/usr/local, into target/integrations
	scripts/integrations

test: ## Run every check and test; what this machine lacks is skipped, counted, and named
	scripts/test

test-long: ## As test, and the long tests with it
	scripts/test --long

bench: build ## Measure, into benches/results and docs/benchmarks.md: ENDPOINT=..., BENCH="--runs 3 ..." as in benches/main.rs
	@# What is measured is the library, not the simulated engine: that is as fast as it can be.
	$(CARGO) build --release --locked --manifest-path sim/Cargo.toml --target-dir $(TARGET)/sim
	CRI_SIM=$(abspath $(TARGET))/sim/release/cri-sim \
		$(CARGO) bench --bench side_by_side --target-dir $(TARGET) -- $(BENCH)
	benches/report

lint: ## Formatting and clippy only
	scripts/test --lint

header: ## Write include/criwatch.h anew, from src/ffi
	CRI_BLESS=1 $(CARGO) test --features headers --test header --target-dir $(TARGET)

.PHONY: docs man screens
docs: ## The documentation as a site, in target/docs/site
	scripts/docs

man: ## Write docs/man/criwatch.3 anew, from include/criwatch.h, criwatch.1 from the command, and cri-sim.1 from the simulated engine
	python3 docs/site/manual.py
	CRI_BLESS=1 $(CARGO) test --manifest-path cli/Cargo.toml --target-dir $(TARGET)/cli --bin criwatch manual
	CRI_BLESS=1 $(CARGO) test --manifest-path sim/Cargo.toml --target-dir $(TARGET)/sim --bin cri-sim reference

screens: ## Make the pictures of terminals in docs/images anew, each from its .ansi
	python3 docs/site/screen.py

clean: ## Remove everything that was built
	$(CARGO) clean --target-dir $(TARGET)

help: ## This list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-18s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))
