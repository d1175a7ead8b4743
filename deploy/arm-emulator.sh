#!/usr/bin/env bash
# Runs a command to which ARM programs (64-bit) are run by EMULATOR, a static qemu-aarch64, whatever else this machine runs them
# with: in a user namespace, which has emulators of its own since Linux 6.7. Needs root. Nothing outside changes.
# Usage: deploy/arm-emulator.sh EMULATOR COMMAND...
set -euo pipefail
if [ $# -lt 2 ]; then
    echo "Usage: deploy/arm-emulator.sh EMULATOR COMMAND..." >&2
    exit 2
fi
emulator=$(realpath "$1")
shift
IFS=.- read -r major minor _ < /proc/sys/kernel/osrelease
if [ $((major * 1000 + minor)) -lt 6007 ]; then
    echo "deploy/arm-emulator.sh: found Linux $(uname -r); wanted 6.7 or newer, for an emulator of its own" >&2
    exit 1
fi

me=$$
ours=$(readlink /proc/$me/ns/user)
{   # From outside, once this process is in its namespace: every user and group there is the one outside.
    for _ in $(seq 200); do
        [ "$(readlink /proc/$me/ns/user)" = "$ours" ] || break
        sleep 0.05
    done
    echo '0 0 4294967295' > /proc/$me/uid_map
    echo '0 0 4294967295' > /proc/$me/gid_map
} &
# shellcheck disable=SC2016
exec unshare --user --mount bash -c '
    set -euo pipefail
    for _ in $(seq 200); do
        if read -r _ < /proc/self/gid_map; then break; fi
        sleep 0.05
    done
    mount -t binfmt_misc binfmt_misc /proc/sys/fs/binfmt_misc
    printf "%s" ":arm64:M::\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\xb7\x00:\
\xff\xff\xff\xff\xff\xff\xff\x00\xff\xff\xff\xff\xff\xff\xff\xff\xfe\xff\xff\xff:$1:PF" > /proc/sys/fs/binfmt_misc/register
    shift
    exec "$@"' bash "$emulator" "$@"
