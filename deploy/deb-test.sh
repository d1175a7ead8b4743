#!/usr/bin/env bash
# Builds the Debian packages, and a second version of those that are upgraded; asks lintian; installs, upgrades and purges
# them in fresh roots of Debian 13, 12, and 13 on emulated ARM: `make deb-test`. Needs root, and Linux 6.7 for the emulator.
# Usage: deploy/deb-test.sh FOLDER ROOTS PYTHON
#        ROOTS is for deploy/install-root.sh, which keeps a root of each there. PYTHON has pip and pytest.
set -euo pipefail
[ $# -eq 3 ] || { echo "deploy/deb-test.sh: found $# arguments; wanted FOLDER ROOTS PYTHON" >&2; exit 2; }
here=$(cd "$(dirname "$0")" && pwd)
roots=${2%/} python=$3
[ "$(id -u)" -eq 0 ] || { echo "deploy/deb-test.sh: found user $(id -un); wanted root, who may make a Debian root" >&2; exit 2; }
mkdir -p "$1" "$roots"
packages=${1%/}/packages folder=${1%/}/tools
. "$here/root-folder.bash"
"$here/packages.sh" install-root deb-test

if [ ! -e "$folder/made" ]; then
    echo "Making a Debian 13 with lintian and the emulator in $folder"
    rm -rf --one-file-system "$folder"    # mmdebstrap refuses an interrupted one; never into what is mounted there
    mmdebstrap --mode=root --variant=minbase --include=lintian,qemu-user trixie "$folder" >> "$log" 2>&1
    touch "$folder/made"
fi
rm -rf "$packages"
for what in "arm64 trixie" "amd64 trixie" "arm64 bookworm" "amd64 bookworm"; do
    read -r arch suite <<< "$what"
    PYTHON=$python "$here/deb.sh" "$arch" "$suite" "$packages"
    [ "$what" = "arm64 bookworm" ] || PYTHON=$python LEVEL=0 "$here/deb.sh" "$arch" "$suite" "$packages" 2 > /dev/null
done

export EDGE_AUDIO_DEBS=$packages
pytest=("$python" -m pytest -q --durations=0 --durations-min=1 -m slow)
mount_trees
EDGE_AUDIO_DEB_TOOLS=$folder "${pytest[@]}" tests/debian/test_debian_lintian.py
install=("${pytest[@]}" tests/debian/test_debian_package.py)
"$here/install-root.sh" "$roots/trixie" trixie "${install[@]}" tests/debian/test_debian_service.py
"$here/install-root.sh" "$roots/bookworm" bookworm "${install[@]}" tests/debian/test_debian_service.py
# Debian 12's emulator, which other tests may need, crashes with this LiteRT.
"$here/install-root.sh" "$roots/trixie-arm64" trixie/arm64 "$here/arm-emulator.sh" "$folder/usr/bin/qemu-aarch64" "${install[@]}"
