#!/bin/sh
# Builds the transcriber's image without Docker: build-image.sh OUT.tar
# Needs mmdebstrap and Node. MIRROR names another Debian mirror, for instance a snapshot, so that two builds months apart
# take the same packages.
set -eu

[ $# -eq 1 ] || { echo "usage: $0 OUT.tar" >&2; exit 2; }
command -v mmdebstrap >/dev/null || { echo "$0: mmdebstrap is missing; apt-get install mmdebstrap" >&2; exit 2; }
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM

# Clamps every time stamp in the layer: the same packages give the same bytes.
export SOURCE_DATE_EPOCH=1750000000

# The variant unpacks and runs no install script, so the two library links that those would make are made here. The filter
# drops documentation and what comes from the machine that builds: name, resolver, mirror, device nodes.
mmdebstrap --quiet --variant=extract \
  --include=python3-minimal,libpython3-stdlib,pocketsphinx,pocketsphinx-en-us \
  --extract-hook='cd "$1"/usr/lib/*-linux-gnu && ln -s blas/libblas.so.3 lapack/liblapack.so.3 .' \
  --extract-hook='mkdir -p "$1"/proc "$1"/sys' \
  bookworm "$work/everything.tar" ${MIRROR:+"$MIRROR"}
mmtarfilter \
  --path-exclude='/dev/*' --path-exclude='/etc/hostname' --path-exclude='/etc/resolv.conf' --path-exclude='/etc/apt*' \
  --path-exclude='/var/lib/*' --path-exclude='/var/cache/*' --path-exclude='/var/log/*' \
  --path-exclude='/usr/share/doc/*' --path-exclude='/usr/share/man/*' --path-exclude='/usr/share/info/*' \
  --path-exclude='/usr/share/locale/*' --path-exclude='/usr/share/lintian/*' --path-exclude='/usr/lib/*/gconv/*' \
  <"$work/everything.tar" >"$work/rootfs.tar"

install -m 0644 "$here/server.py" "$work/server.py"
tar --append --file "$work/rootfs.tar" --directory "$work" --format=ustar --mtime="@$SOURCE_DATE_EPOCH" \
  --owner=0 --group=0 --numeric-owner ./server.py

node "$here/../oci-archive.mjs" --layer "$work/rootfs.tar" --out "$1" -- python3 /server.py
