#!/usr/bin/env bash
# Prints the Debian mirror that this machine's own package lists come from. Usage: deploy/mirror.sh
set -euo pipefail
mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Origin: Debian' 'Label: Debian' | sort -u | head -n 1)
if [ -z "$mirror" ]; then
    echo "apt: found no package lists of a Debian mirror; wanted some (apt-get update)" >&2
    exit 2
fi
echo "$mirror"
