# Sourced by the scripts: installs the system packages they need, and says how to build everything.

# Options of `swift` for a build of everything, with what HTTP needs. It has a folder of its own: in one folder, each change of
# the traits compiles all modules anew.
with_http=(--traits default,HTTP --scratch-path .build-http)

# install_missing_packages [COMMAND…]: installs the packages of the build and of the named commands, if they are missing. Needs
# apt-get only if any is.
install_missing_packages() {
    if ! command -v swift >/dev/null; then
        echo "swift was not found: install a Swift 6.3 toolchain (https://www.swift.org/install) and put it on the PATH." >&2
        return 1
    fi
    local missing=()
    # Check for the headers that the build needs, because packages with other names may provide them.
    if [ ! -e /usr/include/sqlite3.h ]; then missing+=(libsqlite3-dev); fi
    if [ ! -e /usr/include/postgresql/libpq-fe.h ]; then missing+=(libpq-dev); fi
    local command
    for command in "$@"; do
        case "$command" in
        # The server's programs are not on the PATH.
        postgresql) if ! ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1; then missing+=(postgresql); fi ;;
        # Part of Python, but a package of its own on Debian.
        python3-venv) if ! python3 -c 'import ensurepip' >/dev/null 2>&1; then missing+=(python3-venv); fi ;;
        *) if ! command -v "$command" >/dev/null; then missing+=("$command"); fi ;;
        esac
    done
    if [ ${#missing[@]} -eq 0 ]; then return 0; fi

    if ! command -v apt-get >/dev/null; then
        echo "Missing packages: ${missing[*]}. There is no apt-get here: install them by hand." >&2
        return 1
    fi
    local as_root=()
    if [ "$(id -u)" -ne 0 ]; then as_root=(sudo); fi
    echo "Installing ${missing[*]} (apt-get) …" >&2
    # The package lists may be old or empty: update them only if the installation fails.
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" \
        >/dev/null 2>&1 && return 0
    "${as_root[@]}" apt-get update -qq
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
}
