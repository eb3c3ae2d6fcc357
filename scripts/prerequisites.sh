#!/bin/sh
# Checks what must be on the machine before anything can be built. Names what is missing and says how to install
# it, on Debian and in general.
#
#   prerequisites.sh python   prints the path of a suitable Python ($PYTHON, or the first one found)
#   prerequisites.sh rust     checks cargo and the linker
#   prerequisites.sh java     checks for a Java runtime, which only `make test-engines` needs (Spark)
#   prerequisites.sh all      checks both and prints what it found
set -u

root=$(cd "$(dirname "$0")/.." && pwd)
oldest_python="3.10"
oldest_rust=$(sed -n 's/^rust-version = "\(.*\)"/\1/p' "$root/Cargo.toml")

missing() { # what it is, how on Debian, how in general
    {
        echo "missing: $1"
        echo "  Debian and Ubuntu: $2"
        echo "  elsewhere:         $3"
    } >&2
    exit 1
}

# A version manager's shim may be on the PATH without working, so each candidate is run.
new_enough() {
    "$1" -c 'import sys; sys.exit(sys.version_info < (3, 10))' >/dev/null 2>&1
}

find_python() {
    found=""
    for candidate in ${PYTHON:-python3 python3.14 python3.13 python3.12 python3.11 python3.10 python}; do
        if command -v "$candidate" >/dev/null 2>&1 && new_enough "$candidate"; then
            found=$candidate
            break
        fi
    done
    if [ -z "$found" ]; then
        if [ -n "${PYTHON:-}" ]; then
            missing "Python >= $oldest_python: PYTHON=$PYTHON is not there, does not run or is older" \
                "apt-get install python3 python3-venv, and leave PYTHON unset" \
                "set PYTHON to a Python >= $oldest_python"
        fi
        missing "Python >= $oldest_python (none of python3, python3.10 to python3.14 fits)" \
            "apt-get install python3 python3-venv (Debian 12, Ubuntu 22.04 or newer)" \
            "install it from python.org or with pyenv, then run make PYTHON=/path/to/python3"
    fi
    if ! "$found" -c 'import venv, ensurepip' >/dev/null 2>&1; then
        missing "the venv module of $found" \
            "apt-get install python3-venv" \
            "install the part of Python that holds 'venv' and 'ensurepip', or another Python (make PYTHON=...)"
    fi
    "$found" -c 'import sys; print(sys.executable)'
}

check_rust() {
    if ! command -v cargo >/dev/null 2>&1; then
        missing "cargo (Rust >= $oldest_rust)" \
            "apt-get install rustup && rustup default stable (Debian 13, Ubuntu 24.04 or newer; else as below)" \
            "install rustup as rust-lang.org/tools/install says, then open a new shell"
    fi
    if ! version=$(cargo --version 2>/dev/null); then
        missing "a Rust toolchain (cargo is there but does not run)" \
            "rustup default stable" "rustup default stable"
    fi
    version=$(echo "$version" | sed 's/^cargo \([0-9.]*\).*/\1/')
    older=$(printf '%s\n%s\n' "$oldest_rust" "$version" | sort -t. -k1,1n -k2,2n -k3,3n | head -n 1)
    if [ "$older" = "$version" ] && [ "$version" != "$oldest_rust" ]; then
        missing "Rust >= $oldest_rust (this is $version)" \
            "rustup update stable (the rustc of apt is too old)" "rustup update stable"
    fi
    case $(uname -s) in
        MINGW* | MSYS* | CYGWIN*) return ;; # rustup brings or asks for a linker there
    esac
    compiler=""
    for candidate in ${CC:-cc gcc clang}; do
        if command -v "$candidate" >/dev/null 2>&1; then
            compiler=$candidate
            break
        fi
    done
    scratch=$(mktemp -d)
    trap 'rm -rf "$scratch"' EXIT
    echo 'int main(void) { return 0; }' >"$scratch/probe.c"
    if [ -z "$compiler" ] || ! "$compiler" "$scratch/probe.c" -o "$scratch/probe" >/dev/null 2>&1; then
        missing "a C compiler that links a program (Rust links with it)" \
            "apt-get install build-essential" \
            "install gcc or clang with the C library's headers (macOS: xcode-select --install)"
    fi
}

has_java() {
    found_java=$(java -version 2>&1 | sed -n 's/.*version "\([0-9]*\).*/\1/p' | head -n 1)
    [ -n "$found_java" ] && [ "$found_java" -ge 17 ]
}

check_java() {
    has_java || missing "Java >= 17 (Spark runs on it; only make test-engines needs it)" \
        "apt-get install openjdk-17-jre-headless" \
        "install a Java runtime, and put its java on the PATH"
}

case ${1:-all} in
    python) find_python ;;
    rust) check_rust ;;
    java) check_java ;;
    all)
        python=$(find_python) || exit 1
        check_rust
        echo "Python $("$python" -c 'import platform; print(platform.python_version())'), Rust $version, C compiler $compiler: all there"
        has_java || echo "no Java >= 17, which only make test-engines needs (apt-get install openjdk-17-jre-headless)"
        ;;
    *)
        echo "usage: $0 [python|rust|java|all]" >&2
        exit 2
        ;;
esac
