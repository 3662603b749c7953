#!/bin/sh
# Makes the throw-away keys of this directory anew, with OpenSSL 3. See README.md.
set -eu
cd "$(dirname "$0")"
work=$(mktemp -d)
trap 'rm -r "$work"' EXIT
printf 'from:alice@example.org\r\ndkim-signature:v=1; b=' > "$work/message"

# Keys to sign with.
openssl genpkey -quiet -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out rsa2048.pem
openssl rsa -in rsa2048.pem -traditional -out rsa2048.pkcs1.pem 2> /dev/null
openssl genpkey -algorithm ED25519 -out ed25519.pem

# Keys to be refused.
openssl genpkey -quiet -algorithm RSA -pkeyopt rsa_keygen_bits:1024 -out rsa1024.pem
openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out p256.pem
openssl pkcs8 -topk8 -in ed25519.pem -passout pass:throw-away -out encrypted.pem
openssl rsa -in rsa2048.pem -traditional -aes128 -passout pass:throw-away \
    -out encrypted.pkcs1.pem 2> /dev/null
openssl req -x509 -key ed25519.pem -subj /CN=example.org -days 1 -out certificate.pem

# Keys to verify with: name, hash, SubjectPublicKeyInfo, signature. Their private halves are
# forgotten.
{
    echo '# name  hash  SubjectPublicKeyInfo  signature; made by make.sh'
    for row in 512:65537:sha256 768:65537:sha256 1023:65537:sha256 1024:65537:sha256 \
        1024:65537:sha1 1025:65537:sha256 2048:3:sha256 2048:8589934591:sha256 4096:65537:sha256 8192:65537:sha256
    do
        bits=${row%%:*}
        hash=${row##*:}
        exponent=${row#*:}
        exponent=${exponent%:*}
        openssl genpkey -quiet -algorithm RSA -pkeyopt "rsa_keygen_bits:$bits" \
            -pkeyopt "rsa_keygen_pubexp:$exponent" -out "$work/key"
        printf 'rsa%s-e%s %s ' "$bits" "$exponent" "$hash"
        openssl pkey -in "$work/key" -pubout -outform DER | base64 -w 0
        printf ' '
        openssl dgst "-$hash" -sign "$work/key" "$work/message" | base64 -w 0
        echo
    done
} > verify.txt
