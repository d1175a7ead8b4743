#!/usr/bin/env bash
# Lays our files and units over a root, and says which units start. Twice does no harm.
# Usage: deploy/image/overlay.sh ROOT VERSION CERTIFICATE
set -euo pipefail
[ $# -eq 3 ] || { echo "deploy/image/overlay.sh: found $# arguments; wanted ROOT VERSION CERTIFICATE" >&2; exit 2; }
here=$(cd "$(dirname "$0")" && pwd)
root=${1%/} version=$2 certificate=$3
[[ $version =~ ^[0-9][0-9A-Za-z.+~-]*$ ]] || { echo "deploy/image/overlay.sh: found version '$version'; wanted 1.2.3" >&2; exit 2; }
ours=$root/usr/lib/edge-audio-image units=$root/usr/lib/systemd/system

cp -r --no-preserve=ownership "$here/files/." "$root/"
mkdir -p "$ours" "$root/data" "$root/boot/firmware"
for unit in "$here"/units/*.service "$here"/units/*.timer; do
    if [ -e "$unit" ]; then cp "$unit" "$units/"; fi
done
for script in "$here"/units/*.sh; do
    if [ -e "$script" ]; then install -m 755 "$script" "$ours/"; fi
done
if [ -d "$here/first_start" ]; then
    cp -r "$here/first_start" "$ours/"
    find "$ours" -name __pycache__ -prune -exec rm -r {} +
fi
cp "$certificate" "$root/etc/rauc/keyring.pem"

sed -i '/^IMAGE_/d' "$root/usr/lib/os-release"
printf 'IMAGE_ID=edge-audio\nIMAGE_VERSION=%s\n' "$version" >> "$root/usr/lib/os-release"
ln -sfn ../run/systemd/resolve/stub-resolv.conf "$root/etc/resolv.conf"
: > "$root/etc/machine-id"    # empty: systemd fills it for each start, and first_start lays the board's own over it
rm -f "$root"/etc/ssh/ssh_host_* "$root/var/lib/systemd/random-seed" "$root/var/lib/dbus/machine-id"
ln -s /etc/machine-id "$root/var/lib/dbus/machine-id"
chroot_control() { systemctl --root="$root" --quiet "$@"; }
for path in "$units"/edge-audio*.service "$units"/edge-audio*.timer; do
    if [[ $path != *@* ]] && grep -q '^\[Install\]' "$path"; then chroot_control enable "$(basename "$path")"; fi
done
chroot_control enable systemd-networkd systemd-resolved systemd-timesyncd avahi-daemon
chroot_control enable ssh.service    # its drop-in lets it start only where first_start found a key
chmod 600 "$root"/etc/netplan/*.yaml
chmod 440 "$root"/etc/sudoers.d/*
# sshd serves the network, where it serves at all; no sockets besides.
mkdir -p "$root/etc/systemd/system-generators"
ln -sfn /dev/null "$root/etc/systemd/system-generators/systemd-ssh-generator"
# Nothing that wants a writable root, nothing that would write to the card.
chroot_control disable ssh.socket wpa_supplicant.service 2> /dev/null || true
for unit in apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer e2scrub_all.timer e2scrub_reap.service ldconfig.service \
    rauc-mark-good.service sshd-keygen.service systemd-firstboot.service systemd-hwdb-update.service systemd-journal-catalog-update.service \
    systemd-journal-flush.service systemd-machine-id-commit.service systemd-pcrphase.service systemd-pstore.service \
    systemd-sysusers.service systemd-update-done.service systemd-binfmt.service proc-sys-fs-binfmt_misc.automount \
    systemd-tpm2-setup.service systemd-tpm2-setup-early.service systemd-hibernate-clear.service alsa-state.service; do
    ln -sfn /dev/null "$root/etc/systemd/system/$unit"
done
