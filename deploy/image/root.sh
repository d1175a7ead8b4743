#!/usr/bin/env bash
# Makes FOLDER/root.ext4, what a slot holds: the base root with edge-audio, our files and units, and without the rest.
# Needs root; three minutes, most of them for the initrd under emulation.
# Usage: deploy/image/root.sh FOLDER PACKAGE.deb VERSION CERTIFICATE, where CERTIFICATE is the authority that RAUC trusts
set -euo pipefail
[ $# -eq 4 ] || { echo "deploy/image/root.sh: found $# arguments; wanted FOLDER PACKAGE.deb VERSION CERTIFICATE" >&2; exit 2; }
here=$(cd "$(dirname "$0")" && pwd)
work=${1%/} package=$(realpath "$2") version=$3 certificate=$(realpath "$4")
size=640    # MiB, as in disk.sh
folder=$work/root
. "$here/../root-folder.bash"
for tree in proc sys dev; do if mountpoint -q "$folder/$tree"; then umount "$folder/$tree"; fi; done
rm -rf --one-file-system "$folder"
cp -a "$work/base" "$folder"
rm -f "$folder/made"

echo "Installing edge-audio and the image's files"
mount_trees
cp "$package" "$folder/edge-audio.deb"
ln -sf /bin/true "$folder/usr/local/bin/py3compile"    # compiled below, without emulation
env -i PATH=/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8 \
    chroot "$folder" dpkg --force-confold -i /edge-audio.deb >> "$log" 2>&1
rm "$folder/edge-audio.deb" "$folder/usr/local/bin/py3compile"
"$here/overlay.sh" "$folder" "$version" "$certificate"
cp -an "$work/tools/opt/pi/usr/lib/firmware/brcm/." "$folder/usr/lib/firmware/brcm/"    # what the Wi-Fi needs besides Debian's

kernel=$(ls "$folder/usr/lib/modules")
python3 "$here/modules.py" "$folder"
env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8 \
    chroot "$folder" mkinitramfs -o "/boot/initrd.img-$kernel" "$kernel" >> "$log" 2>&1
ln -sf "vmlinuz-$kernel" "$folder/boot/vmlinuz"
ln -sf "initrd.img-$kernel" "$folder/boot/initrd.img"
for tree in proc sys dev; do umount "$folder/$tree"; done

"$here/strip.sh" "$folder"
# Read-only at run time: what is not compiled now is compiled anew at each start. The tools' Python is the image's.
for place in usr/lib/edge-audio usr/lib/edge-audio-image; do
    if [ -d "$folder/$place" ]; then
        "$here/tool.sh" "$work" python3 -m compileall -q -j 0 --invalidation-mode unchecked-hash -s "$folder" "$folder/$place" \
            >> "$log" 2>&1 || true    # wheels carry files for other Pythons, too
    fi
done
echo "The root holds $(du -sm "$folder" | cut -f1) MiB"
rm -f "$work/root.ext4"
truncate -s "${size}M" "$work/root.ext4"
# U-Boot reads no file system with these two features. No reserve: nothing writes here.
mkfs.ext4 -q -F -m 0 -O '^metadata_csum_seed,^orphan_file' -L "" -d "$folder" "$work/root.ext4"
