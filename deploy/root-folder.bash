# Sourced by scripts that make a Debian root in a folder: `folder` is set; sets `log`, takes the folder for ours, and gives
# back what is mounted in it when the script ends. `mount_trees` mounts what a root needs to run programs.
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

mount_trees() {    # without /sys the runtime finds no processor, and without /proc and /dev little runs at all
    for tree in proc sys dev; do
        mountpoint -q "$folder/$tree" || mount --bind "/$tree" "$folder/$tree"
    done
}
