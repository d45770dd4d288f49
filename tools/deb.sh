#!/bin/sh
# deb.sh VERSION - make dist/scry_VERSION_ARCH.deb of what make has built.
#
# `make install` into a folder with the layout of Debian, dependencies by dpkg-shlibdeps (plugins
# and the decoder included), packed by dpkg-deb. The same tree gives the same bytes.
set -eu
cd "$(dirname "$0")/.."
version=$1
arch=$(dpkg --print-architecture)
triplet=$(dpkg-architecture -qDEB_HOST_MULTIARCH)
stage=build/deb/scry
SOURCE_DATE_EPOCH=$(git log -1 --format=%ct 2>/dev/null || echo 1700000000)
export SOURCE_DATE_EPOCH

rm -rf build/deb
mkdir -p "$stage/DEBIAN" build/deb/debian dist
make --no-print-directory -s install PREFIX=/usr libdir="/usr/lib/$triplet" zshdir=/usr/share/zsh/vendor-completions DESTDIR="$stage"
find "$stage" -type d -exec chmod 755 {} +
strip --strip-unneeded "$stage"/usr/bin/scry "$stage"/usr/libexec/scry/* "$stage/usr/lib/$triplet"/libscry.so.*
strip --strip-debug "$stage/usr/lib/$triplet/libscry.a"
find "$stage/usr/share/man" -name "*.1" -exec gzip -9n {} +
find "$stage/usr" -type d -empty -delete

doc=$stage/usr/share/doc/scry
mkdir -p "$doc"
printf 'scry (%s) unstable; urgency=medium\n\n  * Built from its source tree.\n\n -- The scry developers <maintainers@scry.invalid>  %s\n' \
    "$version" "$(date -u -R -d "@$SOURCE_DATE_EPOCH")" | gzip -9n >"$doc/changelog.gz"
{
    printf 'Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\nUpstream-Name: scry\n\n'
    printf 'Files: *\nCopyright: 2026 the scry developers\nLicense: Apache-2.0\n'
    printf ' On Debian systems the text is in /usr/share/common-licenses/Apache-2.0.\n'
    [ ! -f models/starter/MODEL_CARD.md ] ||
        printf '\nComment: the names of places in libscry are from GeoNames, CC BY 4.0;\n the licences of what the starter model was made from are in\n /usr/share/scry/models/starter/MODEL_CARD.md.\n'
    printf '\nFiles: usr/share/scry/models/words/*\nCopyright: Baidu and the rights holders of PaddleOCR\nLicense: Apache-2.0\n'
    printf ' Converted; what was changed is in /usr/share/scry/models/words/README.md.\n'
} >"$doc/copyright"

# dpkg-shlibdeps wants a debian/control, and our own library among those that it knows.
printf 'Source: scry\nMaintainer: x <x@localhost>\n\nPackage: scry\nArchitecture: any\nDescription: x\n' >build/deb/debian/control
printf 'libscry 0 scry (>= %s)\n' "$version" >build/deb/debian/shlibs.local
depends=$(cd build/deb && dpkg-shlibdeps -O -xscry -l"scry/usr/lib/$triplet" scry/usr/bin/scry scry/usr/libexec/scry/* \
    scry/usr/lib/"$triplet"/libscry.so.* 2>/dev/null | sed -n 's/^shlibs:Depends=//p')
cat >"$stage/DEBIAN/control" <<END
Package: scry
Version: $version
Architecture: $arch
Maintainer: The scry developers <maintainers@scry.invalid>
Installed-Size: $(du -sk --exclude=DEBIAN "$stage" | cut -f1)
Depends: $depends
Section: graphics
Priority: optional
Description: find pictures by describing them
 scry indexes folders of photographs with a CLIP model and finds them again by
 a description, by an example or by both: on the command line, in a web page,
 or through a C library. It brings a small model of its own and needs neither
 Python nor a network.
END
printf 'libscry 0 scry (>= %s)\n' "$version" >"$stage/DEBIAN/shlibs"
printf 'activate-noawait ldconfig\n' >"$stage/DEBIAN/triggers"
(cd "$stage" && find usr -type f -print0 | sort -z | xargs -0 md5sum >DEBIAN/md5sums)
chmod 644 "$stage"/DEBIAN/*
deb=dist/scry_${version}_$arch.deb
find "$stage" -newermt "@$SOURCE_DATE_EPOCH" -exec touch -h -d "@$SOURCE_DATE_EPOCH" {} +
dpkg-deb --root-owner-group -Zxz -z2 --build "$stage" "$deb"
echo "$deb ($(du -h "$deb" | cut -f1)): sudo apt-get install ./$deb"
