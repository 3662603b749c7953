#!/bin/sh
# Makes `signatures.txt` anew, with OpenSSL 3: signatures by keys that our own crates do not sign
# with. Each row is a name, a=, p=, bh= and b= of a message that `weak_keys.rs` puts together.
set -eu
cd "$(dirname "$0")"
work=$(mktemp -d)
trap 'rm -r "$work"' EXIT
for row in 512:sha256 1023:sha256 1024:sha256 1024:sha1 2047:sha256 2048:sha256 2048:sha1
do
    bits=${row%%:*}
    hash=${row##*:}
    openssl genpkey -quiet -algorithm RSA -pkeyopt "rsa_keygen_bits:$bits" -out "$work/key"
    bh=$(printf 'Hi.\r\n' | openssl dgst "-$hash" -binary | base64)
    printf 'from:joe@example.com\r\ndkim-signature:%s' \
        "v=1; a=rsa-$hash; c=relaxed/relaxed; d=example.com; s=sel; h=from; bh=$bh; b=" \
        > "$work/input"
    p=$(openssl pkey -in "$work/key" -pubout -outform DER | base64 -w 0)
    b=$(openssl dgst "-$hash" -sign "$work/key" "$work/input" | base64 -w 0)
    echo "$bits rsa-$hash $p $bh $b"
done > signatures.txt
