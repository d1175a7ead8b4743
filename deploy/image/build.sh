#!/usr/bin/env bash
# Builds the image: `make image`. Needs root; 15 minutes the first time, 5 after it. What it leaves in RESULTS:
# edge-audio-VERSION-arm64.img.zst with its .sha256, edge-audio-VERSION-arm64.raucb, edge-audio.rpi-imager-manifest.
# Usage: deploy/image/build.sh FOLDER RESULTS PYTHON
#        PYTHON has pip. VERSION (default: the program's) names the version. KEYS names a folder of deploy/image/keys.sh.
#        LEVEL is zstd's (default 19; 3 for tests). PACKAGE names an edge-audio package that is to be taken as it is.
set -euo pipefail
[ $# -eq 3 ] || { echo "deploy/image/build.sh: found $# arguments; wanted FOLDER RESULTS PYTHON" >&2; exit 2; }
here=$(cd "$(dirname "$0")" && pwd)
work=$(realpath -m "$1") results=$(realpath -m "$2")
python=$(cd "$(dirname "$3")" && pwd)/$(basename "$3")
[ "$(id -u)" -eq 0 ] || { echo "deploy/image/build.sh: found user $(id -un); wanted root, who may make a Debian root" >&2; exit 2; }
"$here/../packages.sh" image
PATH=$PATH:/usr/sbin:/sbin
mkdir -p "$work" "$results"
exec 9> "$work/lock"
flock -w 3600 9 || { echo "deploy/image/build.sh: another build has held $work/lock for an hour" >&2; exit 1; }
version=${VERSION:-$(cd "$here/../.." && "$python" -c 'import edge; print(edge.__version__)')}
name=edge-audio-$version-arm64

"$here/tools.sh" "$work"
"$here/base.sh" "$work"
keys=${KEYS:-}
if [ -z "$keys" ]; then
    keys=$work/keys-for-tests
    echo "No KEYS: this image trusts updates signed by a throw-away key in $keys. Give KEYS=folder for boards that are to last."
    "$here/keys.sh" "$keys" > /dev/null
fi
package=${PACKAGE:-}
if [ -z "$package" ]; then
    rm -rf "$work/package"
    PYTHON=$python "$here/../deb.sh" arm64 trixie "$work/package"
    package=$(ls "$work"/package/*.deb)
fi
"$here/root.sh" "$work" "$package" "$version" "$keys/ca.cert.pem"
"$here/boot.sh" "$work"
"$here/disk.sh" "$work"

echo "Compressing"
rm -f "$results/$name".*
zstd -q -f -T0 "-${LEVEL:-19}" "$work/disk.img" -o "$results/$name.img.zst"
RAUC="$here/tool.sh $work rauc" LEVEL=${LEVEL:-19} "$here/bundle.sh" "$work/root.ext4" "$keys" "$results/$name.raucb"
(cd "$results" && sha256sum "$name.img.zst" "$name.raucb" > "$name.sha256")
if [ -e "$here/manifest.py" ]; then "$python" "$here/manifest.py" "$results/$name.img.zst" "$results/edge-audio.rpi-imager-manifest"; fi
ls -l --block-size=K "$results"
