#!/usr/bin/env bash
# Makes a virtual environment and installs edge-audio into it. Usage: deploy/environment.sh PYTHON FOLDER REQUIREMENT
set -euo pipefail
python=$1 folder=$2 requirement=$3

if ! "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then
    echo "$python: found $("$python" --version 2>&1); wanted Python 3.11 or newer (make PYTHON=...)" >&2
    exit 2
fi
# On a board Debian's own packages (python3-lgpio, python3-pyaudio, python3-numpy) must be seen. A 32-bit system on a
# 64-bit kernel must say that it is one, or pip looks for wheels of the wrong kind.
options=() prefix=()
case $(uname -m) in aarch64 | arm*) options=(--system-site-packages) ;; esac
[ "$(uname -m)" = aarch64 ] && [ "$(getconf LONG_BIT)" = 32 ] && prefix=(setarch linux32)
[ -x "$folder/bin/python" ] || "$python" -m venv "${options[@]}" "$folder"
echo "Installing edge-audio into $folder"
"${prefix[@]}" "$folder/bin/python" -m pip install --quiet --disable-pip-version-check --editable "$requirement"
