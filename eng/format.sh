#!/bin/sh
# Checks that every file is formatted as .editorconfig says, without changing any; --fix changes them. Slow: not part of ./test.
set -eu
cd "$(dirname -- "$(readlink -f -- "$0")")/.."
case "${1:-}" in
    "") exec dotnet format Lethe.slnx --no-restore --verify-no-changes ;;
    --fix) exec dotnet format Lethe.slnx --no-restore ;;
    *) printf "error: eng/format.sh takes nothing or --fix; not '%s'.\n" "$1" >&2; exit 2 ;;
esac
