#!/usr/bin/env bash
# Builds the Debian package into a folder. Needs no root and no emulator: wheels are unpacked, nothing is compiled.
# Usage: deploy/deb.sh arm64|amd64 trixie|bookworm FOLDER [REVISION]
#        REVISION is a number, 1 by default; a higher one is an upgrade of the same program.
# PYTHON names a Python with pip: .venv/bin/python of this clone by default. LEVEL is xz's (default 6; 0 for tests).
# MAINTAINER is who answers for the package: "Name <address>". By default it says that nobody does: .invalid is no address.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$here/.. debian=$here/debian
python=$(command -v "${PYTHON:-$root/.venv/bin/python}") ||
    { echo "deploy/deb.sh: found no ${PYTHON:-.venv/bin/python}; wanted a Python with pip (make install, or PYTHON=...)" >&2; exit 2; }
python=$(cd "$(dirname "$python")" && pwd)/$(basename "$python")

usage() {
    echo "deploy/deb.sh: found '$*'; wanted arm64|amd64 trixie|bookworm FOLDER [REVISION]" >&2
    exit 2
}
[ $# -ge 3 ] && [ $# -le 4 ] || usage "$@"
arch=$1 suite=$2 folder=$3 revision=${4:-1}
case $arch in arm64) machine=aarch64 ;; amd64) machine=x86_64 ;; *) usage "$@" ;; esac
case $suite in trixie) release=deb13 minor=13 ;; bookworm) release=deb12 minor=11 ;; *) usage "$@" ;; esac
[[ $revision =~ ^[1-9][0-9]*$ ]] || usage "$@"
maintainer=${MAINTAINER:-$(sed -n 's/^Maintainer: //p' "$debian/control")}
[[ $maintainer =~ ^[^\<\>/\&]+\ \<[^\<\>/\&\ ]+@[^\<\>/\&\ ]+\>$ ]] ||
    { echo "deploy/deb.sh: found MAINTAINER '$maintainer'; wanted 'Name <name@host>'" >&2; exit 2; }
"$python" -m pip --version > /dev/null || { echo "deploy/deb.sh: found no pip in $python; wanted one (PYTHON=...)" >&2; exit 2; }
SECONDS=0

version=$(cd "$root" && "$python" -c 'from edge import __version__; print(__version__)')-$revision~$release
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git -C "$root" log -1 --format=%ct 2> /dev/null || stat -c %Y "$root/setup.cfg")}
export SOURCE_DATE_EPOCH    # the same commit and the same wheels give the same package
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
tree=$work/tree lib=$work/tree/usr/lib/edge-audio doc=$work/tree/usr/share/doc/edge-audio
pip=("$python" -m pip --disable-pip-version-check --quiet)

# Itself, from a copy, for a build leaves folders behind; then what it needs, for the other machine and the other Python.
mkdir "$work/source" "$work/wheel"
cp -r "$root/edge" "$root/models" "$root/setup.cfg" "$root/pyproject.toml" "$root/README.md" "$root/LICENSE" "$work/source"
"${pip[@]}" wheel --no-deps --wheel-dir "$work/wheel" "$work/source"
mapfile -t needs < <("$python" "$debian/needs.py" "$machine" "3.$minor")
[ ${#needs[@]} -gt 0 ]
platforms=()
for glibc in 2_28 2_27 2_17; do platforms+=(--platform "manylinux_${glibc}_$machine"); done
"${pip[@]}" install --target "$lib" --no-compile --no-deps --only-binary=:all: --implementation cp --python-version "3$minor" \
    --ignore-requires-python "${platforms[@]}" --platform "manylinux2014_$machine" "$work"/wheel/*.whl "${needs[@]}"
unmet=$("$python" "$debian/needs.py" "$machine" "3.$minor" "$lib") ||
    { echo "deploy/deb.sh: found no" $unmet "in the package; wanted all that the page's libraries need (deploy/debian/needs.py)" >&2; exit 1; }
# What no command of ours calls.
rm -rf "$lib"/{bin,gpiozerocli} "$lib"/ai_edge_litert/{aot,tools,vendors,libLiteRtWebGpuAccelerator.so} \
    "$lib"/numpy/{f2py,_core/include} "$lib"/numpy/_core/*_tests.*.so \
    "$lib"/multidict/_testcapi.*.so
find "$lib" -type d \( -name tests -o -name __pycache__ \) -prune -exec rm -r {} +
find "$lib/edge_models" -maxdepth 1 -name '*.py' ! -name __init__.py -delete    # training

put() {    # put FILE WHERE: with the modes that a package has
    install -D -m 644 "$1" "$tree/$2"
}
install -D -m 755 "$debian/edge-audio" "$tree/usr/bin/edge-audio"
for unit in edge-audio.service edge-audio@.service; do
    put "$here/$unit" "usr/lib/systemd/system/$unit"
    [ "$suite" = bookworm ] || put "$here/edge-audio-254.conf" "usr/lib/systemd/system/$unit.d/254.conf"
done
put "$here/edge-audio-page.service" usr/lib/systemd/system/edge-audio-page.service
put "$debian/sysusers.conf" usr/lib/sysusers.d/edge-audio.conf
put "$debian/udev.rules" usr/lib/udev/rules.d/60-edge-audio.rules
put "$debian/edge-audio.toml" etc/edge-audio/edge-audio.toml
put "$here/edge-audio.toml" usr/share/edge-audio/edge-audio.toml
put "$debian/lintian-overrides" usr/share/lintian/overrides/edge-audio
for example in "$here"/examples/*.toml; do put "$example" "usr/share/doc/edge-audio/examples/$(basename "$example")"; done
put "$debian/copyright" usr/share/doc/edge-audio/copyright
mkdir -p "$tree/usr/share/man/man1" "$tree/etc/edge-audio/credentials"
"$python" "$debian/manual.py" "$(date -u -d "@$SOURCE_DATE_EPOCH" +%F)" | gzip -9n > "$tree/usr/share/man/man1/edge-audio.1.gz"
gzip -9n < "$here/docs/changelog.md" > "$doc/changelog.gz"
printf 'edge-audio (%s) %s; urgency=medium\n\n  * What is new in the program: changelog.gz beside this file.\n\n -- %s  %s\n' \
    "$version" "$suite" "$maintainer" "$(date -u -R -d "@$SOURCE_DATE_EPOCH")" | gzip -9n > "$doc/changelog.Debian.gz"

find "$tree" -type d -exec chmod 755 {} + -o -type f ! -path '*/usr/bin/*' -exec chmod 644 {} +
chmod 700 "$tree/etc/edge-audio/credentials"
kilobytes=$(du -k -s "$tree" | cut -f1)
mkdir "$tree/DEBIAN"
for script in preinst postinst prerm postrm; do install -m 755 "$debian/$script" "$tree/DEBIAN/$script"; done
echo /etc/edge-audio/edge-audio.toml > "$tree/DEBIAN/conffiles"
sed -e "s/@version@/$version/; s/@arch@/$arch/; s/@python@/3.$minor/; s/@next_python@/3.$((minor + 1))/" \
    -e "s/@kilobytes@/$kilobytes/; s/^Maintainer: .*/Maintainer: $maintainer/" "$debian/control" > "$tree/DEBIAN/control"
(cd "$tree" && find . -type f ! -path './DEBIAN/*' -printf '%P\0' | LC_ALL=C sort -z | xargs -0 md5sum) > "$tree/DEBIAN/md5sums"
chmod 644 "$tree"/DEBIAN/{control,conffiles,md5sums}
mkdir -p "$folder"
package=$folder/edge-audio_${version}_$arch.deb
dpkg-deb --root-owner-group -Zxz "-z${LEVEL:-6}" --build "$tree" "$package.new" > /dev/null
mv "$package.new" "$package"
echo "$package: $(($(stat -c %s "$package") / 1000000)) MB, $((kilobytes / 1000)) MB installed, $SECONDS s"
