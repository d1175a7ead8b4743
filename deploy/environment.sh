#!/usr/bin/env bash
# Makes a virtual environment and installs edge-audio into it. Usage: deploy/environment.sh PYTHON FOLDER REQUIREMENT
set -euo pipefail
python=$1 folder=$2 requirement=$3

if ! "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then
    echo "$python: found $("$python" --version 2>&1); wanted Python 3.11 or newer (make PYTHON=...)" >&2
    exit 2
fi
[ -x "$folder/bin/python" ] || "$python" -m venv "$folder"
echo "Installing edge-audio into $folder"
"$folder/bin/python" -m pip install --quiet --disable-pip-version-check --editable "$requirement"
