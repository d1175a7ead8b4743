#!/usr/bin/env bash
# Hears the bundled sounds and writes what is said of them, for `python -m deploy.fleet`. Usage, in the repository:
#   deploy/fleet/record.sh edge-audio > deploy/fleet/events.jsonl
set -euo pipefail
[ $# -gt 0 ] || { echo "usage: deploy/fleet/record.sh PROGRAM [ARGUMENT ...] > FILE" >&2; exit 2; }
state=$(mktemp -d)
trap 'rm -rf "$state"' EXIT
for sound in claps typing siren; do
    "$@" run --state-dir "$state" --file "models/demo/$sound.wav" --fast 2> "$state/messages" ||
        { cat "$state/messages" >&2; exit 1; }
done
