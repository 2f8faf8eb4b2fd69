#!/bin/sh
# Makes a Debian package of a built program: deb.sh PROGRAM FOLDER.
# The version is TOUCHSTONE_VERSION, or 0.0 and the program's own.
set -eu
program=$1
out=$2
here=$(cd "$(dirname "$0")" && pwd)
arch=$(dpkg --print-architecture)
version=${TOUCHSTONE_VERSION:-0.0~$("$program" version | sed 's/^touchstone //; s/^v//; s/[^A-Za-z0-9.+~]/./g; s/^\.*//; s/\.*$//')}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
root=$work/root
umask 022
mkdir -p "$root/DEBIAN" "$root/usr/bin" "$root/usr/lib/systemd/system" "$root/usr/share/doc/touchstone" "$root/etc/touchstone"
install -m 0755 "$program" "$root/usr/bin/touchstone"
install -m 0644 "$here/touchstone.service" "$root/usr/lib/systemd/system/touchstone.service"
install -m 0644 "$here/../../LICENSE" "$root/usr/share/doc/touchstone/copyright"
install -m 0644 "$here/../../NOTICE" "$root/usr/share/doc/touchstone/NOTICE"
# The example is what init writes: it passes the program's own check.
"$program" init "$work/init" >/dev/null
"$program" check -c "$work/init/touchstone.yaml" >/dev/null
for f in "$work"/init/*; do install -m 0640 "$f" "$root/etc/touchstone/$(basename "$f")"; done
printf '# NAME=value lines for ${env:NAME} in touchstone.yaml; only root reads this file.\n' >"$root/etc/touchstone/environment"
chmod 0600 "$root/etc/touchstone/environment"
(cd "$root" && find etc -type f | sed 's|^|/|' | LC_ALL=C sort) >"$root/DEBIAN/conffiles"
size=$(du -sk "$root" | cut -f1)
sed -e "s/@VERSION@/$version/" -e "s/@ARCH@/$arch/" -e "s/@SIZE@/$size/" "$here/deb/control.in" >"$root/DEBIAN/control"
for s in postinst prerm postrm; do install -m 0755 "$here/deb/$s" "$root/DEBIAN/$s"; done
mkdir -p "$out"
dpkg-deb --root-owner-group --build "$root" "$out/touchstone_${version}_$arch.deb"
