#!/usr/bin/env bash
# Makes FOLDER/boot.fat, the boot partition: the Pi's firmware, device trees, U-Boot with its script, the owner's files.
# Usage: deploy/image/boot.sh FOLDER
set -euo pipefail
[ $# -eq 1 ] || { echo "deploy/image/boot.sh: found $# arguments; wanted FOLDER" >&2; exit 2; }
here=$(cd "$(dirname "$0")" && pwd)
work=${1%/}
pi=$work/tools/opt/pi
rm -rf "$work/boot"
mkdir -p "$work/boot"
cp "$pi"/usr/lib/raspi-firmware/{bootcode.bin,start.elf,fixup.dat,start4.elf,fixup4.dat} "$work/boot/"
cp "$pi/usr/share/doc/raspi-firmware/copyright" "$work/boot/firmware-copyright.txt"
cp "$pi/usr/lib/u-boot/rpi_arm64/u-boot.bin" "$work/boot/u-boot.bin"
mkimage -q -A arm64 -T script -C none -d "$here/boot.cmd" "$work/boot/boot.scr" > /dev/null
for tree in "$work"/base/usr/lib/linux-image-*/broadcom/bcm2837-rpi-{3-a-plus,3-b,3-b-plus,zero-2-w}.dtb \
            "$work"/base/usr/lib/linux-image-*/broadcom/bcm2711-rpi-{4-b,400,cm4-io}.dtb; do
    copy=$work/boot/$(basename "$tree")
    cp "$tree" "$copy"
    # U-Boot listens on the serial line for a key that stops it, and noise on an open pin is one. -2: it does not listen.
    fdtput -c "$copy" /config
    fdtput -t x "$copy" /config bootdelay fffffffe
done
cp "$here/config.txt" "$work/boot/config.txt"
if [ -d "$here/boot" ]; then cp -r "$here/boot/." "$work/boot/"; fi
[ -e "$work/boot/cmdline.txt" ] || echo "quiet" > "$work/boot/cmdline.txt"    # Imager adds to it; U-Boot's script does not read it

rm -f "$work/boot.fat"
truncate -s 128M "$work/boot.fat"
mkfs.vfat -F 32 -n BOOT "$work/boot.fat" > /dev/null
MTOOLS_SKIP_CHECK=1 mcopy -s -i "$work/boot.fat" "$work"/boot/* ::
