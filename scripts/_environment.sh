# Sourced by `demo`, `test` and `docs`: makes .venv in the repository and installs into it, once.

cd "$(dirname "${BASH_SOURCE[0]}")/.."

# Say what is being done, with the seconds since the start.
stage() { printf '== %s [%d s]\n' "$*" "$SECONDS"; }

# Stop with one line: fail MESSAGE [STATUS]
fail() {
    printf 'scripts/%s: %s\n' "${0##*/}" "$1" >&2
    exit "${2:-1}"
}

# at_least_3_11 PYTHON [CONDITION ON v]
at_least_3_11() {
    "$1" -c "import sys; v = sys.version_info; sys.exit(not (v >= (3, 11) and ${2:-True}))" 2>/dev/null
}

# Print the Python to use. The pinned versions have no wheels for one after 3.13, so such a one is
# the last choice.
find_python() {
    local candidate
    for candidate in python3 python3.13 python3.12 python3.11; do
        if at_least_3_11 "$candidate" "v < (3, 14)"; then echo "$candidate" && return; fi
    done
    if at_least_3_11 python3; then echo python3 && return; fi
    candidate=$(python3 --version 2>/dev/null) || candidate=none
    fail "needs Python 3.11 or newer, found $candidate: install one (Debian: apt install python3 python3-venv)"
}

make_venv() {
    local python said
    python=$(find_python)
    stage "making .venv with $("$python" --version)"
    said=$("$python" -m venv --clear .venv 2>&1) && return
    case $said in
        *ensurepip* | *"No module named venv"*) fail "$python has no venv: apt install $python-venv" ;;
        *) fail "$python -m venv .venv failed: $said" ;;
    esac
}

# install EXTRA...: does nothing where the extras of this pyproject.toml are installed already.
install() {
    local stamp=.venv/edkit-installed hash have="" extra wanted=""
    at_least_3_11 .venv/bin/python && .venv/bin/python -m pip --version &>/dev/null || make_venv
    hash=$({ pwd && cat pyproject.toml constraints.txt; } | .venv/bin/python -c \
        'import hashlib, sys; print(hashlib.sha256(sys.stdin.buffer.read()).hexdigest())')
    [[ ! -e $stamp ]] || have=$(<"$stamp")
    [[ $have == "$hash "* ]] || have="$hash "
    for extra; do
        [[ $have == *" $extra "* ]] || wanted+=,$extra
    done
    [[ -n $wanted ]] || return 0
    stage "installing edkit[${wanted#,}] into .venv: minutes, the first time"
    rm -f "$stamp"
    # Of 16,000 files a session imports a part, and compiles that itself.
    .venv/bin/python -m pip install -qq --no-compile --disable-pip-version-check \
        -c constraints.txt -e ".[${wanted#,}]" || fail "pip could not install edkit[${wanted#,}], see above"
    echo "${have% }${wanted//,/ } " >"$stamp"
}

# check_qt PLATFORM: stop where a system library is missing that Qt needs to open a window.
check_qt() {
    local qt packages
    qt=$(echo .venv/lib/python3*/site-packages/PySide6/Qt)
    # Debian names the package of libxcb-cursor.so.0 libxcb-cursor0, of libdbus-1.so.3 libdbus-1-3.
    packages=$({ ldd "$qt/lib/libQt6Widgets.so.6" "$qt/plugins/platforms/libq$1.so" 2>/dev/null || true; } |
        awk '/not found/ { print tolower($1) }' |
        sed -E 's/lib(glib|gthread)-2/libglib2/; s/([0-9])\.so\./\1-/; s/\.so\.//' | sort -u | paste -sd ' ')
    [[ -z $packages ]] || fail "the window needs system libraries: apt install $packages"
    .venv/bin/python -c 'import PySide6.QtWidgets' || fail "PySide6 cannot be imported, see above"
}
