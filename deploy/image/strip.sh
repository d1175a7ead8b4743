#!/usr/bin/env bash
# Takes out of a root what a running image never needs.
# Usage: deploy/image/strip.sh ROOT
set -euo pipefail
[ $# -eq 1 ] || { echo "deploy/image/strip.sh: found $# arguments; wanted ROOT" >&2; exit 2; }
root=${1%/}
[ -d "$root/usr/lib/modules" ] || { echo "deploy/image/strip.sh: found no usr/lib/modules in $root; wanted a root" >&2; exit 2; }
cd "$root"
rm -rf var/cache/apt/* var/lib/apt/lists/* var/log/* var/tmp/* tmp/* run/* root/.[a-z]* \
    usr/share/man usr/share/info usr/share/lintian usr/share/locale usr/share/gcc usr/share/sounds usr/share/bash-completion \
    usr/share/zsh usr/share/bug usr/share/i18n boot/System.map* boot/config-* boot/*.bak usr/sbin/policy-rc.d \
    usr/lib/python3/dist-packages/numpy/tests etc/apt/apt.conf.d/*mmdebstrap* etc/dpkg/dpkg.cfg.d/*mmdebstrap*
find usr/share/doc -type f ! -name copyright -delete    # licences stay
find usr/share/doc -type d -empty -delete
# Wi-Fi firmware: the chips on a Pi alone.
if [ -d usr/lib/firmware ]; then
    find usr/lib/firmware -type f,l ! -name 'regulatory.db*' ! -name '*43430*' ! -name '*43436*' ! -name '*43455*' ! -name '*43456*' \
        -delete
    # Links into /etc/alternatives are dangling only here.
    find usr/lib/firmware -xtype l ! -lname '/etc/alternatives/*' -delete
    find usr/lib/firmware -type d -empty -delete
fi
# Device trees lie on the boot partition (boot.sh).
rm -rf usr/lib/linux-image-*
mkdir -p var/log var/tmp tmp run proc sys dev data home boot/firmware etc/edge-audio var/lib/systemd var/lib/edge-audio    # what is mounted
chmod 1777 tmp var/tmp
