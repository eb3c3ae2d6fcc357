# Commands for contributors. `make help` lists them, DEVELOPERS.md explains them.
# You need Rust, Python 3.10 or newer and a C compiler. Everything else is installed into .venv, pinned.

SHELL := /bin/sh
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

VENV := .venv
NONUMPY_VENV := .venv-nonumpy
DOCS_VENV := .venv-docs
ENGINES_VENV := .venv-engines
CONSUMERS_VENV := .venv-consumers
FEAST_VENV := .venv-feast
BIN := $(VENV)/bin
PY := $(BIN)/python
PIP_INSTALL = -m pip install --quiet --disable-pip-version-check --no-input --no-deps

# Arguments for the tools: make test-python PYTEST_ARGS="-k cancel -x"
PYTEST_ARGS ?=
# Processes that share the Python tests: one more than there are cores, since many tests wait. 0 runs them in one.
TEST_WORKERS ?= $$(($$(getconf _NPROCESSORS_ONLN) + 1))
CARGO_TEST_ARGS ?=
# --locked makes cargo fail if Cargo.lock is outdated (.ci/run sets it).
LOCKED ?=
# Seconds per fuzz target.
FUZZ_SECONDS ?= 20
# The server for `make test-integration`, and for `make bench` if set: host:port[,host:port...]
AEROSPIKE_HOSTS ?=
BENCH_ARGS ?=
# A checkout of aerospike-client-python, for `make test-official-suite`.
OFFICIAL_SUITE ?=
# Arguments for maturin in `make wheel`; "--features abi3" builds for the stable ABI.
WHEEL_ARGS ?=
# What `make check-deny` checks. "advisories" needs the network.
DENY ?= licenses bans sources

# The same path to the same Python in every build: pyo3 is rebuilt when it changes.
export PYO3_PYTHON := $(CURDIR)/$(PY)

RUST_SOURCES := $(shell find crates -name target -prune -o \( -name '*.rs' -o -name Cargo.toml -o -type d \) -print)
EXTENSION_SOURCES := $(RUST_SOURCES) Cargo.toml Cargo.lock pyproject.toml

# Stamp files: a step runs again only if something that it depends on has changed.
TOOLS := $(VENV)/.tools
DEV := $(VENV)/.extension-dev
RELEASE := $(VENV)/.extension-release
NONUMPY := $(NONUMPY_VENV)/.tools
DOCS := $(DOCS_VENV)/.tools
ENGINES := $(ENGINES_VENV)/.tools
CONSUMERS := $(CONSUMERS_VENV)/.tools
FEAST := $(FEAST_VENV)/.tools

.PHONY: help
help: ## show this list
	@grep -hE '^[a-z-]+:.*## ' Makefile | sed 's/:.*## /|/' | awk -F'|' '{ printf "  make %-18s %s\n", $$1, $$2 }'

# ---------------------------------------------------------------- building

.PHONY: prerequisites tools build dev demo wheel sdist
prerequisites: ## check for Rust, Python and a C compiler, and say how to install what is missing
	@sh scripts/prerequisites.sh all

tools: $(TOOLS) ## create .venv with the pinned tools, without building the package

build: $(RELEASE) ## build the extension (release) and install it into .venv

dev: $(DEV) ## build the extension (dev profile: quick to build) and install it into .venv

demo: $(DEV) ## build, start the embedded server, write records, read them into an array
	$(PY) examples/demo.py

wheel: $(TOOLS) ## build a release wheel in dist/ and test it in a clean environment
	@sh scripts/prerequisites.sh rust
	rm -rf dist/wheel
	$(PY) -m maturin build --quiet --release $(LOCKED) --interpreter $(PY) --out dist/wheel $(WHEEL_ARGS)
	$(PY) -m scripts.try_wheel dist/wheel/*.whl

# The dev profile is enough: the question is whether all sources are in the archive.
sdist: $(TOOLS) ## build the source distribution in dist/, and a wheel from it
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

# Dask, Ray, Spark and Daft: large, and with pins of their own.
$(ENGINES): requirements/engines.txt $(TOOLS)
	@test -x $(ENGINES_VENV)/bin/python || $(PY) -m venv $(ENGINES_VENV)
	$(ENGINES_VENV)/bin/python $(PIP_INSTALL) -r requirements/engines.txt
	$(ENGINES_VENV)/bin/python -m pip check --disable-pip-version-check
	@touch $@

# PyTorch and onnxruntime, which are large, and pandas 2 beside the pandas 3 of .venv.
$(CONSUMERS): requirements/base.txt requirements/consumers.txt $(TOOLS)
	@test -x $(CONSUMERS_VENV)/bin/python || $(PY) -m venv $(CONSUMERS_VENV)
	$(CONSUMERS_VENV)/bin/python $(PIP_INSTALL) -r requirements/consumers.txt
	$(CONSUMERS_VENV)/bin/python -m pip check --disable-pip-version-check
	@touch $@

# A separate environment: Feast needs CPython 3.11 or newer, and pins of its own.
$(FEAST): requirements/base.txt requirements/feast.txt $(TOOLS)
	@$(PY) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "the tests with Feast need CPython 3.11 or newer")'
	@test -x $(FEAST_VENV)/bin/python || $(PY) -m venv $(FEAST_VENV)
	$(FEAST_VENV)/bin/python $(PIP_INSTALL) -r requirements/feast.txt
	$(FEAST_VENV)/bin/python -m pip check --disable-pip-version-check
	@touch $@

# A separate environment: the site needs CPython 3.11.5 or newer, the package does not.
$(DOCS): requirements/docs.txt $(TOOLS)
	@$(PY) -c 'import sys; sys.exit(sys.version_info < (3, 11, 5) and "building the site needs CPython 3.11.5 or newer")'
	@test -x $(DOCS_VENV)/bin/python || $(PY) -m venv $(DOCS_VENV)
	$(DOCS_VENV)/bin/python $(PIP_INSTALL) -r requirements/docs.txt
	$(DOCS_VENV)/bin/python -m pip check --disable-pip-version-check
	@touch $@

# At a terminal, cargo shows its progress; a log would get a line for each of hundreds of crates.
QUIET_IN_LOGS = $$(test -t 2 || echo --quiet)

# Both profiles install to the same place, so each removes the other's stamp. maturin installs the wheel that
# it has just built by its path. PIP_NO_INDEX ensures that pip never asks an index for it. PIP_QUIET is for the pip
# that maturin runs: it has a line for each dependency of an extra.
DEVELOP = PIP_NO_INDEX=1 PIP_QUIET=1 VIRTUAL_ENV=$(CURDIR)/$(VENV) $(PY) -m maturin develop $(QUIET_IN_LOGS)
COMPILING = @echo "compiling the extension: the first time, this takes about five minutes on two cores"

$(DEV): $(TOOLS) $(EXTENSION_SOURCES)
	@sh scripts/prerequisites.sh rust
	$(COMPILING)
	$(DEVELOP) $(LOCKED)
	@rm -f $(RELEASE)
	@touch $@

$(RELEASE): $(TOOLS) $(EXTENSION_SOURCES)
	@sh scripts/prerequisites.sh rust
	$(COMPILING)
	$(DEVELOP) --release $(LOCKED)
	@rm -f $(DEV)
	@touch $@

# ---------------------------------------------------------------- tests

.PHONY: test test-rust test-examples test-python test-nonumpy test-engines test-consumers test-feast bench-feast test-integration test-official-suite loom asan asan-python tsan miri fuzz
test: test-rust test-examples test-python test-nonumpy ## run all tests

test-rust: ## run the tests of the crates
	@sh scripts/prerequisites.sh rust
	cargo test --quiet --workspace --exclude py-bindings $(LOCKED) $(CARGO_TEST_ARGS)

# The examples of the crates, except those that are benchmarks.
EXAMPLES := dtype-schema/row wire-protocol/batch_in_bytes record-decode/decode_records aero-io/read_and_write dev-server/faults

test-examples: ## run the examples of the crates
	@for example in $(EXAMPLES); do \
	  cargo run --quiet $(LOCKED) -p $${example%/*} --example $${example#*/} >target/example.txt 2>&1 || \
	    { echo "$$example:" >&2; cat target/example.txt >&2; exit 1; }; \
	done

test-python: $(DEV) ## run the Python tests against the embedded server
	$(PY) -m pytest tests -n $(TEST_WORKERS) --dist worksteal $(PYTEST_ARGS)

test-nonumpy: $(DEV) $(NONUMPY) ## run the tests of the package without NumPy
	PYTHONPATH=python $(NONUMPY_VENV)/bin/python -m pytest tests/without_numpy $(PYTEST_ARGS)

test-consumers: $(DEV) $(CONSUMERS) ## run the tests of pandas 2, PyTorch and ONNX in an environment of their own (large)
	PYTHONPATH=python $(CONSUMERS_VENV)/bin/python -m pytest tests/arrow/test_consumers.py tests/docs/test_model_inputs.py $(PYTEST_ARGS)

test-engines: $(DEV) $(ENGINES) ## run the tests of Dask, Ray, Spark and Daft in an environment of their own; needs Java 17
	@sh scripts/prerequisites.sh java
	PYTHONPATH=python $(ENGINES_VENV)/bin/python -m pytest tests/engines $(PYTEST_ARGS)

test-feast: $(DEV) $(FEAST) ## test the online store with Feast (AEROSPIKE_HOSTS); not part of `make test`
	AEROSPIKE_HOSTS="$(AEROSPIKE_HOSTS)" PYTHONPATH=python $(FEAST_VENV)/bin/python -m pytest tests/feast tests/docs/test_pages.py -k 'feast' $(PYTEST_ARGS)

bench-feast: $(RELEASE) $(FEAST) ## compare the online store with Feast's own
	AEROSPIKE_HOSTS="$(AEROSPIKE_HOSTS)" PYTHONPATH=python $(FEAST_VENV)/bin/python benches/feast_store.py $(BENCH_ARGS)

test-integration: $(DEV) ## run tests/integration and tests/compat against a real server: AEROSPIKE_HOSTS=host:port
	@test -n "$(AEROSPIKE_HOSTS)" || { echo "set AEROSPIKE_HOSTS=host:port" >&2; exit 2; }
	AEROSPIKE_HOSTS="$(AEROSPIKE_HOSTS)" $(PY) -m pytest tests/integration tests/compat $(PYTEST_ARGS)

test-official-suite: $(DEV) ## run the official client's own tests with this package: OFFICIAL_SUITE=checkout AEROSPIKE_HOSTS=host:port
	@test -n "$(OFFICIAL_SUITE)" && test -n "$(AEROSPIKE_HOSTS)" || \
	  { echo "set OFFICIAL_SUITE=checkout and AEROSPIKE_HOSTS=host:port" >&2; exit 2; }
	$(PY) -m tests.official_suite.run $(OFFICIAL_SUITE) --hosts $(AEROSPIKE_HOSTS) $(PYTEST_ARGS)

# Dependencies are built without optimization here: the build takes half the time, and these tests run for
# seconds.
LIGHT := --config 'profile.dev.package."*".opt-level=0'

loom: ## test the row buffer with loom: every interleaving of its threads
	RUSTFLAGS="--cfg loom" CARGO_TARGET_DIR=target/loom \
	  cargo test --quiet $(LIGHT) -p record-decode --lib $(LOCKED) loom

asan: ## test record-decode with AddressSanitizer (Linux)
	RUSTC_BOOTSTRAP=1 RUSTFLAGS=-Zsanitizer=address CARGO_TARGET_DIR=target/asan \
	  cargo test --quiet $(LIGHT) -p record-decode --target "$$(rustc -vV | sed -n 's/^host: //p')" --lib --tests $(LOCKED)

# rustc's AddressSanitizer runtime is meant for Rust programs. Here it is linked into a library that is loaded
# before Python; the loader then does what the runtime's preinit object would do, so that object is removed.
# PYTHONMALLOC=malloc lets the sanitizer see each Python object. ASAN_TESTS are the tests to run.
HOST = $$(rustc -vV | sed -n 's/^host: //p')
ASAN_TESTS ?= tests/hostile tests/arrow/test_results.py tests/arrow/test_queries.py
asan-python: $(TOOLS) ## test the extension with AddressSanitizer behind a proxy that corrupts replies (Linux)
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
	  PYTHONPATH=target/asan/python $(PY) -m pytest $(ASAN_TESTS) $(PYTEST_ARGS)

tsan: ## test the row buffer with ThreadSanitizer; needs the nightly toolchain with rust-src
	@test -d "$$(rustc +nightly --print sysroot 2>/dev/null)/lib/rustlib/src" || \
	  { echo "missing: rust-src (rustup toolchain install nightly --component rust-src)" >&2; exit 1; }
	RUSTFLAGS=-Zsanitizer=thread CARGO_TARGET_DIR=target/tsan \
	  cargo +nightly test --quiet $(LIGHT) -Zbuild-std --target "$(HOST)" -p record-decode --lib $(LOCKED) rows

miri: ## run record-decode's unit tests under Miri (takes minutes); needs the nightly toolchain with miri
	@cargo +nightly miri --version >/dev/null 2>&1 || \
	  { echo "missing: Miri (rustup toolchain install nightly --component miri,rust-src)" >&2; exit 1; }
	MIRIFLAGS=-Zmiri-disable-isolation PROPTEST_CASES=4 CARGO_TARGET_DIR=target/miri \
	  cargo +nightly miri test --quiet -p record-decode --lib $(LOCKED)

coverage: $(TOOLS) ## measure line coverage of dtype-schema, wire-protocol and record-decode; needs llvm-tools
	$(PY) -m scripts.coverage

# -s none: without a sanitizer, the stable toolchain is enough; see fuzz/README.md. `decode` reads the same replies
# as `batch_answers` and starts from its seeds; `compressed` and `dtype` have none of their own and do the same.
fuzz: ## run each fuzz target for FUZZ_SECONDS (20); needs cargo-fuzz
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

# Quick checks first; .ci/run uses this order, too.
CHECKS := check-layers check-rooms check-tracked check-links check-markdown check-dependencies check-fmt check-ruff check-clippy check-docs check-mypy check-stubs check-tables check-site

.PHONY: check list-checks check-deny $(CHECKS)
check: $(CHECKS) ## run all static checks

list-checks:
	@echo $(CHECKS)

check-layers: $(TOOLS) ## dependencies between crates point down; unsafe code and long files only where allowed
	$(PY) -m scripts.check_layers

check-rooms: $(TOOLS) ## imports between rooms (modules and folders of a crate) run one way
	$(PY) -m scripts.check_rooms

check-tracked: $(TOOLS) ## no machine paths, no registry hosts; nothing installs aerospike-py from an index
	$(PY) -m scripts.check_tracked

check-links: $(TOOLS) ## links and anchors in Markdown files
	$(PY) -m scripts.check_links

check-markdown: $(TOOLS) ## tables, code fences and headings in Markdown files
	$(PY) -m scripts.check_markdown

check-tables: $(DEV) ## generated pages (element-table, features, policies) match their sources
	$(PY) -m scripts.element_table --check
	$(PY) -m scripts.feature_table --check
	$(PY) -m scripts.policy_table --check

check-dependencies: $(TOOLS) ## DEVELOPERS.md lists each direct dependency; crates come from the public registry
	$(PY) -m scripts.check_dependencies

check-deny: ## licences, sources and versions of all crates (DENY=advisories: advisories); needs cargo-deny
	@cargo deny --version >/dev/null 2>&1 || { echo "missing: cargo-deny (cargo install cargo-deny --locked)" >&2; exit 1; }
	cargo deny $(LOCKED) check $(DENY)

check-fmt: ## Rust formatting (rustfmt)
	cargo fmt --all --check
	cargo fmt --manifest-path fuzz/Cargo.toml --check
	cargo fmt --manifest-path benches/rust/Cargo.toml --check

check-ruff: $(TOOLS) ## Python lint and formatting (ruff)
	$(PY) -m ruff check --quiet .
	$(PY) -m ruff format --quiet --check .

check-clippy: $(TOOLS) ## clippy on all targets; warnings are errors
	cargo clippy --quiet --workspace --all-targets $(LOCKED) -- -D warnings

check-docs: $(TOOLS) ## documentation of the crates (rustdoc); warnings are errors
	RUSTDOCFLAGS="-D warnings" cargo doc --quiet --no-deps --workspace $(LOCKED)

check-mypy: $(TOOLS) ## types of the Python code (mypy, strict)
	$(PY) -m mypy

check-stubs: $(DEV) ## compare the stubs with the built extension
	$(PY) -m mypy.stubtest aerospike_py._native --allowlist scripts/stubtest-allow.txt --mypy-config-file pyproject.toml

check-site: docs ## the site builds without warnings

# ---------------------------------------------------------------- the site

# Silences an advertisement of the theme.
MKDOCS := NO_MKDOCS_2_WARNING=1 $(DOCS_VENV)/bin/python -m mkdocs

.PHONY: docs docs-serve
docs: $(DOCS) ## build the site of docs/ in site/; warnings are errors
	$(MKDOCS) build --strict

docs-serve: $(DOCS) ## serve the site at http://127.0.0.1:8000 and rebuild it when a page changes
	$(MKDOCS) serve --strict

# ---------------------------------------------------------------- the rest

.PHONY: fix bench bench-availability bench-engines bench-crates bench-left-out instructions clean
fix: $(TOOLS) ## format Rust and Python, and apply ruff's fixes
	cargo fmt --all
	cargo fmt --manifest-path fuzz/Cargo.toml
	cargo fmt --manifest-path benches/rust/Cargo.toml
	$(PY) -m ruff check --quiet --fix .
	$(PY) -m ruff format --quiet .

bench: $(RELEASE) ## compare with other clients: about half an hour, 2 minutes with BENCH_ARGS=--quick (AEROSPIKE_HOSTS)
	AEROSPIKE_HOSTS="$(AEROSPIKE_HOSTS)" $(PY) benches/run.py $(BENCH_ARGS)

bench-crates: ## benchmark digests, requests, replies and decoding with criterion
	cargo bench $(LOCKED) -p wire-protocol --bench digest --bench messages
	cargo bench $(LOCKED) -p record-decode --bench decode

bench-left-out: $(TOOLS) ## measure the packages that the design left out (DESIGN.md) beside what it has
	$(PY) benches/rust/completions.py
	cd benches/rust && cargo run --quiet --release $(LOCKED) --features batch --bin batch

instructions: $(TOOLS) ## count instructions of the hot loops (BENCH_ARGS=--check: compare); needs valgrind
	$(PY) benches/instructions.py $(BENCH_ARGS)

bench-availability: $(RELEASE) ## read batches while nodes fail, compared with the official client: about 4 minutes
	$(PY) benches/availability.py $(BENCH_ARGS)

bench-engines: $(RELEASE) $(ENGINES) ## reads by Dask, Ray and Spark, compared with a read in one process; needs Java 17
	@sh scripts/prerequisites.sh java
	PYTHONPATH=python $(ENGINES_VENV)/bin/python benches/engines.py $(BENCH_ARGS)

clean: ## remove everything that was built, including .venv
	rm -rf target site benches/rust/target fuzz/target fuzz/corpus $(VENV) $(NONUMPY_VENV) $(DOCS_VENV) $(ENGINES_VENV) $(CONSUMERS_VENV) $(FEAST_VENV) benches/.venv-peers-* dist .mypy_cache .pytest_cache .ruff_cache .hypothesis
	rm -f python/aerospike_py/_native*.so python/aerospike_py/_native*.pyd
	find . -name __pycache__ -not -path './.git/*' -prune -exec rm -rf {} +
