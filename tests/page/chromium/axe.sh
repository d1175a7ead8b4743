#!/usr/bin/env bash
# Fetches axe-core by npm into a folder, and prints the path of axe.min.js; nothing where npm is missing.
# Usage: tests/page/chromium/axe.sh FOLDER
set -euo pipefail
version=4.14.1
if [ $# -ne 1 ]; then
    echo "axe.sh: found $# arguments; wanted FOLDER" >&2
    exit 2
fi
folder=$1/axe-$version
script=$folder/package/axe.min.js
if [ ! -s "$script" ]; then
    if ! command -v npm >/dev/null; then
        echo "axe.sh: found no npm; wanted it, to try the page's accessibility (apt-get install npm)" >&2
        exit 0
    fi
    mkdir -p "$folder"
    (cd "$folder" && timeout 300 npm pack --silent "axe-core@$version" >&2)
    tar -xzf "$folder/axe-core-$version.tgz" -C "$folder" package/axe.min.js package/LICENSE
fi
echo "$script"
