#!/usr/bin/env bash
# Makes the keys that sign bundles: an authority that stays offline, and signing keys that are good for a year each.
# Usage: deploy/image/keys.sh FOLDER         makes what is missing: the authority, and a signing key for this year
#        deploy/image/keys.sh FOLDER new     makes another signing key, as for the next year, or after a loss
# FOLDER lies outside the repository. What is there is kept. PASSPHRASE_FILE names a file that encrypts the authority's key.
# The image is built with ca.cert.pem; bundle.sh signs with signing.key.pem and signing.cert.pem.
set -euo pipefail
usage() { echo "deploy/image/keys.sh: found '$*'; wanted FOLDER, or FOLDER new" >&2; exit 2; }
if [ $# -eq 2 ]; then [ "$2" = new ] || usage "$@"; else [ $# -eq 1 ] || usage "$@"; fi
repository=$(cd "$(dirname "$0")/../.." && pwd -P)
folder=$(realpath -m "$1")
case $folder/ in
    "$repository"/*) echo "deploy/image/keys.sh: found $folder, inside the repository; wanted a folder outside, for a key that" \
                          "is committed is everybody's" >&2
                     exit 2 ;;
esac
command -v openssl > /dev/null || { echo "deploy/image/keys.sh: found no openssl; wanted Debian's package openssl" >&2; exit 1; }
umask 077
mkdir -p "$folder"
cd "$folder"
secret=(-nodes) opened=()
if [ -n "${PASSPHRASE_FILE:-}" ]; then
    secret=(-passout "file:$PASSPHRASE_FILE") opened=(-passin "file:$PASSPHRASE_FILE")
fi
said=$(mktemp)
trap 'rm -f "$said"' EXIT
quietly() { "$@" > "$said" 2>&1 || { tail -n 5 "$said" >&2; exit 1; }; }

if [ ! -e ca.cert.pem ]; then
    [ ! -e ca.key.pem ] || rm ca.key.pem    # of a run that was interrupted: no certificate was ever made with it
    quietly openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 "${secret[@]}" -keyout ca.key.pem -out ca.cert.new \
        -days 7300 -subj "/O=edge-audio/CN=edge-audio updates $(date -u +%Y)" \
        -addext basicConstraints=critical,CA:TRUE,pathlen:0 -addext keyUsage=critical,keyCertSign,cRLSign
    mv ca.cert.new ca.cert.pem
    echo "The authority: $folder/ca.key.pem (keep it offline), $folder/ca.cert.pem (goes into the image)"
fi

if [ ! -e signing.cert.pem ] || [ "${2:-}" = new ]; then
    name=signing-$(date -u +%Y-%m-%d)-$(openssl rand -hex 3)
    quietly openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$name.key.pem" -out "$name.csr" \
        -subj "/O=edge-audio/CN=edge-audio $name"
    printf '%s\n' basicConstraints=critical,CA:FALSE keyUsage=critical,digitalSignature \
        extendedKeyUsage=critical,emailProtection,codeSigning > "$name.ext"
    # A month longer than a year, so that the next key can be made in time.
    quietly openssl x509 -req -in "$name.csr" -CA ca.cert.pem -CAkey ca.key.pem "${opened[@]}" -days 396 \
        -set_serial "0x$(openssl rand -hex 16)" -extfile "$name.ext" -out "$name.cert.pem"
    rm "$name.csr" "$name.ext"
    ln -sfn "$name.key.pem" signing.key.pem
    ln -sfn "$name.cert.pem" signing.cert.pem
    echo "The signing key: $folder/$name.key.pem, until $(openssl x509 -in "$name.cert.pem" -noout -enddate | cut -d= -f2)"
fi
