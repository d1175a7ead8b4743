#!/usr/bin/env bash
# Puts FOLDER/disk.img together: partition table, boot counters, boot.fat, root.ext4 as slot A, an empty slot B, data.
# Usage: deploy/image/disk.sh FOLDER
set -euo pipefail
[ $# -eq 1 ] || { echo "deploy/image/disk.sh: found $# arguments; wanted FOLDER" >&2; exit 2; }
here=$(cd "$(dirname "$0")" && pwd)
work=${1%/}
boot=4 root_a=132 root_b=772 data=1412 end=1476    # MiB
rm -rf "$work/data"
# What fstab mounts from there must be there at the first start; first_start makes the rest.
mkdir -p "$work"/data/{etc-edge-audio,systemd,alsa,home}
mkdir -m 700 "$work"/data/{state,rauc,ssh,system}
echo 1 > "$work/data/schema"
rm -f "$work/data.ext4"
truncate -s $((end - data))M "$work/data.ext4"
# Small here, grown at the first start: so with block size and journal of a large one, and room to describe 1 TiB in 4 KiB
# blocks (more would take more of the journal at once than there is).
mkfs.ext4 -q -F -b 4096 -J size=16 -i 16384 -m 1 -E resize=268435456 -L data -d "$work/data" "$work/data.ext4"
mkenvimage -r -s 0x4000 -o "$work/counters.bin" "$here/files/etc/u-boot-initial-env"

rm -f "$work/disk.new"
truncate -s "${end}M" "$work/disk.new"
printf '%s\n' 'label: dos' 'label-id: 0xea0da0d1' "start=${boot}MiB, size=$((root_a - boot))MiB, type=c, bootable" \
    "start=${root_a}MiB, size=$((root_b - root_a))MiB, type=83" "start=${root_b}MiB, size=$((data - root_b))MiB, type=83" \
    "start=${data}MiB, size=$((end - data))MiB, type=83" | sfdisk -q "$work/disk.new"
put() { dd if="$1" of="$work/disk.new" bs=1M seek="$2" conv=notrunc,sparse status=none; }
put "$work/counters.bin" 1
put "$work/counters.bin" 2
put "$work/boot.fat" $boot
put "$work/root.ext4" $root_a
put "$work/data.ext4" $data
mv "$work/disk.new" "$work/disk.img"
