#!/usr/bin/env bash
# Runs the suite's core, or the tests that are named, inside the ARM root that EDGE_AUDIO_ARM_ROOT names, on this working tree
# and with the recordings of EDGE_AUDIO_SHARED (default ../shared). Called by deploy/arm-root.sh, in the emulator's namespace.
# Usage: deploy/arm-suite.sh [PYTEST-ARGUMENT...]
set -euo pipefail
[ $# -gt 0 ] || set -- -m "not slow" -n 2 tests/features tests/decision tests/model tests/sinks
root=${EDGE_AUDIO_ARM_ROOT:?names no ARM root: use make test-arm}
tree=$(cd "$(dirname "$0")/.." && pwd)
shared=${EDGE_AUDIO_SHARED:-$tree/../shared}
there=$root/opt/edge-audio

rm -rf --one-file-system "$there"
mkdir -p "$there" "$root/opt/shared"
tar -C "$tree" --exclude=./.git --exclude='./.venv*' --exclude='./build' --exclude='__pycache__' --exclude='./.*_cache' \
    --exclude=./.hypothesis -cf - . | tar -C "$there" -xf -
# Mounts end with the namespace.
if [ -d "$shared" ]; then
    mount --rbind "$shared" "$root/opt/shared"
    mount -o remount,bind,ro "$root/opt/shared"
fi
for place in tmp dev/shm; do mount -t tmpfs none "$root/$place"; done

exec env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8 QEMU_CPU=cortex-a53 EDGE_AUDIO_SHARED=/opt/shared \
    chroot "$root" sh -c 'cd /opt/edge-audio && exec /opt/v/bin/python -m pytest -q -p no:cacheprovider "$@"' sh "$@"
