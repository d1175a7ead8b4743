#!/usr/bin/env bash
# Runs the tests that touch a model on tflite-runtime (with numpy below 2), in an environment of its own.
# Usage: deploy/test-tflite.sh PYTHON WORKERS, where PYTHON is the main environment's, which makes the packs.
set -euo pipefail
python=$1 workers=$2 folder=.venv-tflite

if ! "$python" -c 'import sys; sys.exit(sys.version_info >= (3, 12))'; then
    echo "tflite-runtime: found $("$python" --version), for which it has no wheel; its tests are left out"
    exit 0
fi
if [ setup.cfg -nt "$folder/installed" ]; then
    [ -x "$folder/bin/python" ] || "$python" -m venv "$folder"
    echo "Installing tflite-runtime into $folder"
    "$folder/bin/python" -m pip install --quiet --disable-pip-version-check \
        tflite-runtime 'numpy<2' 'paho-mqtt>=2.2,<3' 'gpiozero>=2.0' soundfile scipy hypothesis 'pytest>=8' 'pytest-xdist>=3.6'
    "$folder/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps --editable .
    touch "$folder/installed"
fi
EDGE_AUDIO_TEST_RUNTIME=tflite-runtime EDGE_AUDIO_LITERT_PYTHON=$(realpath -s "$python") \
    "$folder/bin/python" -m pytest -q -m "not slow" -n "$workers" --dist worksteal -o cache_dir="$folder/pytest_cache" \
    tests/features tests/model tests/workshop/test_workshop_classify.py tests/models/test_models_starter.py
