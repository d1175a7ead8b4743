#!/usr/bin/env bash
# Makes a Debian 13 in a folder, with Home Assistant and Node-RED in it, and runs a command beside it with
# EDGE_AUDIO_HOME_ASSISTANT_ROOT set: for `make test-home-assistant`. Needs root. The first time takes about three minutes
# and 2 GB. Home Assistant 2026 wants Python 3.13, which Debian 12 does not have.
# Usage: deploy/home-assistant-root.sh FOLDER COMMAND...
set -euo pipefail
folder=${1%/}
shift
. "$(dirname "$0")/root-folder.bash"
"$(dirname "$0")/packages.sh" home-assistant

if [ ! -e "$folder/made" ]; then
    echo "Making a Debian 13 root in $folder"
    rm -rf --one-file-system "$folder"    # mmdebstrap refuses an interrupted one; never into what is mounted there
    mmdebstrap --mode=root --variant=minbase --include=ca-certificates,python3,python3-venv,python3-dev,gcc,g++,nodejs,npm \
        trixie "$folder" >> "$log" 2>&1
    touch "$folder/made"
fi
mount_trees
# pip and npm reach their registries from in there as they do from here.
for file in /etc/resolv.conf /etc/hosts /etc/ssl/certs/ca-certificates.crt; do
    if [ -e "$file" ]; then cp -L --remove-destination "$file" "$folder$file"; fi
done
inside() {
    env PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root UV_NATIVE_TLS=1 chroot "$folder" "$@" >> "$log" 2>&1
}

if [ ! -e "$folder/opt/home-assistant/installed" ]; then
    echo "Installing Home Assistant"
    inside python3 -m venv /opt/home-assistant
    # With its own constraints, or hundreds of versions of what is newer than it are tried; by uv, which it
    # brings anyway: much quicker than pip.
    inside /opt/home-assistant/bin/python -m pip install --disable-pip-version-check uv==0.9.26
    inside /opt/home-assistant/bin/uv pip install -p /opt/home-assistant/bin/python --no-deps homeassistant==2026.2.3
    inside sh -c 'exec /opt/home-assistant/bin/uv pip install -p /opt/home-assistant/bin/python homeassistant==2026.2.3 \
        -c /opt/home-assistant/lib/python3*/site-packages/homeassistant/package_constraints.txt'
    # What its integrations need it would install by itself, later: MQTT, and those that are always set up.
    inside /opt/home-assistant/bin/python -c '
import json, subprocess, sys
from pathlib import Path
import homeassistant
from homeassistant.bootstrap import CORE_INTEGRATIONS, DEFAULT_INTEGRATIONS
home = Path(homeassistant.__file__).parent
components = home / "components"
todo, needs = ["mqtt", *CORE_INTEGRATIONS, *DEFAULT_INTEGRATIONS], {}
for name in todo:
    manifest = json.loads((components / name / "manifest.json").read_text())
    needs |= dict.fromkeys(manifest.get("requirements", ()))
    todo += [other for other in manifest.get("dependencies", ()) if other not in todo]
sys.exit(subprocess.call(["/opt/home-assistant/bin/uv", "pip", "install", "-p", sys.executable,
                          "-c", str(home / "package_constraints.txt"), *needs]))'
    touch "$folder/opt/home-assistant/installed"
fi
if [ ! -e "$folder/opt/node-red/installed" ]; then
    echo "Installing Node-RED"
    inside npm install --no-audit --no-fund --prefix /opt/node-red node-red@4
    touch "$folder/opt/node-red/installed"
fi
EDGE_AUDIO_HOME_ASSISTANT_ROOT=$folder "$@"
