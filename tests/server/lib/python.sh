# python.sh - a private Python environment with packages by name, for tests that hold scry against
# other people's programs. Source it before tests/e2e/lib.sh, which changes HOME.
#
#     python_with schemathesis==4.32.5 || ...      # $python is its interpreter
#
# Environments are kept in $XDG_CACHE_HOME/scry-tests, one for each list of packages. Where they
# cannot be made (no network, no venv), the test is skipped, loudly.
python_cache=${XDG_CACHE_HOME:-$HOME/.cache}/scry-tests

python_with() { # PACKAGE...
    python_home=$python_cache/python-$(echo "$*" | sha256sum | cut -c 1-12)
    python=$python_home/bin/python
    [ ! -e "$python_home/complete" ] || return 0
    rm -rf "$python_home"
    mkdir -p "$python_cache" && python3 -m venv "$python_home" &&
        timeout 600 "$python" -m pip install --quiet --disable-pip-version-check "$@" >"$python_home/pip.log" 2>&1 && touch "$python_home/complete" && return 0
    echo "SKIPPED: $* cannot be installed: this test did NOT run" >&2
    tail -n 3 "$python_home/pip.log" >&2
    echo "1..0 # SKIP $* cannot be installed: NOT tested"
    exit 0
}
