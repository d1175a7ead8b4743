# Sourced by scripts that make a Debian root in a folder: `folder` is set; sets `log`, takes the folder for ours, and gives
# back what is mounted in it when the script ends. `mount_trees` mounts what a root needs to run programs,
# `run_arm` lets this machine run those of an ARM root.
mine=$folder.edge-audio    # beside it, for mmdebstrap wants the folder empty: without it the folder is not ours to remove
log=$(mktemp)
finish() {
    status=$?
    for tree in proc sys dev; do
        if mountpoint -q "$folder/$tree"; then umount "$folder/$tree"; fi
    done
    [ $status -eq 0 ] || tail -n 20 "$log" >&2
    rm -f "$log"
}
trap finish EXIT

if [ -e "$folder" ] && [ ! -e "$mine" ]; then
    echo "$folder: found something that this script did not make; wanted a new folder" >&2
    exit 2
fi
touch "$mine"

run_arm() {    # this machine's kernel hands 64-bit ARM programs to the emulator
    mountpoint -q /proc/sys/fs/binfmt_misc || mount -t binfmt_misc binfmt_misc /proc/sys/fs/binfmt_misc
    update-binfmts --enable qemu-aarch64
}

mount_trees() {    # without /sys the runtime finds no processor, and without /proc and /dev little runs at all
    for tree in proc sys dev; do
        mountpoint -q "$folder/$tree" || mount --bind "/$tree" "$folder/$tree"
    done
}
