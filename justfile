# Every check and chore of the repository, each defined once; people, `npm test` and CI call the same recipes.
# `npm test` makes the environment that they need, `just` included: .venv/bin/just.

set windows-shell := ["powershell.exe", "-NoLogo", "-NoProfile", "-Command"]

venv := absolute_path(env("NT_VENV", ".venv"))
bin := venv / if os_family() == "windows" { "Scripts" } else { "bin" }
python := bin / "python"
# The bindings are a Python extension: only Python can load them, so they are tested from there.
crates := "--workspace --exclude nt-bindings"
fuzz_seconds := env("NT_FUZZ_SECONDS", "60")

export VIRTUAL_ENV := venv
export PYO3_PYTHON := python
unexport CONDA_PREFIX

_list:
    @just --list --unsorted

# Make the environment and run every stage (names of stages run only those)
test *stages:
    node tests/run.js {{ stages }}

# ---- Rust ----------------------------------------------------------------------------------------------------------

# Format and clippy, warnings denied
lint-rust:
    cargo fmt --all --check -- -l
    cargo clippy --workspace --all-targets --locked --quiet -- --deny warnings

# Unit, property and documentation tests of the crates
test-rust:
    cargo test {{ crates }} --locked --quiet

# ---- Python --------------------------------------------------------------------------------------------------------

# The engine into the environment: optimised, without the link-time optimisation of a release
build:
    {{ python }} -m maturin develop --profile quick --locked --quiet

# Ruff, types, the stub against the built extension, layers
lint-python:
    {{ python }} -m ruff check --quiet
    {{ python }} -m ruff format --quiet --check
    {{ python }} -m mypy --no-error-summary
    {{ python }} -m mypy.stubtest neural_trader._core --concise
    {{ bin / "lint-imports" }} --no-logo

# Rules of the house, and the examples of the documents
test-tidy:
    {{ python }} -m pytest tests/tidy

# The package, from units to commands
test-python *options:
    {{ python }} -m pytest tests --ignore tests/tidy --ignore tests/parity --ignore tests/property --ignore tests/peers \
        {{ options }}

# The plain engine against the fast one (NT_PARITY_SEEDS: how many random cases, 2,000 by default)
test-parity *options:
    {{ python }} -m pytest tests/parity tests/property {{ options }}

# The engine by the rules of other packages, against those packages, each in an environment of its own
test-peers *options:
    {{ python }} -m pytest tests/peers {{ options }}

# ---- Node ----------------------------------------------------------------------------------------------------------

# The launcher
test-npm:
    node --test --test-reporter spec tests/npm/*.test.js

# The report in a real browser (CHROMIUM: where it is, if not in a usual place)
test-browser:
    node --test --test-reporter spec tests/report/browser/report.test.js

# ---- Releases ------------------------------------------------------------------------------------------------------

# The wheel of this machine, as it is published, into dist/
wheel:
    {{ python }} -m maturin build --release --locked --quiet --out dist

# The wheel in new environments: every Python at hand, newest and oldest libraries, one run hash in all of them
test-wheel: wheel
    {{ python }} tests/fresh/wheel.py dist

# The first command of the README, in a new clone with nothing set up
test-start:
    {{ python }} tests/fresh/start.py

# Licences, sources and known weaknesses of the crates (installs cargo-deny where it is missing, which takes minutes)
audit:
    cargo deny --version || cargo install cargo-deny --locked --quiet
    cargo deny check

# Arithmetic, places in queues and ladders under Miri, which sees every operation (needs rustup; takes minutes)
prove:
    rustup toolchain install nightly --profile minimal --component miri --component rust-src
    env MIRIFLAGS=-Zmiri-disable-isolation PROPTEST_CASES=16 cargo +nightly miri test --quiet -p nt-core --lib
    env MIRIFLAGS=-Zmiri-disable-isolation PROPTEST_CASES=16 cargo +nightly miri test --quiet -p nt-engine --lib queue_model
    env MIRIFLAGS=-Zmiri-disable-isolation cargo +nightly miri test --quiet -p nt-book --test bounds

# Messages and commands at random to feeds and books, NT_FUZZ_SECONDS (60) of each; installs cargo-fuzz where it is missing
fuzz:
    cargo fuzz --version || cargo install cargo-fuzz --locked --quiet
    python3 fuzz/seeds.py
    env RUSTC_BOOTSTRAP=1 cargo fuzz run messages -- -max_total_time={{ fuzz_seconds }} -max_len=8000 -timeout=10
    env RUSTC_BOOTSTRAP=1 cargo fuzz run books -- -max_total_time={{ fuzz_seconds }} -max_len=600 -timeout=10

# Everything that is measured, against the plain engine and other packages (--publish: keep the tables)
bench *options:
    {{ python }} -m benches {{ options }}

# ---- Chores --------------------------------------------------------------------------------------------------------

# Format everything
fmt:
    cargo fmt --all
    {{ python }} -m ruff check --quiet --fix
    {{ python }} -m ruff format --quiet
