# bundle.awk - one script of a module and of all that it imports, so that a browser asks for one file in place of thirty.
#
#     awk -f tools/bundle.awk web/app.js >app.js
#
# Each module becomes a function that is called once, in the order in which the imports need it, and returns what it exports:
#
#     import { request, thumbnail as small } from './api.js';    const { request, thumbnail: small } = m_api;
#     export function request(path) {                            function request(path) {
#
# An import or export is one line in one of these forms; `export const` has one name. Anything else, a circle, and a name that is
# imported and not exported end the build.

function fail(message) {
    print "bundle.awk: " message >"/dev/stderr"
    failed = 1
    exit 1
}

# "a, b as c" -> "a, b: c"; every name must be an export of the module.
function names_of(list, module, path,    parts, n, i, words, out) {
    n = split(list, parts, /, */)
    for (i = 1; i <= n; i++) {
        split(parts[i], words, / +as +/)
        if (!((module, words[1]) in exported))
            fail(path ": " module ".js does not export " words[1])
        out = out (i > 1 ? ", " : "") words[1] (words[2] ? ": " words[2] : "")
    }
    return out
}

function import_line(line, path, folder,    list, module) {
    if (line !~ /^import \{ .* \} from '\.\/[a-z0-9_]+\.js';$/)
        fail(path ": not a form of import that is known: " line)
    list = module = line
    sub(/^import \{ /, "", list)
    sub(/ \} from .*$/, "", list)
    sub(/^.* from '\.\//, "", module)
    sub(/\.js';$/, "", module)
    bundle(folder module ".js", module, folder, 0)
    return "const { " names_of(list, module, path) " } = m_" module ";"
}

# The line without `export`, whose name is noted.
function export_line(line, path, module,    name) {
    sub(/^export /, "", line)
    name = line
    if (!sub(/^(async function|function|class|const) /, "", name) || !match(name, /^[A-Za-z_$][A-Za-z0-9_$]*/))
        fail(path ": not a form of export that is known: " line)
    name = substr(name, 1, RLENGTH)
    exported[module, name] = 1
    exports[module] = exports[module] (exports[module] ? ", " : "") name
    return line
}

# Writes the module, behind those that it imports.
function bundle(path, module, folder, top,    line, body, got) {
    if (state[module] == "open")
        fail(path ": imports go in a circle")
    if (state[module])
        return
    state[module] = "open"
    while ((got = (getline line <path)) > 0) {
        if (line ~ /^import/)
            line = import_line(line, path, folder)
        else if (line ~ /^export/)
            line = export_line(line, path, module)
        body = body line "\n"
    }
    if (got < 0)
        fail(path ": cannot be read")
    close(path)
    state[module] = "done"
    if (top)
        printf "%s", body
    else
        printf "const m_%s = (() => {\n%sreturn { %s };\n})();\n", module, body, exports[module]
    print path >used
}

BEGIN {
    path = folder = ARGV[1]
    used = ARGV[2] ? ARGV[2] : "/dev/null"
    sub(/[^\/]*$/, "", folder)
    bundle(path, "app", folder, 1)
    exit failed
}
