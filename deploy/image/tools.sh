#!/usr/bin/env bash
# Makes a Debian 13 root in FOLDER/tools that holds programs which this machine's Debian may lack: qemu 10, U-Boot for the
# Pi and for qemu, rauc, and the Pi's firmware below opt/pi. Needs root; two minutes and 700 MB, once.
# Usage: deploy/image/tools.sh FOLDER
set -euo pipefail
[ $# -eq 1 ] || { echo "deploy/image/tools.sh: found $# arguments; wanted FOLDER" >&2; exit 2; }
folder=${1%/}/tools
. "$(dirname "$0")/../root-folder.bash"
if [ -e "$folder/made" ]; then exit 0; fi
echo "Making a root with tools in $folder"
rm -rf --one-file-system "$folder"
fetch='cd /opt/pi && apt-get download u-boot-rpi:arm64 raspi-firmware && for deb in *.deb; do dpkg-deb -x "$deb" .; done && rm ./*.deb'
timeout 1800 mmdebstrap --mode=root --variant=minbase --architectures=amd64,arm64 --components=main,non-free-firmware \
    --aptopt='Apt::Install-Recommends "false"' \
    --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/man/*' \
    --dpkgopt='path-exclude=/usr/share/locale/*' \
    --include=qemu-system-arm,ipxe-qemu,u-boot-qemu,rauc,python3,ca-certificates,openssl \
    --customize-hook='mkdir -p "$1/opt/pi"' --customize-hook="chroot \"\$1\" sh -c '$fetch'" trixie "$folder" >> "$log" 2>&1
touch "$folder/made"
