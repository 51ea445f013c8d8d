# What ./lethe and ./test share: finding the .NET SDK, building once, saying what is done. Sourced, not run.
# The one who sources it has set LETHE_HOME to the checkout.
# shellcheck shell=sh

# Progress and errors go to stderr, so that stdout holds results only.
say() { printf 'lethe: %s\n' "$*" >&2; }
stop() { printf 'error: %s\n' "$*" >&2; exit 2; }

# Root needs nothing before a command, others sudo that asks no password. Fails where there is neither.
as_root() {
    if [ "$(id -u)" -eq 0 ]; then "$@"; else sudo -n "$@"; fi
}

may_install() {
    command -v apt-get >/dev/null 2>&1 || return 1
    [ "$(id -u)" -eq 0 ] || sudo -n true >/dev/null 2>&1
}

# apt_install LOG PACKAGE…: quiet; waits for another apt; reads the package lists only where they lack a package or are out of date.
apt_install() {
    _log=$1
    shift
    if apt-cache show "$@" >"$_log" 2>&1 && apt_get install -y --no-install-recommends "$@" >>"$_log" 2>&1; then return 0; fi
    apt_get update >>"$_log" 2>&1 && apt_get install -y --no-install-recommends "$@" >>"$_log" 2>&1
}

apt_get() {
    as_root env DEBIAN_FRONTEND=noninteractive apt-get -q -o DPkg::Lock::Timeout=300 "$@"
}

has_sdk() { [ -n "$1" ] && "$1" --list-sdks 2>/dev/null | grep -q '^10\.'; }

# Sets DOTNET to a dotnet command that has a .NET 10 SDK.
find_sdk() {
    for DOTNET in "$(command -v dotnet || true)" "${DOTNET_ROOT:+$DOTNET_ROOT/dotnet}" "${HOME:+$HOME/.dotnet/dotnet}"; do
        if has_sdk "$DOTNET"; then return 0; fi
    done
    return 1
}

# Sets DOTNET; where there is no SDK, installs the distribution's, or says what to do and stops.
need_sdk() {
    if find_sdk; then return 0; fi
    if apt-cache show dotnet-sdk-10.0 >/dev/null 2>&1; then
        may_install || stop "The .NET 10 SDK is missing. Install it with: sudo apt-get update && sudo apt-get install -y dotnet-sdk-10.0"
        say "installing the .NET 10 SDK (apt-get install dotnet-sdk-10.0), once"
        apt_install "$LETHE_HOME/artifacts/launcher/apt.log" dotnet-sdk-10.0 || {
            tail -n 20 "$LETHE_HOME/artifacts/launcher/apt.log" >&2
            stop "apt-get could not install dotnet-sdk-10.0; its last lines stand above."
        }
        find_sdk && return 0
    fi
    cat >&2 <<'END'
error: The .NET 10 SDK is missing and this distribution's package lists do not have it. Either read the lists anew and try again:
    sudo apt-get update && sudo apt-get install -y dotnet-sdk-10.0
or unpack the SDK's archive for this machine, from the .NET 10 download page of its maker, into your home folder:
    mkdir -p ~/.dotnet && tar -xzf dotnet-sdk-10.0.*-linux-*.tar.gz -C ~/.dotnet
Lethe finds it there without further settings.
END
    exit 2
}

# What keeps dotnet quiet and at home on any machine: no banner, no messages home, no ICU needed, a home where the user has none.
prepare_dotnet() {
    export DOTNET_NOLOGO=1 DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_GENERATE_ASPNET_CERTIFICATE=false
    export DOTNET_SYSTEM_GLOBALIZATION_INVARIANT=1 DOTNET_CLI_UI_LANGUAGE=en
    if [ ! -w "${HOME:-/nonexistent}" ]; then
        export HOME="$LETHE_HOME/artifacts/home"
        mkdir -p "$HOME"
    fi
}

need_artifacts() {
    mkdir -p "$LETHE_HOME/artifacts/launcher" 2>/dev/null || true
    [ -w "$LETHE_HOME/artifacts/launcher" ] || stop "$LETHE_HOME/artifacts cannot be written; Lethe builds itself there. Use a checkout that you may write to."
}

# Whether the stamp is younger than everything that the build reads. A deleted file makes its folder younger.
sources_unchanged() {
    [ -e "$1" ] || return 1
    [ -z "$(cd "$LETHE_HOME" && find src native eng/BannedSymbols.txt Directory.Build.props Directory.Packages.props global.json -newer "$1" -print -quit 2>/dev/null)" ]
}

# build STAMP ARGUMENT…: dotnet build, one at a time, quiet unless it fails.
build() {
    _stamp=$1
    shift
    : >"$_stamp.began"
    if ! (cd "$LETHE_HOME" && "$DOTNET" build "$@" -c Release -v quiet --nologo -nodeReuse:false -clp:NoSummary) >"$_stamp.log" 2>&1 9>&- </dev/null; then
        # The build says each error twice.
        awk '!said[$0]++' "$_stamp.log" >&2
        rm -f "$_stamp.began"
        printf 'error: The build failed; the messages stand above.\n' >&2
        return 1
    fi
    # The stamp has the time at which the build began: what was edited meanwhile is built the next time.
    mv "$_stamp.began" "$_stamp"
}

# Holds the build lock as file descriptor 9 until unlock_build.
lock_build() {
    exec 9>"$LETHE_HOME/artifacts/launcher/build.lock"
    if ! flock -n 9; then
        say "waiting for another build of this checkout"
        flock 9
    fi
}

unlock_build() { exec 9>&-; }
