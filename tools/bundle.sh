#!/bin/sh
# Copy the page as it is embedded: app.js with all modules that it imports in one script (bundle.awk), which are left out, and
# app.css with viewer.css behind it. A browser then asks for one script and one style.
# usage: bundle.sh FOLDER OUT-FOLDER
set -eu
from=$1 to=$2
rm -rf "$to"
mkdir -p "$to"
cp -R "$from/." "$to/"
awk -f "$(dirname "$0")/bundle.awk" "$from/app.js" "$to/.modules" >"$to/app.js"
while read -r module; do
    [ "$module" = "$from/app.js" ] || rm "$to/${module#"$from/"}"
done <"$to/.modules"
cat "$from/viewer.css" >>"$to/app.css"
rm "$to/viewer.css" "$to/.modules"
