#!/usr/bin/env bash
# Makes a CA of your own, the broker's certificate and one for each board that is named, each with its key. What is there stays.
# Usage: certificates.sh FOLDER HOST [BOARD ...]    HOST: as boards have it in mqtt.host; BOARD: its device.name
set -euo pipefail

if [ $# -lt 2 ]; then
    sed -n '2,3s/^# //p' "$0" >&2
    exit 2
fi
folder=$1 host=$2
shift 2
refuse() {
    echo "certificates.sh: found '$1'; wanted $2" >&2
    exit 2
}
[[ $host =~ ^[A-Za-z0-9.:_-]+$ ]] || refuse "$host" "the broker's name or address"
for board in "$@"; do
    [[ $board =~ ^[A-Za-z0-9_-]+$ && ! $board =~ ^(ca|broker)$ ]] || refuse "$board" "letters, digits, '-' and '_'; not ca or broker"
done
mkdir -p "$folder"
cd "$folder"
umask 077
days=3650
curve=(-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes)

quietly() {  # openssl says much when all is well
    local said
    said=$(openssl "$@" 2>&1) || { echo "$said" >&2; exit 1; }
}

sign() {  # FILE NAME EXTENSION ...
    local file=$1 name=$2
    shift 2
    [ -e "$file.pem" ] && return
    quietly req -new "${curve[@]}" -subj "/CN=$name" -keyout "$file.key" -out "$file.csr"
    printf '%s\n' basicConstraints=CA:FALSE authorityKeyIdentifier=keyid "$@" > "$file.ext"
    quietly x509 -req -in "$file.csr" -CA ca.pem -CAkey ca.key -set_serial "0x$(openssl rand -hex 16)" -days $days \
        -extfile "$file.ext" -out "$file.pem"
    rm "$file.csr" "$file.ext"
    echo "$folder/$file.pem, $file.key: for $name"
}

if [ ! -e ca.pem ]; then
    quietly req -x509 "${curve[@]}" -days $days -subj "/CN=edge-audio CA" -addext keyUsage=critical,keyCertSign \
        -keyout ca.key -out ca.pem
    echo "$folder/ca.pem: for every board's mqtt.tls_ca_file; ca.key: keep it, on neither broker nor board"
fi
kind=DNS
[[ $host =~ ^[0-9.]+$ || $host == *:* ]] && kind=IP
sign broker "$host" "subjectAltName=$kind:$host" extendedKeyUsage=serverAuth
for board in "$@"; do
    sign "$board" "$board" extendedKeyUsage=clientAuth
done
chmod 644 ./*.pem
