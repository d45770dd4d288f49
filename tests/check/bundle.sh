#!/bin/sh
# tools/bundle.awk: what it makes of modules, and what it refuses.
cd "$(dirname "$0")/../.." || exit 1
T=$(mktemp -d) || exit 1
trap 'rm -rf "$T"' EXIT
count=0 failed=0
report() { # STATUS NAME
    count=$((count + 1))
    if [ "$1" = 0 ]; then echo "ok $count - $2"; else failed=$((failed + 1)); echo "not ok $count - $2"; fi
}
bundle() { awk -f tools/bundle.awk "$T/app.js" "$T/used" >"$T/out" 2>"$T/err"; }
refused() { # NAME PATTERN
    bundle && status=0 || status=1
    [ $status = 1 ] && grep -q "$2" "$T/err"
    report $? "$1"
    cat "$T/err" | sed 's/^/# /'
}

cat >"$T/base.js" <<'END'
// The base.
let calls = 0;
export const $ = n => n + 1;
export async function later(n) {
  calls++;
  return n * 2;
}
export class Thing { name() { return 'thing ' + calls; } }
END
cat >"$T/middle.js" <<'END'
import { $, later as after } from './base.js';
export const both = async n => $(n) + await after(n);
END
cat >"$T/app.js" <<'END'
import { Thing } from './base.js';
import { both } from './middle.js';
const $ = await both(3);
console.log($, new Thing().name());
END
bundle
report $? "three modules"
sed 's,.*/,,' "$T/used" | tr '\n' ' ' | grep -q 'base.js middle.js app.js $'
report $? "each once, what is imported first"
! grep -E '^(import|export)' "$T/out"
report $? "nothing is imported"
if command -v node >/dev/null; then
    cp "$T/out" "$T/out.mjs"
    [ "$(node "$T/out.mjs")" = "10 thing 1" ]
    report $? "it does what they do"
fi
echo "import { nothing } from './base.js';" >"$T/app.js"
refused "a name that is not exported" 'app.js: base.js does not export nothing'
echo "import * as all from './base.js';" >"$T/app.js"
refused "another form of import" 'app.js: not a form of import'
echo "import { x } from './gone.js';" >"$T/app.js"
refused "a module that is not there" 'gone.js: cannot be read'
echo "import { a } from './circle.js';" >"$T/app.js"
printf "import { both } from './around.js';\nexport const a = 1;\n" >"$T/circle.js"
printf "import { a } from './circle.js';\nexport const both = 1;\n" >"$T/around.js"
refused "a circle" 'circle.js: imports go in a circle'
echo "import { a } from './bad.js';" >"$T/app.js"
echo "export { a };" >"$T/bad.js"
refused "another form of export" 'bad.js: not a form of export'
echo "1..$count"
[ $failed = 0 ]
