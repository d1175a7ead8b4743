#!/usr/bin/env bash
# Installs edge-audio as a service on Debian 12, 13 or Raspberry Pi OS; again: brings it up to date and keeps what is yours.
# Usage: deploy/install.sh               (root)
#        deploy/install.sh --uninstall   keeps settings, what was taught, and the journal
#        deploy/install.sh --uninstall --purge
# Without a network: wheels in the folder deploy/wheels (`pip wheel -w deploy/wheels '.[page]'` on a machine of the same kind).
# The page (edge-audio-page.service) comes along, not enabled. Where its libraries cannot be had the appliance goes without.
# Without python3-pyaudio, as where no package can be had, the microphone is heard through arecord (alsa-utils).
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
program=/opt/edge-audio etc=/etc/edge-audio units=/etc/systemd/system
command=/usr/local/bin/edge-audio rule=/etc/udev/rules.d/60-edge-audio.rules has_page=

runs() { [ -d /run/systemd/system ]; }

usage() {
    echo "deploy/install.sh: found '$*'; wanted nothing, --uninstall, or --uninstall --purge" >&2
    exit 2
}

uninstall() {
    local name
    if runs; then
        systemctl stop edge-audio-page 2>/dev/null || true    # where it is there
        systemctl stop edge-audio 'edge-audio@*' 2>/dev/null || true
    fi
    for name in edge-audio-page edge-audio; do
        if [ -e "$units/$name.service" ]; then systemctl disable --quiet "$name" 2>/dev/null || true; fi
    done
    rm -rf "$program" "$units/edge-audio.service" "$units/edge-audio@.service" "$units/edge-audio-page.service" \
        "$units/edge-audio.service.d/254.conf" "$units/edge-audio@.service.d/254.conf" "$rule" "$command"
    rmdir "$units/edge-audio.service.d" "$units/edge-audio@.service.d" 2>/dev/null || true
    if runs; then systemctl daemon-reload; fi
    if [ "${1:-}" = --purge ]; then
        rm -rf "$etc" /var/lib/edge-audio /var/lib/edge-audio-*
        if id edge-audio >/dev/null 2>&1; then userdel edge-audio; fi
        echo "edge-audio is gone."
    else
        echo "edge-audio is uninstalled. $etc and /var/lib/edge-audio stay; --uninstall --purge removes them, too."
    fi
}

packages() {
    local wanted=(python3 python3-venv python3-pyaudio alsa-utils) missing=() package
    if apt-cache show python3-lgpio >/dev/null 2>&1; then wanted+=(python3-lgpio); fi    # Raspberry Pi OS
    for package in "${wanted[@]}"; do
        dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing+=("$package")
    done
    [ ${#missing[@]} -eq 0 ] && return
    echo "Installing: ${missing[*]}"
    export DEBIAN_FRONTEND=noninteractive
    if ! { apt-get update && apt-get install -y --no-install-recommends "${missing[@]}"; } > "$work/log" 2>&1; then
        if python3 -m venv --help >/dev/null 2>&1 && command -v arecord >/dev/null; then
            echo "No packages can be had: going on without ${missing[*]}."
        else
            tail -n 20 "$work/log" >&2
            echo "apt-get could not install ${missing[*]}; wanted at least python3-venv and alsa-utils" >&2
            exit 1
        fi
    fi
}

needs() {    # needs EXTRA: what the installed program wants, but for PyAudio
    "$program/bin/python" - "$1" <<'PYTHON'
import sys
from importlib.metadata import requires
from pip._vendor.packaging.requirements import Requirement
for line in requires("edge-audio") or ():
    need = Requirement(line)
    if need.name.lower() != "pyaudio" and (need.marker is None or need.marker.evaluate({"extra": sys.argv[1]})):
        print(f"{need.name}{need.specifier}")
PYTHON
}

virtual_environment() {
    # Debian's own packages (python3-pyaudio, python3-lgpio) are seen. A wheel is built from a copy: the clone stays as it is.
    python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "wanted Python 3.11 or newer" >&2; exit 1; }
    [ -x "$program/bin/python" ] || python3 -m venv --system-site-packages "$program"
    local pip=("$program/bin/python" -m pip --disable-pip-version-check --quiet) from=() what
    if [ -d "$here/wheels" ]; then
        from=(--no-index --find-links "$here/wheels")
        what=edge-audio
    else
        mkdir "$work/source"
        cp -r "$here/../edge" "$here/../models" "$here/../setup.cfg" "$here/../pyproject.toml" "$here/../README.md" \
            "$here/../LICENSE" "$work/source"
        what=$work/source
    fi
    echo "Installing edge-audio into $program"
    # Itself first, then what it needs but for PyAudio, which has no wheel: Debian's serves, or arecord does without.
    "${pip[@]}" install "${from[@]}" --no-deps --force-reinstall "$what"
    needs "" > "$work/needs"
    needs page > "$work/page"
    "${pip[@]}" install "${from[@]}" --requirement "$work/needs"
    # Nothing is compiled for the page: that wants a compiler, and hours on a small board.
    if "${pip[@]}" install "${from[@]}" --only-binary :all: --requirement "$work/page" 2> "$work/log"; then
        has_page=yes
    else
        grep -v '^WARNING' "$work/log" | tail -n 2 >&2 || true
        echo "The page's libraries cannot be had: going on without the page. A second run of this script tries again."
    fi
    install -m 644 "$here/edge-audio.toml" "$program/edge-audio.toml"
}

user_and_settings() {
    id edge-audio >/dev/null 2>&1 || useradd --system --user-group --no-create-home --home-dir /var/lib/edge-audio \
        --shell /usr/sbin/nologin edge-audio
    groupadd --system --force gpio
    install -d -m 755 "$etc"
    install -d -m 700 "$etc/credentials"
    [ -e "$etc/credentials/mqtt-password" ] || install -m 600 /dev/null "$etc/credentials/mqtt-password"
    [ -e "$etc/edge-audio.toml" ] && return
    {
        sed "s|/usr/share/edge-audio/edge-audio.toml|$program/edge-audio.toml|" "$here/debian/edge-audio.toml"
        if ! "$program/bin/python" -c 'import pyaudio' 2>/dev/null; then
            echo '[source]'
            echo 'kind = "command"    # no PyAudio here; `arecord -L` lists the sound cards'
            echo 'command = ["arecord", "-q", "-D", "default", "-f", "S16_LE", "-r", "16000", "-c", "1", "-t", "raw"]'
        fi
    } > "$work/settings"
    install -m 644 "$work/settings" "$etc/edge-audio.toml"
}

unit() {
    local name
    for name in edge-audio.service edge-audio@.service; do
        sed "s|/usr/bin/edge-audio|$program/bin/edge-audio|" "$here/$name" > "$work/$name"
        install -m 644 "$work/$name" "$units/$name"
        if [ "$(systemctl --version | awk 'NR == 1 { print int($2) }')" -ge 254 ]; then
            install -D -m 644 "$here/edge-audio-254.conf" "$units/$name.d/254.conf"
        fi
    done
    if [ -n "$has_page" ]; then
        sed "s|/usr/bin/edge-audio|$program/bin/edge-audio|" "$here/edge-audio-page.service" > "$work/page.service"
        install -m 644 "$work/page.service" "$units/edge-audio-page.service"
    fi
    install -m 644 "$here/debian/udev.rules" "$rule"
    sed -e "1s|.*|#!$program/bin/python -sP|" -e '/^sys\.path\.insert/d' "$here/debian/edge-audio" > "$work/command"
    install -m 755 "$work/command" "$command"
    systemctl enable --quiet edge-audio
    if runs; then
        systemctl daemon-reload
        udevadm control --reload && udevadm trigger -s gpio -c add || true
        systemctl restart edge-audio
        systemctl try-restart edge-audio-page 2>/dev/null || true
        echo "edge-audio runs: systemctl status edge-audio; edge-audio doctor --config $etc/edge-audio.toml"
    else
        echo "edge-audio is installed; no systemd runs here, so it starts with the machine."
    fi
}

case "$*" in "" | --uninstall | "--uninstall --purge") ;; *) usage "$@" ;; esac
if [ "$(id -u)" -ne 0 ]; then
    echo "deploy/install.sh: found user $(id -un); wanted root (sudo)" >&2
    exit 2
fi
if [ $# -gt 0 ]; then
    uninstall "${2:-}"
    exit 0
fi
if ! command -v apt-get >/dev/null || ! command -v systemctl >/dev/null; then
    echo "deploy/install.sh: found no apt-get or no systemd; wanted Debian 12 or 13, or Raspberry Pi OS" >&2
    exit 2
fi
if dpkg-query -W -f '${Status}' edge-audio 2> /dev/null | grep -q 'ok installed'; then
    echo "deploy/install.sh: found the Debian package edge-audio; wanted one of the two: apt-get remove edge-audio" >&2
    exit 2
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
packages
virtual_environment
user_and_settings
unit
