#!/usr/bin/env bash
# Makes FOLDER/base: an arm64 Debian 13 with the kernel, without edge-audio and without an initrd. Needs root and FOLDER/tools;
# minutes, under emulation. After two weeks the next call makes the root anew, for the sake of security updates.
# Usage: deploy/image/base.sh FOLDER
set -euo pipefail
[ $# -eq 1 ] || { echo "deploy/image/base.sh: found $# arguments; wanted FOLDER" >&2; exit 2; }
here=$(cd "$(dirname "$0")" && pwd)
work=$(realpath -m "$1")
folder=$work/base tools=$work/tools
. "$here/../root-folder.bash"
if [ -n "$(find "$folder/made" -mtime -14 2> /dev/null)" ]; then exit 0; fi

run_arm
mapfile -t packages < <(sed 's/ *#.*//; /^$/d' "$here/packages.txt")
PATH=$PATH:/usr/sbin:/sbin
echo "Making an arm64 root in $folder"
rm -rf --one-file-system "$folder"
# These programs would take most of the time under emulation. The tools' own do their work afterwards, on this machine.
slow=(usr/bin/py3compile usr/lib/python3.13/py_compile.py usr/sbin/update-ca-certificates usr/sbin/depmod)
options=()
for file in "${slow[@]}"; do
    options+=(--dpkgopt="path-exclude=/$file" --essential-hook="mkdir -p \"\$1/$(dirname "$file")\""
              --essential-hook="printf '#!/bin/sh\\n' > \"\$1/$file\"; chmod 755 \"\$1/$file\"")
done
# The initrd comes later (root.sh): its list of modules is made of the kernel that is installed here.
timeout 3000 mmdebstrap --mode=root --variant=essential --architectures=arm64 --components=main,non-free-firmware \
    --aptopt='Apt::Install-Recommends "false"' --dpkgopt=force-confold \
    --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-include=/usr/share/doc/*/copyright' \
    --dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/locale/*' \
    --dpkgopt='path-exclude=/usr/share/info/*' --dpkgopt='path-exclude=/usr/share/lintian/*' \
    "${options[@]}" --essential-hook='mkdir -p "$1/etc/initramfs-tools"' \
    --essential-hook='echo update_initramfs=no > "$1/etc/initramfs-tools/update-initramfs.conf"' \
    --include="$(IFS=,; echo "${packages[*]}")" trixie "$folder" >> "$log" 2>&1
for file in "${slow[@]:0:3}"; do cp "$tools/$file" "$folder/$file"; done
ln -sf ../bin/kmod "$folder/usr/sbin/depmod"
depmod -b "$folder" "$(ls "$folder/usr/lib/modules")"
cp -a "$tools/etc/ssl/certs/." "$folder/etc/ssl/certs/"
find "$folder/usr/lib/python3.13" "$folder/usr/lib/python3" "$folder/usr/share/python3" -name '*.pyc' -delete
# Without dates in them: the root is read-only, and no source is ever newer.
"$here/tool.sh" "$work" python3 -m compileall -q --invalidation-mode unchecked-hash -s "$folder" \
    "$folder/usr/lib/python3.13" "$folder/usr/lib/python3" >> "$log" 2>&1 || true    # lib2to3's tests are no Python
touch "$folder/made"
