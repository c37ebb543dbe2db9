#!/bin/sh
# Builds the hello image without Docker and without a network: build-image.sh OUT.tar
# Needs Debian's busybox-static and Node. BUSYBOX names another static busybox.
set -eu

[ $# -eq 1 ] || { echo "usage: $0 OUT.tar" >&2; exit 2; }
busybox=${BUSYBOX:-$(command -v busybox || true)}
[ -n "$busybox" ] || { echo "$0: no busybox; apt-get install busybox-static" >&2; exit 2; }
case "$(ldd "$busybox" 2>/dev/null)" in
  *"=>"*)
    echo "$0: $busybox needs libraries, which the image has not; apt-get install busybox-static" >&2
    exit 2
    ;;
esac
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM

rootfs=$work/rootfs
mkdir -p "$rootfs/bin" "$rootfs/dev" "$rootfs/etc" "$rootfs/proc" "$rootfs/sys" "$rootfs/tmp" "$rootfs/www/cgi-bin"
install -m 0755 "$busybox" "$rootfs/bin/busybox"
install -m 0644 "$here/httpd.conf" "$rootfs/etc/httpd.conf"
install -m 0644 "$here/www/index.txt" "$rootfs/www/index.txt"
install -m 0755 "$here/www/cgi-bin/echo" "$rootfs/www/cgi-bin/echo"
find "$rootfs" -type d -exec chmod 0755 {} +
chmod 1777 "$rootfs/tmp"
tar --create --file "$work/rootfs.tar" --directory "$rootfs" --format=ustar --sort=name --mtime=@0 \
  --owner=0 --group=0 --numeric-owner .

node "$here/../oci-archive.mjs" --layer "$work/rootfs.tar" --out "$1" -- \
  /bin/busybox httpd -f -p 80 -c /etc/httpd.conf -h /www
