#!/bin/sh
# sbom.sh - the bill of materials: what SPDX asks for, every library that the programs are linked with, every licence of debian/copyright.
. "$(dirname "$0")/lib.sh"
case $SCRY_BUILD in
*/release) ;;
*)
    echo '1..0 # SKIP made of the release build'
    exit 0
    ;;
esac
sbom() { python3 "$SCRY_TOP/tools/sbom.py" "$SCRY_BUILD" "$1"; }
ok "it is made" sbom "$T/a.json"
sleep 1
ok "... again" sbom "$T/b.json"
ok "... the same bytes" cmp "$T/a.json" "$T/b.json"
python3 - "$T/a.json" "$SCRY_TOP" >"$T/out" 2>&1 <<'P'
import hashlib, json, re, sys
d = json.load(open(sys.argv[1], encoding="utf-8"))
packages = {p["SPDXID"]: p for p in d["packages"]}
files = {f["SPDXID"]: f for f in d["files"]}
known = {"SPDXRef-DOCUMENT", *packages, *files}
assert len(packages) == len(d["packages"]) and len(files) == len(d["files"]), "identifiers are not unique"
assert all(re.fullmatch(r"SPDXRef-[A-Za-z0-9.-]+", i) for i in known), "an identifier has other characters"
assert all(r["spdxElementId"] in known and r["relatedSpdxElement"] in known for r in d["relationships"]), "a relation to nothing"
assert all(p["licenseDeclared"] != "NOASSERTION" for p in packages.values() if p["name"].startswith("scry")), "a licence is not known"
for p in packages.values():
    if p["filesAnalyzed"]:
        inside = [files[r["relatedSpdxElement"]] for r in d["relationships"] if r["spdxElementId"] == p["SPDXID"] and r["relationshipType"] == "CONTAINS"]
        assert inside, p["name"]
        for f in inside:
            data = open(f'{sys.argv[2]}/{f["fileName"]}', "rb").read()
            assert f["checksums"] == [{"algorithm": "SHA1", "checksumValue": hashlib.sha1(data).hexdigest()},
                                      {"algorithm": "SHA256", "checksumValue": hashlib.sha256(data).hexdigest()}], f["fileName"]
names = {f["fileName"] for f in files.values()}
assert {"./models/starter/model.safetensors", "./models/words/words.safetensors", "./models/clip-bpe/merges.txt", "./places/places.bin"} <= names, names
print("well")
P
is "it is whole: identifiers, relations, licences, checksums" "$(tail -n 1 "$T/out")" well
for program in scry scry-decode libscry.so.0 scry-milvus.so; do
    readelf -d "$SCRY_BUILD/$program" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p' | grep -v libscry | while read -r library; do
        grep -q "The library $library,\|\"name\": \"$library\"" "$T/a.json" ||
            { path=$(ldconfig -p | sed -n "s/^[[:space:]]*$library .*=> //p" | head -n 1)
              package=$(dpkg-query -S "$(realpath "$path")" 2>/dev/null || dpkg-query -S "$path" 2>/dev/null)
              grep -q "\"name\": \"${package%%:*}\"" "$T/a.json" || echo "$program: $library"; }
    done
done >"$T/missing"
is "every library that a program is linked with is in it" "$(cat "$T/missing")" ''
if command -v pyspdxtools >/dev/null; then
    ok "spdx-tools takes it" pyspdxtools -i "$T/a.json"
fi
done_testing
