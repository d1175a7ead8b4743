#!/usr/bin/env bash
# Installs the Debian packages that are missing, and nothing else.
# Usage: deploy/packages.sh run|test|brokers|fleet|mediapipe|arm|instructions|pins|home-assistant|install-root|first-start|deb-test|image|page ...
set -euo pipefail

run=(python3 python3-venv python3-dev gcc libc6-dev portaudio19-dev mosquitto)
test=(mosquitto-clients alsa-utils libasound2-plugins pulseaudio sox espeak-ng openssl procps systemd
      rauc squashfs-tools e2fsprogs dbus fdisk socat)
brokers=(rabbitmq-server nats-server)
fleet=(nats-server)
mediapipe=(libegl1 libgles2 libgl1 libglib2.0-0 libportaudio2)
arm=(qemu-user-static binfmt-support mmdebstrap arch-test)
instructions=(qemu-user gcc libc6-dev)    # qemu-user-static takes no plugins
pins=(qemu-system-x86 busybox-static kmod xz-utils)
home_assistant=(mmdebstrap debian-archive-keyring ca-certificates)
first_start=(cloud-init netplan.io sudo)
install_root=(mmdebstrap debian-archive-keyring ca-certificates)
deb_test=(systemd-container)
page=(chromium fonts-inter nginx openssl)    # fonts-inter: what the pictures are written in
image=(mmdebstrap qemu-user-static binfmt-support arch-test debian-archive-keyring dosfstools mtools fdisk e2fsprogs u-boot-tools
       device-tree-compiler squashfs-tools zstd kmod xz-utils openssl openssh-client systemd)

wanted=()
for group in "$@"; do
    case $group in
        run) wanted+=("${run[@]}") ;;
        test) wanted+=("${test[@]}") ;;
        brokers) wanted+=("${brokers[@]}") ;;
        fleet) wanted+=("${fleet[@]}") ;;
        mediapipe) wanted+=("${mediapipe[@]}") ;;
        arm) wanted+=("${arm[@]}") ;;
        instructions) wanted+=("${instructions[@]}") ;;
        pins) wanted+=("${pins[@]}") ;;
        home-assistant) wanted+=("${home_assistant[@]}") ;;
        first-start) wanted+=("${first_start[@]}") ;;
        install-root) wanted+=("${install_root[@]}") ;;
        deb-test) wanted+=("${deb_test[@]}") ;;
        image) wanted+=("${image[@]}") ;;
        page) wanted+=("${page[@]}") ;;
        *) echo "deploy/packages.sh: found '$group'; wanted run, test, brokers, fleet, mediapipe, arm, instructions, pins," \
                "home-assistant, install-root, first-start, deb-test, image or page" >&2
           exit 2 ;;
    esac
done

missing=()
for package in "${wanted[@]}"; do
    dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing+=("$package")
done
[ ${#missing[@]} -eq 0 ] && exit 0

if ! command -v apt-get >/dev/null; then
    echo "This is no Debian machine; install what these packages hold: ${missing[*]}" >&2
    exit 0
fi
if [ "$(id -u)" -ne 0 ]; then
    echo "Missing packages: ${missing[*]}. As root: apt-get install ${missing[*]}" >&2
    exit 1
fi
echo "Installing: ${missing[*]}"
export DEBIAN_FRONTEND=noninteractive
log=$(mktemp)
trap 'rm -f "$log"' EXIT
# Debian starts a broker on port 1883 when it installs mosquitto, and nginx on port 80; we want the programs only.
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
    printf '#!/bin/sh\nexit 101\n' > "$policy"
    chmod 755 "$policy"
    trap 'rm -f "$log" "$policy"' EXIT
fi
if ! { apt-get update && apt-get install -y --no-install-recommends "${missing[@]}"; } > "$log" 2>&1; then
    tail -n 20 "$log" >&2
    echo "apt-get could not install: ${missing[*]}" >&2
    exit 1
fi
for service in mosquitto nginx; do    # not at the next boot either
    case " ${missing[*]} " in
        *" $service "*) systemctl disable --quiet "$service" 2>/dev/null || true ;;
    esac
done
