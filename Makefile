# What a contributor runs. `make help` lists it; DEVELOPERS.md explains it.
# Needs Rust, Python >= 3.10 and a C compiler: everything else goes into .venv, pinned.

SHELL := /bin/sh
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

VENV := .venv
NONUMPY_VENV := .venv-nonumpy
DOCS_VENV := .venv-docs
BIN := $(VENV)/bin
PY := $(BIN)/python
PIP_INSTALL = -m pip install --quiet --disable-pip-version-check --no-input --no-deps

# Passed on to the tools: make test-python PYTEST_ARGS="-k cancel -x"
PYTEST_ARGS ?=
CARGO_TEST_ARGS ?=
# --locked refuses a Cargo.lock that does not fit (.ci/run sets it).
LOCKED ?=
# Seconds each fuzz target runs for.
FUZZ_SECONDS ?= 20
# The server of `make test-integration` and, when set, of `make bench`: host:port[,host:port...]
AEROSPIKE_HOSTS ?=
BENCH_ARGS ?=
# Passed on to maturin by `make wheel`.
WHEEL_ARGS ?=
# What `make check-deny` looks at. Advisories need the network.
DENY ?= licenses bans sources

# One Python for every build of the extension, named the same way each time, or pyo3 is built again.
export PYO3_PYTHON := $(CURDIR)/$(PY)

RUST_SOURCES := $(shell find crates -name target -prune -o \( -name '*.rs' -o -name Cargo.toml -o -type d \) -print)
EXTENSION_SOURCES := $(RUST_SOURCES) Cargo.toml Cargo.lock pyproject.toml

# Stamps: what they stand for is done again only when what it depends on has changed.
TOOLS := $(VENV)/.tools
DEV := $(VENV)/.extension-dev
RELEASE := $(VENV)/.extension-release
NONUMPY := $(NONUMPY_VENV)/.tools
DOCS := $(DOCS_VENV)/.tools

.PHONY: help
help: ## this list
	@grep -hE '^[a-z-]+:.*## ' Makefile | sed 's/:.*## /|/' | awk -F'|' '{ printf "  make %-18s %s\n", $$1, $$2 }'

# ---------------------------------------------------------------- building

.PHONY: prerequisites tools build dev demo wheel sdist
prerequisites: ## look for Rust, Python and a C compiler, and say how to get what is missing
	@sh scripts/prerequisites.sh all

tools: $(TOOLS) ## .venv with the pinned tools, nothing of ours built

build: $(RELEASE) ## the release extension, installed into .venv

dev: $(DEV) ## the extension in the fast profile, installed into .venv

demo: $(DEV) ## build, start the embedded node, write, batch-read into an array
	$(PY) examples/demo.py

wheel: $(TOOLS) ## a release wheel in dist/, tried in a clean environment; WHEEL_ARGS="--features abi3" for the stable ABI
	@sh scripts/prerequisites.sh rust
	rm -rf dist/wheel
	$(PY) -m maturin build --quiet --release $(LOCKED) --interpreter $(PY) --out dist/wheel $(WHEEL_ARGS)
	$(PY) -m scripts.try_wheel dist/wheel/*.whl

# The fast profile: what is asked is whether the sources are all there.
sdist: $(TOOLS) ## the source distribution in dist/, and a wheel built from what is in it
	@sh scripts/prerequisites.sh rust
	rm -rf dist/sdist target/sdist && mkdir -p target/sdist
	$(PY) -m maturin sdist --out dist/sdist
	tar -xzf dist/sdist/*.tar.gz -C target/sdist --strip-components 1
	cd target/sdist && CARGO_TARGET_DIR=$(CURDIR)/target $(CURDIR)/$(PY) -m maturin build --quiet --profile dev \
	  --locked --interpreter $(CURDIR)/$(PY) --out $(CURDIR)/target/sdist/dist
	$(PY) -m scripts.try_wheel target/sdist/dist/*.whl

$(TOOLS): requirements/base.txt requirements/dev.txt
	@python=$$(sh scripts/prerequisites.sh python) && \
	  { test -x $(PY) || "$$python" -m venv $(VENV); }
	$(PY) $(PIP_INSTALL) -r requirements/dev.txt
	$(PY) -m pip check --disable-pip-version-check
	@touch $@

$(NONUMPY): requirements/base.txt requirements/nonumpy.txt $(TOOLS)
	@test -x $(NONUMPY_VENV)/bin/python || $(PY) -m venv $(NONUMPY_VENV)
	$(NONUMPY_VENV)/bin/python $(PIP_INSTALL) -r requirements/nonumpy.txt
	@touch $@

# An environment of its own: what builds the site needs CPython 3.11.5, and the package does not.
$(DOCS): requirements/docs.txt $(TOOLS)
	@$(PY) -c 'import sys; sys.exit(sys.version_info < (3, 11, 5) and "the site is built with CPython from 3.11.5 on")'
	@test -x $(DOCS_VENV)/bin/python || $(PY) -m venv $(DOCS_VENV)
	$(DOCS_VENV)/bin/python $(PIP_INSTALL) -r requirements/docs.txt
	$(DOCS_VENV)/bin/python -m pip check --disable-pip-version-check
	@touch $@

# Both profiles install to the same place, so making one unmakes the other's stamp. maturin installs the
# wheel that it has just built, by path; PIP_NO_INDEX makes sure that no index is ever asked for it.
$(DEV): $(TOOLS) $(EXTENSION_SOURCES)
	@sh scripts/prerequisites.sh rust
	PIP_NO_INDEX=1 VIRTUAL_ENV=$(CURDIR)/$(VENV) $(PY) -m maturin develop --quiet $(LOCKED)
	@rm -f $(RELEASE)
	@touch $@

$(RELEASE): $(TOOLS) $(EXTENSION_SOURCES)
	@sh scripts/prerequisites.sh rust
	PIP_NO_INDEX=1 VIRTUAL_ENV=$(CURDIR)/$(VENV) $(PY) -m maturin develop --quiet --release $(LOCKED)
	@rm -f $(DEV)
	@touch $@

# ---------------------------------------------------------------- tests

.PHONY: test test-rust test-examples test-python test-nonumpy test-integration loom asan asan-python tsan miri fuzz
test: test-rust test-examples test-python test-nonumpy ## all tests

test-rust: ## the crates' tests
	@sh scripts/prerequisites.sh rust
	cargo test --quiet --workspace --exclude py-bindings $(LOCKED) $(CARGO_TEST_ARGS)

# Each crate's examples but those that are benches.
EXAMPLES := dtype-schema/row wire-protocol/batch_in_bytes record-decode/decode_records aero-io/read_and_write dev-server/faults

test-examples: ## the crates' examples run; tests/docs/test_examples.py runs those in Python
	@for example in $(EXAMPLES); do \
	  cargo run --quiet $(LOCKED) -p $${example%/*} --example $${example#*/} >target/example.txt 2>&1 || \
	    { echo "$$example:" >&2; cat target/example.txt >&2; exit 1; }; \
	done

test-python: $(DEV) ## the Python tests, against the embedded node
	$(PY) -m pytest tests $(PYTEST_ARGS)

test-nonumpy: $(DEV) $(NONUMPY) ## the package in an environment without NumPy
	PYTHONPATH=python $(NONUMPY_VENV)/bin/python -m pytest tests/without_numpy $(PYTEST_ARGS)

test-integration: $(DEV) ## tests/integration and tests/compat against a real server: AEROSPIKE_HOSTS=host:port
	@test -n "$(AEROSPIKE_HOSTS)" || { echo "set AEROSPIKE_HOSTS=host:port" >&2; exit 2; }
	AEROSPIKE_HOSTS="$(AEROSPIKE_HOSTS)" $(PY) -m pytest tests/integration tests/compat $(PYTEST_ARGS)

# What the tests themselves depend on is built without optimisation here: half the time to build, and they
# run for seconds.
LIGHT := --config 'profile.dev.package."*".opt-level=0'

loom: ## the row buffer under loom: every interleaving of its threads
	RUSTFLAGS="--cfg loom" CARGO_TARGET_DIR=target/loom \
	  cargo test --quiet $(LIGHT) -p record-decode --lib $(LOCKED) loom

asan: ## record-decode under AddressSanitizer (Linux)
	RUSTC_BOOTSTRAP=1 RUSTFLAGS=-Zsanitizer=address CARGO_TARGET_DIR=target/asan \
	  cargo test --quiet $(LIGHT) -p record-decode --target "$$(rustc -vV | sed -n 's/^host: //p')" --lib --tests $(LOCKED)

# The runtime that rustc brings is for programs of its own; as a library it can be loaded before Python. What it
# would do before the start of the program, the loader does then. Python's objects get memory of their own.
HOST = $$(rustc -vV | sed -n 's/^host: //p')
asan-python: $(TOOLS) ## the extension under AddressSanitizer, with a proxy that spoils answers (Linux)
	RUSTC_BOOTSTRAP=1 RUSTFLAGS=-Zsanitizer=address CARGO_TARGET_DIR=target/asan \
	  cargo build --quiet $(LIGHT) -p py-bindings --target "$(HOST)" $(LOCKED)
	rm -rf target/asan/python && mkdir -p target/asan/python
	cp -r python/aerospike_py target/asan/python/ && rm -f target/asan/python/aerospike_py/_native*
	cp target/asan/$(HOST)/debug/lib_native.so target/asan/python/aerospike_py/_native.abi3.so
	cp "$$(rustc --print sysroot)/lib/rustlib/$(HOST)/lib/"librustc-*_rt.asan.a target/asan/runtime.a
	ar d target/asan/runtime.a "$$(ar t target/asan/runtime.a | grep preinit)"
	$(CC) -shared -o target/asan/runtime.so -Wl,--whole-archive target/asan/runtime.a -Wl,--no-whole-archive \
	  -lpthread -ldl -lm -lrt
	LD_PRELOAD=$(CURDIR)/target/asan/runtime.so ASAN_OPTIONS=detect_leaks=0 PYTHONMALLOC=malloc \
	  PYTHONPATH=target/asan/python $(PY) -m pytest tests/hostile $(PYTEST_ARGS)

tsan: ## the row buffer's threads under ThreadSanitizer; needs the nightly toolchain with rust-src
	@test -d "$$(rustc +nightly --print sysroot 2>/dev/null)/lib/rustlib/src" || \
	  { echo "missing: rust-src (rustup toolchain install nightly --component rust-src)" >&2; exit 1; }
	RUSTFLAGS=-Zsanitizer=thread CARGO_TARGET_DIR=target/tsan \
	  cargo +nightly test --quiet $(LIGHT) -Zbuild-std --target "$(HOST)" -p record-decode --lib $(LOCKED) rows

miri: ## record-decode's own tests under Miri: minutes; needs the nightly toolchain with miri
	@cargo +nightly miri --version >/dev/null 2>&1 || \
	  { echo "missing: Miri (rustup toolchain install nightly --component miri,rust-src)" >&2; exit 1; }
	MIRIFLAGS=-Zmiri-disable-isolation PROPTEST_CASES=4 CARGO_TARGET_DIR=target/miri \
	  cargo +nightly miri test --quiet -p record-decode --lib $(LOCKED)

coverage: $(TOOLS) ## line coverage of the pure crates; needs the toolchain's llvm-tools
	$(PY) -m scripts.coverage

# -s none: no sanitizer, so the stable toolchain suffices. fuzz/README.md has more.
# `decode` reads the same answers as `batch_answers` and shares its seeds. `compressed` and `dtype` have none of
# their own and start from the same.
fuzz: ## each fuzz target for FUZZ_SECONDS (20); needs cargo-fuzz
	@cargo fuzz --version >/dev/null 2>&1 || { echo "missing: cargo-fuzz (cargo install cargo-fuzz --locked)" >&2; exit 1; }
	@cd fuzz && for target in $$(cargo fuzz list); do \
	  echo "fuzz $$target for $(FUZZ_SECONDS) s"; \
	  rm -rf target/found/$$target; mkdir -p corpus/$$target target/found/$$target; \
	  seeds=seeds/$$target; test -d $$seeds || seeds=seeds/batch_answers; \
	  if test -f found/$$target.tar.gz; then \
	    tar -xzf found/$$target.tar.gz -C target/found/$$target && seeds="$$seeds target/found/$$target" || exit 1; \
	  fi; \
	  cargo fuzz run -s none $$target corpus/$$target $$seeds -- \
	    -max_total_time=$(FUZZ_SECONDS) -max_len=4096 -verbosity=0 >target/$$target.log 2>&1 || \
	    { cat target/$$target.log >&2; exit 1; }; \
	done

# ---------------------------------------------------------------- checks

# Quick ones first: .ci/run takes them in this order, too.
CHECKS := check-layers check-tracked check-links check-dependencies check-fmt check-ruff check-clippy check-docs check-mypy check-stubs check-tables check-site

.PHONY: check list-checks check-deny $(CHECKS)
check: $(CHECKS) ## everything that is checked without running it

list-checks:
	@echo $(CHECKS)

check-layers: $(TOOLS) ## dependencies point down, unsafe and long files where allowed
	$(PY) -m scripts.check_layers

check-tracked: $(TOOLS) ## no machine paths, no registry hosts, nobody's package installed
	$(PY) -m scripts.check_tracked

check-links: $(TOOLS) ## links and anchors of the Markdown files
	$(PY) -m scripts.check_links

check-tables: $(DEV) ## docs/element-table.md, docs/features.md and docs/policies.md are what their lists say
	$(PY) -m scripts.element_table --check
	$(PY) -m scripts.feature_table --check
	$(PY) -m scripts.policy_table --check

check-dependencies: $(TOOLS) ## each direct dependency is listed in DEVELOPERS.md; crates come from the public registry
	$(PY) -m scripts.check_dependencies

check-deny: ## licences, sources and versions of all crates (DENY="advisories ..." for others); needs cargo-deny
	@cargo deny --version >/dev/null 2>&1 || { echo "missing: cargo-deny (cargo install cargo-deny --locked)" >&2; exit 1; }
	cargo deny $(LOCKED) check $(DENY)

check-fmt: ## rustfmt
	cargo fmt --all --check
	cargo fmt --manifest-path fuzz/Cargo.toml --check

check-ruff: $(TOOLS) ## ruff, lint and format
	$(PY) -m ruff check --quiet .
	$(PY) -m ruff format --quiet --check .

check-clippy: $(TOOLS) ## clippy, all targets, warnings are errors
	cargo clippy --quiet --workspace --all-targets $(LOCKED) -- -D warnings

check-docs: $(TOOLS) ## rustdoc, warnings are errors
	RUSTDOCFLAGS="-D warnings" cargo doc --quiet --no-deps --workspace $(LOCKED)

check-mypy: $(TOOLS) ## mypy, strict
	$(PY) -m mypy

check-stubs: $(DEV) ## the stubs against the built extension
	$(PY) -m mypy.stubtest aerospike_py._native --allowlist scripts/stubtest-allow.txt --mypy-config-file pyproject.toml

check-site: docs ## the site builds: no dead link or anchor, every name of the reference is there

# ---------------------------------------------------------------- the site

# Its theme would tell of its successor in each run.
MKDOCS := NO_MKDOCS_2_WARNING=1 $(DOCS_VENV)/bin/python -m mkdocs

.PHONY: docs docs-serve
docs: $(DOCS) ## the site of docs/, into site/; warnings are errors
	$(MKDOCS) build --strict

docs-serve: $(DOCS) ## the site at http://127.0.0.1:8000, built anew whenever a page is saved
	$(MKDOCS) serve --strict

# ---------------------------------------------------------------- the rest

.PHONY: fix bench bench-availability bench-crates instructions clean
fix: $(TOOLS) ## format Rust and Python, apply what ruff can fix
	cargo fmt --all
	cargo fmt --manifest-path fuzz/Cargo.toml
	$(PY) -m ruff check --quiet --fix .
	$(PY) -m ruff format --quiet .

bench: $(RELEASE) ## compare with other clients: about twenty minutes, with BENCH_ARGS=--quick two (AEROSPIKE_HOSTS)
	AEROSPIKE_HOSTS="$(AEROSPIKE_HOSTS)" $(PY) benches/run.py $(BENCH_ARGS)

bench-crates: ## digests, requests, answers and decoding by themselves, with criterion
	cargo bench $(LOCKED) -p wire-protocol --bench digest --bench messages
	cargo bench $(LOCKED) -p record-decode --bench decode

instructions: $(TOOLS) ## instructions of the hot loops; BENCH_ARGS=--check compares with those recorded; needs valgrind
	$(PY) benches/instructions.py $(BENCH_ARGS)

bench-availability: $(RELEASE) ## batches while nodes die, hang and move, beside the official client: about four minutes
	$(PY) benches/availability.py $(BENCH_ARGS)

clean: ## remove everything that was built, .venv included
	rm -rf target site fuzz/target fuzz/corpus $(VENV) $(NONUMPY_VENV) $(DOCS_VENV) benches/.venv-peers-* dist .mypy_cache .pytest_cache .ruff_cache .hypothesis
	rm -f python/aerospike_py/_native*.so python/aerospike_py/_native*.pyd
	find . -name __pycache__ -not -path './.git/*' -prune -exec rm -rf {} +
