#!/bin/bash
# Tries Lethe as a newcomer would: a fresh Debian in a temporary folder, with nothing but the .NET SDK of this machine and git, as root.
#   eng/try-fresh-debian.sh                      clones what is committed, then ./lethe quickstart and ./test
#   eng/try-fresh-debian.sh './lethe doctor'     the commands given, each one word, in their place
# SUITE is bookworm unless set; KEEP=1 keeps the folder. Needs root, debootstrap and about 4 GB; package sources are this machine's.
set -euo pipefail

home=$(dirname -- "$(dirname -- "$(readlink -f -- "$0")")")
suite=${SUITE:-bookworm}
commands=("$@")
if [ ${#commands[@]} -eq 0 ]; then commands=('./lethe quickstart' './test'); fi

say() { printf '\n== %s\n' "$*"; }

[ "$(id -u)" -eq 0 ] || { echo "error: eng/try-fresh-debian.sh needs root, for chroot." >&2; exit 2; }
command -v debootstrap >/dev/null || { echo "error: debootstrap is missing: apt-get install debootstrap" >&2; exit 2; }
sdk=$(dirname -- "$(readlink -f -- "$(command -v dotnet)")")

root=$(mktemp -d "${TMPDIR:-/tmp}/lethe-fresh.XXXXXX")
chmod 755 "$root"
clean_up() {
    for place in dev proc; do
        if mountpoint -q "$root/$place"; then umount -l "$root/$place"; fi
    done
    if [ "${KEEP:-}" = 1 ]; then say "kept $root"; else rm -rf --one-file-system "$root"; fi
}
trap clean_up EXIT

# The repository that this machine takes the suite from; debootstrap's own default where it takes it from none.
# shellcheck disable=SC2016 # the names in the format are apt's, not the shell's
mirror=$(apt-get indextargets --format '$(CODENAME) $(REPO_URI)' 'Created-By: Packages' | awk -v suite="$suite" '$1 == suite { print $2; exit }')

say "debootstrap $suite"
debootstrap --variant=minbase --include=ca-certificates,git "$suite" "$root" ${mirror:+"$mirror"} >"$root.log" 2>&1 || { tail -n 20 "$root.log"; exit 1; }
rm -f "$root.log"

# This machine's way to packages: sources and settings of apt, names, certificates of its own.
rm -rf "$root/etc/apt"
cp -a /etc/apt "$root/etc/apt"
cp -L /etc/resolv.conf /etc/hosts "$root/etc/"
if [ -d /usr/local/share/ca-certificates ]; then cp -a /usr/local/share/ca-certificates "$root/usr/local/share/"; fi
cp -L /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/ca-certificates.crt"
mount --bind /proc "$root/proc"
mount --bind /dev "$root/dev"

# As its installation would leave it: the SDK, a link on the PATH, and the system libraries that it names as its own needs.
say "the SDK of this machine ($sdk)"
mkdir -p "$root/usr/share"
cp -a "$sdk" "$root/usr/share/dotnet"
ln -s /usr/share/dotnet/dotnet "$root/usr/bin/dotnet"

inside() {
    local kept=()
    for name in http_proxy https_proxy no_proxy HTTP_PROXY HTTPS_PROXY NO_PROXY NUGET_CERT_REVOCATION_MODE; do
        if [ -n "${!name:-}" ]; then kept+=("$name=${!name}"); fi
    done
    chroot "$root" /usr/bin/env -i HOME=/root LANG=C PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin "${kept[@]}" /bin/sh -c "$1"
}

inside 'apt-get -q update && apt-get -q install -y --no-install-recommends libstdc++6 libssl3 zlib1g libgssapi-krb5-2' >"$root/sdk.log" 2>&1 || { tail -n 20 "$root/sdk.log"; exit 1; }

say "clone"
git clone -q --no-hardlinks "$home" "$root/root/my lethe"

for command in "${commands[@]}"; do
    say "$command"
    began=$SECONDS
    inside "cd '/root/my lethe' && $command"
    say "$command: done in $((SECONDS - began)) s"
done
find "$root/root/my lethe" -name report.html -printf 'report: %P, %s bytes\n'
