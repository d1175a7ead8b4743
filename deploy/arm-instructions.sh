#!/usr/bin/env bash
# Prints how many instructions one invoke of a TFLite model takes on emulated ARM processors: "processor count model" a line.
# A count is the same from run to run (to 0.1 %); it is no time: instructions are not cycles. LiteRT 2.0.3, one thread.
# Usage: deploy/arm-instructions.sh ROOT MODEL..., where ROOT is what deploy/arm-root.sh made. PROCESSORS names others.
set -euo pipefail
root=${1%/}
shift
here=$(cd "$(dirname "$0")" && pwd)
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

"$here/packages.sh" instructions >&2
gcc -shared -fPIC -O2 -o "$folder/instructions.so" "$here/instructions.c"

for processor in ${PROCESSORS:-cortex-a53 cortex-a76}; do
    for model in "$@"; do
        # A bare environment at fixed addresses, and never through a shell in the guest: an exec would lose the plugin.
        env -i PATH=/usr/bin:/bin HOME=/ PYTHONHASHSEED=0 PYTHONPATH=/opt/v/lib/python3.11/site-packages setarch -R \
            qemu-aarch64 -L "$root" -cpu "$processor" -plugin "file=$folder/instructions.so" \
            "$root/usr/bin/python3.11" "$here/instructions.py" "$model" > "$folder/marks" 2>&1 || {
                cat "$folder/marks" >&2
                exit 1
            }
        # Marks come in threes: two without an invoke between them tell what marking costs.
        awk -v processor="$processor" -v model="$model" '
            $1 == "instructions" { at[n++] = $2 }
            END {
                if (n < 3) { print model ": found " n " marks; wanted 9" > "/dev/stderr"; exit 1 }
                for (i = 0; i < n; i += 3) sum += (at[i + 1] - at[i]) - (at[i + 2] - at[i + 1])
                printf "%s %d %s\n", processor, sum / (n / 3), model
            }' "$folder/marks"
    done
done
