#!/bin/sh
# Take the pictures of docs/screenshots anew: the page with the demo gallery, in Chromium.
cd "$(dirname "$0")/.." || exit 1
. tests/browser/setup
browser_run screenshots.mjs && ls -l docs/screenshots
