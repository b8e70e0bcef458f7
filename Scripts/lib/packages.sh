# Sourced by the scripts: what they need from the system.

# install_missing_packages [COMMAND…]: installs what the build needs, and the packages of the commands named, where they are
# missing. Needs apt-get only then.
install_missing_packages() {
    if ! command -v swift >/dev/null; then
        echo "swift was not found: install a Swift 6.3 toolchain (https://www.swift.org/install) and put it on the PATH." >&2
        return 1
    fi
    local missing=()
    # The header is what the build needs; a package of another name may have brought it.
    if [ ! -e /usr/include/sqlite3.h ]; then missing+=(libsqlite3-dev); fi
    if [ ! -e /usr/include/postgresql/libpq-fe.h ]; then missing+=(libpq-dev); fi
    local command
    for command in "$@"; do
        case "$command" in
        # The server's programs are not on the PATH.
        postgresql) if ! ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1; then missing+=(postgresql); fi ;;
        *) if ! command -v "$command" >/dev/null; then missing+=("$command"); fi ;;
        esac
    done
    if [ ${#missing[@]} -eq 0 ]; then return 0; fi

    if ! command -v apt-get >/dev/null; then
        echo "Missing: ${missing[*]}. There is no apt-get here: install them by hand." >&2
        return 1
    fi
    local as_root=()
    if [ "$(id -u)" -ne 0 ]; then as_root=(sudo); fi
    echo "Installing ${missing[*]} (apt-get) …" >&2
    # The package lists may be old or empty: refreshed only where installing from them fails.
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" \
        >/dev/null 2>&1 && return 0
    "${as_root[@]}" apt-get update -qq
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
}
