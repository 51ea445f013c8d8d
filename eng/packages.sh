#!/bin/sh
# The system packages that Lethe's tensors and demo data come from, on Debian and Ubuntu.
#   eng/packages.sh missing    prints those that this machine lacks, one a line
#   eng/packages.sh command    prints the command that installs them; nothing where none is missing
#   eng/packages.sh install    installs them where it may (root, or sudo without a password); else prints that command and stops with 2
set -eu

LETHE_HOME=$(dirname -- "$(dirname -- "$(readlink -f -- "$0")")")
. "$LETHE_HOME/eng/launcher.sh"

installed() {
    case "$(dpkg-query -W -f '${Status}' "$1" 2>/dev/null || true)" in
        *" ok installed") return 0 ;;
        *) return 1 ;;
    esac
}

is_libtorch() { [ -d "$1/include" ] && [ -e "$1/lib/libtorch_cpu.so" ]; }

# The folder of the libtorch that will be used, if it is not the system's own.
own_libtorch() {
    if [ -n "${LETHE_LIBTORCH:-}" ]; then
        printf '%s\n' "$LETHE_LIBTORCH"
        return 0
    fi
    for _python in python3 /usr/bin/python3; do
        _torch=$("$_python" -c 'import importlib.util as u; s = u.find_spec("torch"); print(list(s.submodule_search_locations)[0] if s else "")' 2>/dev/null || true)
        if [ -z "$_torch" ] || ! is_libtorch "$_torch"; then continue; fi
        # Debian's python3-torch links to the system's libtorch, which is then the one in use.
        case "$(readlink -f "$_torch/lib/libtorch_cpu.so")" in
            /usr/lib/*) ;;
            *) printf '%s\n' "$_torch" ;;
        esac
        return 0
    done
}

missing() {
    command -v g++ >/dev/null 2>&1 || echo g++
    if [ -z "$(own_libtorch)" ]; then
        # The OpenMP build of OpenBLAS shares libtorch's threads; the default one brings a second pool.
        for _package in libtorch-dev libopenblas0-openmp; do
            installed "$_package" || echo "$_package"
        done
    fi
    [ -e /usr/share/datasets/fashion-mnist/train-images-idx3-ubyte.gz ] || echo dataset-fashion-mnist
    [ -e /usr/share/wordnet/data.noun ] || echo wordnet-base
}

list() { printf '%s' "$1" | tr '\n' ' ' | sed 's/ *$//'; }
command_for() { printf 'sudo apt-get update && sudo apt-get install -y --no-install-recommends %s\n' "$(list "$1")"; }

case "${1:-}" in
    missing) missing ;;
    command)
        packages=$(missing)
        [ -z "$packages" ] || command_for "$packages"
        ;;
    install)
        packages=$(missing)
        [ -n "$packages" ] || exit 0
        if ! command -v apt-get >/dev/null 2>&1; then
            stop "Lethe needs what Debian calls $(list "$packages"), and this system has no apt-get. Install them by its own means; for libtorch, LETHE_LIBTORCH may name an unpacked one."
        fi
        if ! may_install; then
            printf 'error: Lethe needs packages that only root may install. Run this, then the same command again:\n' >&2
            printf '    %s\n' "$(command_for "$packages")" >&2
            exit 2
        fi
        need_artifacts
        log=$LETHE_HOME/artifacts/launcher/apt.log
        say "installing $(list "$packages") with apt-get, once; this can take some minutes"
        # Package names hold no spaces: one word each.
        # shellcheck disable=SC2046
        apt_install "$log" $(list "$packages") || {
            tail -n 20 "$log" >&2
            stop "apt-get could not install all of $(list "$packages"); its last lines stand above, the whole log in $log."
        }
        say "installed $(list "$packages")"
        ;;
    *) stop "eng/packages.sh takes one word: missing, command or install; not '${1:-}'." ;;
esac
