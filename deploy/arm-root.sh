#!/usr/bin/env bash
# Makes an emulated 64-bit ARM Debian 12 in a folder, with what edge-audio needs, and runs a command beside it with
# EDGE_AUDIO_ARM_ROOT set: for `make test-arm`. Needs root. The first time takes about five minutes and 700 MB.
# Usage: deploy/arm-root.sh FOLDER PYTHON COMMAND..., where PYTHON's pip fetches the wheels.
set -euo pipefail
folder=${1%/} python=$2
shift 2
. "$(dirname "$0")/root-folder.bash"

"$(dirname "$0")/packages.sh" arm
mountpoint -q /proc/sys/fs/binfmt_misc || mount -t binfmt_misc binfmt_misc /proc/sys/fs/binfmt_misc
update-binfmts --enable qemu-aarch64

if [ ! -e "$folder/made" ]; then
    echo "Making an ARM root in $folder"
    rm -rf --one-file-system "$folder"    # mmdebstrap refuses an interrupted one; never into what is mounted there
    mmdebstrap --mode=root --variant=minbase --architectures=arm64 \
        --include=ca-certificates,python3,python3-venv,python3-pyaudio,mosquitto bookworm "$folder" >> "$log" 2>&1
    touch "$folder/made"
fi
mount_trees
if [ ! -x "$folder/opt/v/bin/python" ] || [ ! -e "$folder/opt/wheels/done" ]; then
    echo "Installing wheels for ARM"
    mkdir -p "$folder/opt/wheels"
    # LiteRT 2.0.3: newer ones end with a segmentation fault under Debian 12's emulator; its scores are the same.
    platforms=(--platform manylinux_2_28_aarch64 --platform manylinux_2_27_aarch64 --platform manylinux_2_17_aarch64
               --platform manylinux2014_aarch64)
    "$python" -m pip download --quiet --dest "$folder/opt/wheels" "${platforms[@]}" --only-binary=:all: \
        --python-version 311 ai-edge-litert==2.0.3 numpy 'paho-mqtt>=2.2,<3' 'gpiozero>=2.0' >> "$log" 2>&1
    chroot "$folder" python3 -m venv --system-site-packages /opt/v >> "$log" 2>&1
    chroot "$folder" /opt/v/bin/python -m pip install --quiet --no-index --find-links /opt/wheels \
        ai-edge-litert numpy paho-mqtt gpiozero >> "$log" 2>&1
    touch "$folder/opt/wheels/done"
fi
EDGE_AUDIO_ARM_ROOT=$folder "$@"
