#!/usr/bin/env bash
# Runs a command in a virtual machine whose kernel has gpio-sim: GPIO chips without hardware. The machine sees this
# one's files, and may write below /tmp and /run only. amd64, without KVM: in some clouds KVM is there and cannot run a kernel.
# Usage: deploy/pins-machine.sh FOLDER COMMAND ARGUMENT ...
set -euo pipefail
folder=$1
shift
here=$(pwd)
kernel=7.3.4+deb13-amd64
mkdir -p "$folder"
cd "$folder"

if [ ! -e initrd ]; then
    mkdir -p apt/lists/partial apt/cache/archives/partial modules root/bin root/modules
    keys=/usr/share/keyrings/debian-archive-keyring.gpg
    mirror=$("$here/deploy/mirror.sh")
    echo "deb [signed-by=$keys] $mirror trixie-backports main" > apt/sources.list
    options=(-o "Dir::Etc::sourcelist=$PWD/apt/sources.list" -o Dir::Etc::sourceparts=/dev/null
             -o "Dir::State::lists=$PWD/apt/lists" -o "Dir::Cache=$PWD/apt/cache" -o APT::Sandbox::User=root)
    apt-get "${options[@]}" -qq update
    apt-get "${options[@]}" -qq download "linux-binary-$kernel" "linux-modules-$kernel"
    for package in linux-*.deb; do dpkg-deb -x "$package" modules; done
    cp "modules/usr/lib/modules/$kernel/vmlinuz" vmlinuz
    depmod -b modules/usr "$kernel" 2> /dev/null
    # In the order in which they are to be loaded, what a module needs before the module itself.
    : > root/modules/order
    for module in virtio_pci 9pnet_virtio 9p configfs gpio-sim overlay; do
        modprobe -d modules/usr -S "$kernel" --show-depends "$module" 2>/dev/null | awk '$1 == "insmod" { print $2 }' || true
    done | awk '!seen[$0]++' | while read -r path; do
        name=$(basename "${path%.xz}")
        xz -dc "$path" > "root/modules/$name"
        echo "$name" >> root/modules/order
    done
    cp "$(command -v busybox)" root/bin/busybox
    cat > root/init <<'INIT'
#!/bin/busybox sh
/bin/busybox mkdir -p /proc /sys /new
/bin/busybox mount -t proc proc /proc
/bin/busybox mount -t sysfs sys /sys
while read -r module; do /bin/busybox insmod "/modules/$module"; done < /modules/order
/bin/busybox mount -t 9p -o trans=virtio,version=9p2000.L,ro,cache=loose,msize=262144 host /new
/bin/busybox mount -t proc proc /new/proc
/bin/busybox mount -t sysfs sys /new/sys
/bin/busybox mount -t configfs config /new/sys/kernel/config
/bin/busybox mount -t devtmpfs dev /new/dev
/bin/busybox mkdir -p /new/dev/shm /new/dev/pts
/bin/busybox mount -t tmpfs shm /new/dev/shm
for place in tmp run; do /bin/busybox mount -t tmpfs "$place" "/new/$place"; done
exec /bin/busybox chroot /new /bin/bash "$(/bin/busybox sed -n 's/.* job=\([^ ]*\).*/\1/p' /proc/cmdline)"
INIT
    chmod +x root/init
    (cd root && find . | busybox cpio -o -H newc 2>/dev/null) | gzip -1 > initrd.new
    mv initrd.new initrd
fi

rm -f job
{
    printf 'export PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/tmp PYTHONDONTWRITEBYTECODE=1 EDGE_AUDIO_GPIO_SIM=1\n'
    printf 'ip link set lo up 2>/dev/null; cd %q; %s\n' "$here" "$(printf '%q ' "$@")"
    printf 'echo "machine: ended with $?"; sync; echo o > /proc/sysrq-trigger; while :; do :; done\n'
} > job
# no_timer_check: on a busy machine the kernel would find its timer dead, and panic.
timeout 1800 qemu-system-x86_64 -M q35 -cpu max -m 1024 -smp 1 -nic none -display none -serial stdio -monitor none \
    -no-reboot -kernel vmlinuz -initrd initrd -append "console=ttyS0 no_timer_check quiet loglevel=3 panic=-1 job=$PWD/job " \
    -virtfs local,path=/,mount_tag=host,security_model=none,readonly=on,multidevs=remap < /dev/null | tee output
grep -q "machine: ended with 0" output
