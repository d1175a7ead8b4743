#!/usr/bin/env bash
# Makes an environment with MediaPipe in a folder (650 MB) and runs a command with EDGE_AUDIO_MEDIAPIPE_PYTHON set: for
# `make test-mediapipe`. It stays out of ours, for it brings OpenCV and matplotlib.
# Usage: deploy/mediapipe.sh FOLDER PYTHON COMMAND...
set -euo pipefail
folder=${1%/} python=$2
shift 2

if [ -e "$folder" ] && [ ! -e "$folder/made-by-edge-audio" ]; then
    echo "$folder: found something that this script did not make; wanted a new folder" >&2
    exit 2
fi
"$(dirname "$0")/packages.sh" mediapipe
if [ ! -e "$folder/installed" ]; then
    mkdir -p "$folder"
    touch "$folder/made-by-edge-audio"
    [ -x "$folder/bin/python" ] || "$python" -m venv "$folder"
    echo "Installing MediaPipe into $folder"
    "$folder/bin/python" -m pip install --quiet --disable-pip-version-check mediapipe==1.2.2
    touch "$folder/installed"
fi
EDGE_AUDIO_MEDIAPIPE_PYTHON=$folder/bin/python "$@"
