#!/usr/bin/env bash
# Runs a program of the tools root with the libraries of that root: nothing is mounted, and files of this machine are seen.
# Usage: deploy/image/tool.sh FOLDER PROGRAM ARGUMENT ...
set -euo pipefail
[ $# -ge 2 ] || { echo "deploy/image/tool.sh: found $# arguments; wanted FOLDER PROGRAM ARGUMENT ..." >&2; exit 2; }
tools=${1%/}/tools program=$1/tools/usr/bin/$2
[ -x "$program" ] || { echo "deploy/image/tool.sh: found no $program; wanted what deploy/image/tools.sh makes" >&2; exit 2; }
shift 2
export QEMU_MODULE_DIR=$tools/usr/lib/x86_64-linux-gnu/qemu
export OPENSSL_MODULES=$tools/usr/lib/x86_64-linux-gnu/ossl-modules
exec "$tools/lib64/ld-linux-x86-64.so.2" --library-path "$tools/usr/lib/x86_64-linux-gnu" "$program" "$@"
