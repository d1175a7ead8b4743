#!/bin/sh
# Waits, and starts the machine anew where this slot is still on trial then, or has no data partition and so cannot even tell.
# A shell and two files: whatever else of a new version is broken must not matter. Usage: trial.sh [ROOT] [SECONDS], for tests.
root=${1:-} seconds=${2:-480}
slot=$(sed -n 's/.*rauc\.slot=\([AB]\).*/\1/p' "$root/proc/cmdline")
unproven() { [ ! -d "$root/data/system" ] || grep -q "\"trial\":{\"slot\":\"$slot\"" "$root/data/system/update.json" 2> /dev/null; }
unproven || exit 0
sleep "$seconds"
unproven || exit 0
echo "edge-audio: slot $slot is not proven after $seconds s; starting anew"
sync
[ -n "$root" ] || systemctl reboot --force || reboot -f
