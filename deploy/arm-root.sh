#!/usr/bin/env bash
# Makes an emulated 64-bit ARM Debian in a folder, with what edge-audio and its tests need, and runs a command beside it with
# EDGE_AUDIO_ARM_ROOT set: for `make test-arm` and `make arm-instructions`. Needs root. The first time takes minutes.
#   trixie (1.1 GB): as the boards have it, under Debian 13's emulator; needs Linux 6.7.
#   bookworm (700 MB): an older LiteRT under Debian 12's emulator, the one that can count instructions.
# Usage: deploy/arm-root.sh FOLDER trixie|bookworm PYTHON COMMAND..., where PYTHON's pip fetches the wheels.
set -euo pipefail
folder=${1%/} suite=${2-} python=${3-}
here=$(cd "$(dirname "$0")" && pwd)
. "$here/root-folder.bash"
shift 3

packages=ca-certificates,python3,python3-venv,python3-pyaudio,mosquitto
wheels=(numpy 'paho-mqtt>=2.2,<3' 'gpiozero>=2.0')
case $suite in
    trixie)
        packages+=,mosquitto-clients,openssl,procps,gcc,libc6-dev
        release=3.13
        wheels+=(ai-edge-litert==2.3.0 'gpiod>=2.1,<3' soundfile scipy 'pytest>=8' 'pytest-xdist>=3.6' hypothesis) ;;
    bookworm)
        # Newer ones end with a segmentation fault under Debian 12's emulator; scores are the same.
        release=3.11
        wheels+=(ai-edge-litert==2.0.3) ;;
    *)
        echo "deploy/arm-root.sh: found '$suite'; wanted trixie or bookworm" >&2
        exit 2 ;;
esac

"$here/packages.sh" arm
run_arm

if [ ! -e "$folder/made" ]; then
    echo "Making an ARM root ($suite) in $folder"
    rm -rf --one-file-system "$folder"    # mmdebstrap refuses an interrupted one; never into what is mounted there
    mmdebstrap --mode=root --variant=minbase --architectures=arm64 --include="$packages" "$suite" "$folder" >> "$log" 2>&1
    touch "$folder/made"
fi
emulator=$folder/opt/emulator/usr/bin/qemu-aarch64
if [ "$suite" = trixie ] && [ ! -x "$emulator" ]; then
    echo "Fetching Debian 13's emulator"
    apt=$(mktemp -d)
    mkdir -p "$apt/lists/partial" "$apt/cache/archives/partial" "$folder/opt/emulator"
    keys=/usr/share/keyrings/debian-archive-keyring.gpg
    mirror=$("$(dirname "$0")/mirror.sh")
    echo "deb [signed-by=$keys] $mirror trixie main" > "$apt/sources.list"
    options=(-o "Dir::Etc::sourcelist=$apt/sources.list" -o Dir::Etc::sourceparts=/dev/null -o "Dir::State::lists=$apt/lists"
             -o "Dir::Cache=$apt/cache" -o APT::Sandbox::User=root)
    (cd "$apt" && apt-get "${options[@]}" -qq update && apt-get "${options[@]}" -qq download qemu-user) >> "$log" 2>&1
    dpkg-deb -x "$apt"/qemu-user_*.deb "$folder/opt/emulator"
    rm -rf "$apt"
fi
mount_trees
# The list of wheels is in the name: a root that an older version of this script made gets what is missing.
done=$folder/opt/wheels-$(printf '%s\n' "${wheels[@]}" | sha256sum | head -c 8)
if [ ! -e "$done" ]; then
    echo "Installing wheels for ARM"
    platforms=()
    for platform in manylinux_2_28 manylinux_2_27 manylinux_2_26 manylinux_2_17 manylinux2014; do
        platforms+=(--platform "${platform}_aarch64")
    done
    # This machine's own pip unpacks them: one that is emulated takes ten minutes.
    chroot "$folder" python3 -m venv --clear --without-pip --system-site-packages /opt/v >> "$log" 2>&1
    "$python" -m pip install --quiet --disable-pip-version-check --no-compile "${platforms[@]}" --only-binary=:all: \
        --python-version "${release/./}" --target "$folder/opt/v/lib/python$release/site-packages" "${wheels[@]}" >> "$log" 2>&1
    touch "$done"
fi
if [ "$suite" = trixie ]; then
    EDGE_AUDIO_ARM_ROOT=$folder "$here/arm-emulator.sh" "$emulator" "$@"
else
    EDGE_AUDIO_ARM_ROOT=$folder "$@"
fi
