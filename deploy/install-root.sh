#!/usr/bin/env bash
# Makes a fresh Debian in a folder and runs a command beside it with EDGE_AUDIO_INSTALL_ROOT set: for `make install-test` and
# `make deb-test`. Needs root. The first time takes a minute or two and 500 MB; the root is made once and copied for each run.
# Usage: deploy/install-root.sh FOLDER bookworm|trixie|trixie/arm64 COMMAND...
#        trixie/arm64 is emulated, and takes six minutes the first time.
set -euo pipefail
folder=${1%/} suite=${2%/*} arch=
case $2 in
    bookworm | trixie) ;;
    trixie/arm64) arch=arm64 ;;
    *) echo "deploy/install-root.sh: found '$2'; wanted bookworm, trixie or trixie/arm64" >&2; exit 2 ;;
esac
shift 2
. "$(dirname "$0")/root-folder.bash"
"$(dirname "$0")/packages.sh" install-root ${arch:+arm}
if [ -n "$arch" ]; then run_arm; fi

if [ ! -e "$folder/made" ]; then
    echo "Making a Debian ($suite${arch:+ for $arch}) root in $folder"
    rm -rf --one-file-system "$folder"    # mmdebstrap refuses an interrupted one; never into what is mounted there
    mmdebstrap --mode=root --variant=minbase ${arch:+--architectures=$arch} --include=ca-certificates,systemd,udev \
        "$suite" "$folder" >> "$log" 2>&1
    touch "$folder/made"
fi
for file in /etc/resolv.conf /etc/hosts /etc/ssl/certs/ca-certificates.crt; do
    if [ -e "$file" ]; then cp -L --remove-destination "$file" "$folder$file"; fi
done
fresh=$folder.fresh
umount_fresh() {
    for tree in proc sys dev; do
        if mountpoint -q "$fresh/$tree"; then umount "$fresh/$tree"; fi
    done
}
trap 'umount_fresh; finish' EXIT
umount_fresh
rm -rf --one-file-system "$fresh"
cp -a "$folder" "$fresh"
for tree in proc sys dev; do mount --bind "/$tree" "$fresh/$tree"; done
EDGE_AUDIO_INSTALL_ROOT=$fresh "$@"
