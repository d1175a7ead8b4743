#!/usr/bin/env bash
# Makes a signed bundle (verity, zstd) of a root, which `edge-audio update` takes. Version and board are those of the root.
# Usage: deploy/image/bundle.sh ROOT.ext4 KEYS BUNDLE.raucb
#        KEYS is a folder of deploy/image/keys.sh.
# RAUC names the program, LEVEL is zstd's (19 by default, smallest; 3 is quick).
set -euo pipefail
[ $# -eq 3 ] || { echo "deploy/image/bundle.sh: found $# arguments; wanted ROOT.ext4 KEYS BUNDLE.raucb" >&2; exit 2; }
root=$(realpath "$1") keys=${2%/} bundle=$(realpath -m "$3")
read -ra rauc <<< "${RAUC:-rauc}"
PATH=$PATH:/usr/sbin:/sbin
for program in "${rauc[0]}" mksquashfs debugfs; do
    command -v "$program" > /dev/null || { echo "deploy/image/bundle.sh: found no $program; wanted rauc, squashfs-tools and" \
        "e2fsprogs" >&2; exit 1; }
done
for file in ca.cert.pem signing.cert.pem signing.key.pem; do
    [ -r "$keys/$file" ] || { echo "deploy/image/bundle.sh: found no $keys/$file; wanted keys of deploy/image/keys.sh" >&2; exit 2; }
done

# What the root itself says cannot differ from what the bundle says.
said() { debugfs -R "cat $1" "$root" 2> /dev/null || true; }
version=$({ said /etc/os-release; said /usr/lib/os-release; } | sed -n 's/^IMAGE_VERSION="\?\([^"]*\)"\?$/\1/p' | head -n 1)
compatible=$(said /etc/rauc/system.conf | sed -n 's/^compatible=//p' | head -n 1)
[[ $version =~ ^[0-9][A-Za-z0-9.+~]*(-[A-Za-z0-9.+~]+)?$ ]] || { echo "deploy/image/bundle.sh: $root: found IMAGE_VERSION" \
    "'$version' in its os-release; wanted a version such as 1.2.0" >&2; exit 2; }
[ -n "$compatible" ] || { echo "deploy/image/bundle.sh: $root: found no compatible in its /etc/rauc/system.conf; wanted the" \
    "board's name" >&2; exit 2; }

work=$(mktemp -d "$(dirname "$bundle")/.bundle.XXXXXX")
trap 'rm -rf "$work"' EXIT
mkdir "$work/in"
ln "$root" "$work/in/root.ext4" 2> /dev/null || cp --sparse=always "$root" "$work/in/root.ext4"
printf '%s\n' '[update]' "compatible=$compatible" "version=$version" '' '[bundle]' format=verity '' '[image.rootfs]' \
    filename=root.ext4 > "$work/in/manifest.raucm"
if ! "${rauc[@]}" bundle --mksquashfs-args="-comp zstd -Xcompression-level ${LEVEL:-19}" --cert="$keys/signing.cert.pem" \
    --key="$keys/signing.key.pem" --keyring="$keys/ca.cert.pem" "$work/in" "$work/bundle.raucb" > "$work/said" 2>&1; then
    tail -n 5 "$work/said" >&2
    exit 1
fi
mv "$work/bundle.raucb" "$bundle"
echo "$bundle: $compatible $version, $(du -m "$bundle" | cut -f 1) MB"
