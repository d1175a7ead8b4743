#!/bin/sh
# Says on the console what runs and where to find it.
. /etc/os-release
slot=$(sed -n 's/.*rauc.slot=\([AB]\).*/\1/p' /proc/cmdline)
addresses=$(ip -brief address show up scope global | awk '{ for (i = 3; i <= NF; i++) if (sub("/.*", "", $i)) printf " %s", $i }')
line="edge-audio ${IMAGE_VERSION:-?} (slot ${slot:-?}) is $(systemctl is-active edge-audio.service) on $(hostname).local:${addresses:- no address yet}"
for console in /dev/console /dev/tty1; do
    if [ -w "$console" ]; then printf '\r\n%s\r\n' "$line" > "$console" || true; fi
done
echo "$line"
