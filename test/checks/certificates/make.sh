#!/bin/sh
# Makes the certificates of these tests. Valid ones last a century; nothing outside the tests trusts them.
set -eu
cd "$(dirname "$0")"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
: >"$work/index"
cat >"$work/ca.cnf" <<CNF
[ca]
default_ca=tests
[tests]
database=$work/index
new_certs_dir=$work
rand_serial=yes
default_md=sha256
policy=any
copy_extensions=copy
unique_subject=no
[any]
commonName=supplied
CNF

key() { openssl ecparam -name prime256v1 -genkey -noout -out "$1.key.pem"; }

# sign <file> <from> <until> <how>…: a request becomes a certificate
sign() {
  file=$1 from=$2 until=$3
  shift 3
  openssl ca -batch -notext -config "$work/ca.cnf" -startdate "$from" -enddate "$until" \
    -in "$work/$file.csr" -out "$file.cert.pem" "$@"
}

# issue <file> <subject alternative name> <from> <until>
issue() {
  key "$1"
  openssl req -new -key "$1.key.pem" -subj "/CN=$1.test" -addext "subjectAltName=$2" -out "$work/$1.csr"
  sign "$1" "$3" "$4" -cert authority.cert.pem -keyfile "$work/authority.key.pem"
}

key "$work/authority"
openssl req -new -key "$work/authority.key.pem" -subj '/CN=Authority of the tests' \
  -addext basicConstraints=critical,CA:TRUE -out "$work/authority.csr"
sign authority 20200101000000Z 21200101000000Z -selfsign -keyfile "$work/authority.key.pem"
issue valid DNS:localhost,IP:127.0.0.1 20200101000000Z 21200101000000Z
issue expired DNS:localhost,IP:127.0.0.1 20200101000000Z 20210101000000Z
issue future DNS:localhost,IP:127.0.0.1 21000101000000Z 21200101000000Z
issue other-name DNS:other.test 20200101000000Z 21200101000000Z
key self-signed
openssl req -new -key self-signed.key.pem -subj /CN=localhost \
  -addext subjectAltName=DNS:localhost,IP:127.0.0.1 -out "$work/self-signed.csr"
sign self-signed 20200101000000Z 21200101000000Z -selfsign -keyfile self-signed.key.pem
