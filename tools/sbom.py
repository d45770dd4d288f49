#!/usr/bin/env python3
"""sbom.py BUILD OUT - what the program consists of, as SPDX 2.3 in JSON: a software bill of materials.

Made of what is stated elsewhere, so that it cannot say something else: the files and licences of debian/copyright, the parts of the
starter in its model card, and the libraries that the programs in BUILD are linked with, by their dynamic sections; on Debian
each with the package and version that it is from here. The same tree and libraries give the same bytes. Needs readelf.
"""
import datetime
import email.utils
import functools
import glob
import hashlib
import json
import os
import re
import subprocess
import sys

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
# Names of debian/copyright and of model cards, as SPDX has them.
LICENCES = {"Expat": "MIT", "Unicode": "Unicode-DFS-2016", "Unicode licence": "Unicode-DFS-2016", "MIT": "MIT", "Apache-2.0": "Apache-2.0",
            "CC-BY-4.0": "CC-BY-4.0", "CC BY 4.0": "CC-BY-4.0", "CC0 1.0": "CC0-1.0"}
# Stanzas of debian/copyright that are no part of what is installed.
SOURCES_ONLY = ("tests/",)
# What is opened when it is there, by name: no dynamic section has it.
OPENED = {"libcrypto.so.3": "libscry.so.0", "libtesseract.so.5": "scry-decode"}
NONE = "NOASSERTION"


def expression(text):
    """A licence as SPDX writes it."""
    names = [LICENCES.get(n.strip()) for n in re.split(r"\band\b|,", text)]
    return " AND ".join(sorted(set(names))) if all(names) else NONE


def identifier(*parts):
    return "SPDXRef-" + re.sub(r"[^A-Za-z0-9.-]+", "-", "-".join(parts)).strip("-")


def stanzas():
    """The "Files" paragraphs of debian/copyright: patterns, copyright, licence, comment."""
    for paragraph in open(f"{TOP}/debian/copyright", encoding="utf-8").read().split("\n\n"):
        fields, last = {}, None
        for line in paragraph.splitlines():
            if line.startswith(" ") and last:
                fields[last] += "\n" + line.strip()
            else:
                last, _, value = line.partition(":")
                fields[last] = value.strip()
        if "Files" in fields:
            yield fields


def file_entry(path):
    with open(f"{TOP}/{path}", "rb") as f:
        data = f.read()
    return {"fileName": f"./{path}", "SPDXID": identifier("File", path), "licenseConcluded": NONE, "copyrightText": NONE,
            "checksums": [{"algorithm": "SHA1", "checksumValue": hashlib.sha1(data).hexdigest()},
                          {"algorithm": "SHA256", "checksumValue": hashlib.sha256(data).hexdigest()}]}


def package(name, version, licence, copyright_text=NONE, **more):
    return {"name": name, "SPDXID": identifier("Package", name), "versionInfo": version, "downloadLocation": NONE, "filesAnalyzed": False,
            "licenseConcluded": licence, "licenseDeclared": licence, "copyrightText": copyright_text or NONE, **more}


def needed(path):
    """The libraries that a program names in its dynamic section."""
    out = subprocess.run(["readelf", "-d", path], capture_output=True, text=True, check=True, env={**os.environ, "LC_ALL": "C"}).stdout
    return re.findall(r"\(NEEDED\).*\[(.*)\]", out)


@functools.lru_cache(None)
def is_for_this_machine(program):
    machine = subprocess.run(["readelf", "-h", program], capture_output=True, text=True, check=True).stdout
    return os.uname().machine.replace("_", "-") in machine.lower().replace("_", "-")


@functools.lru_cache(None)
def debian_package(library):
    """(package, version, architecture) of a library here, or None."""
    try:
        cache = subprocess.run(["/sbin/ldconfig", "-p"], capture_output=True, text=True, check=True).stdout
        path = re.search(rf"^\s*{re.escape(library)} .*=> (\S+)", cache, re.M)
        real = os.path.realpath(path.group(1))
        for candidate in (real, real.removeprefix("/usr"), path.group(1)):
            found = subprocess.run(["dpkg-query", "-S", candidate], capture_output=True, text=True, check=False).stdout
            if found:
                name = found.split(": ")[0].split(",")[0]
                said = subprocess.run(["dpkg-query", "-W", "-f", "${Package}\t${Version}\t${Architecture}", name], capture_output=True,
                                      text=True, check=True).stdout
                return tuple(said.split("\t"))
    except (AttributeError, OSError, subprocess.CalledProcessError):
        pass
    return None


def library_package(library, program):
    known = debian_package(library) if is_for_this_machine(program) else None
    if not known:
        return package(library, NONE, NONE)
    name, version, architecture = known
    made = package(name, version, NONE, comment=f"The library {library}, by Debian's package where this was built.")
    made["externalRefs"] = [{"referenceCategory": "PACKAGE-MANAGER", "referenceType": "purl",
                             "referenceLocator": f"pkg:deb/debian/{name}@{version.replace('+', '%2B').replace(':', '%3A')}?arch={architecture}"}]
    return made


def starter_parts():
    """The rows of the table "Parts" in the starter's model card: (part, from, licence)."""
    card = open(f"{TOP}/models/starter/MODEL_CARD.md", encoding="utf-8").read()
    table = card.split("## Parts\n", 1)[1].split("\n\n", 1)[0]
    for row in table.splitlines()[2:]:
        yield [cell.strip().replace("`", "") for cell in row.strip("|").split("|")]


class Document:
    def __init__(self, version):
        self.version, self.packages, self.files, self.relations = version, {}, {}, []

    def add(self, made):
        return self.packages.setdefault(made["SPDXID"], made)["SPDXID"]

    def relate(self, a, kind, b, comment=None):
        entry = {"spdxElementId": a, "relationshipType": kind, "relatedSpdxElement": b}
        if comment:
            entry["comment"] = comment
        if entry not in self.relations:
            self.relations.append(entry)

    def add_sources(self):
        """A package for each part of the tree with a licence of its own; scry itself first."""
        main = None
        for fields in stanzas():
            patterns = [p for p in fields["Files"].split() if not p.startswith(SOURCES_ONLY)]
            if patterns == ["*"]:
                main = self.add(package("scry", self.version, expression(fields["License"]), fields["Copyright"],
                                        supplier="Organization: The scry developers", primaryPackagePurpose="APPLICATION"))
                continue
            name = os.path.dirname(patterns[0]) if patterns[0].endswith("*") else patterns[0]
            paths = sorted(os.path.relpath(p, TOP) for pattern in patterns for p in glob.glob(f"{TOP}/{pattern}") if os.path.isfile(p))
            made = package(f"scry: {name}", self.version, expression(fields["License"]), fields["Copyright"].replace("\n", "; "))
            if fields.get("Comment"):
                made["comment"] = fields["Comment"].replace("\n", " ")
            sums = sorted(self.files.setdefault(p, file_entry(p))["checksums"][0]["checksumValue"] for p in paths)
            made["filesAnalyzed"] = True
            made["packageVerificationCode"] = {"packageVerificationCodeValue": hashlib.sha1("".join(sums).encode()).hexdigest()}
            made["licenseInfoFromFiles"] = [NONE]
            part = self.add(made)
            self.relate(main, "CONTAINS", part)
            for p in paths:
                self.relate(part, "CONTAINS", self.files[p]["SPDXID"])
        starter = identifier("Package", "scry: models/starter")
        for part, source, licence in starter_parts():
            made = package(f"starter: {part}", NONE, expression(licence), comment=f"From {source}. Licence as the model card states it: {licence}.")
            self.relate(starter, "GENERATED_FROM", self.add(made))
        return main

    def add_libraries(self, build, main):
        for program in sorted(p for p in ["scry", "scry-decode", "libscry.so.0", *(os.path.basename(p) for p in glob.glob(f"{build}/scry-*.so"))]):
            plugin = program.startswith("scry-") and program.endswith(".so")
            for library in sorted(needed(f"{build}/{program}")):
                if library != "libscry.so.0":
                    other = self.add(library_package(library, f"{build}/{program}"))
                    if plugin:
                        self.relate(other, "OPTIONAL_DEPENDENCY_OF", main, f"{program}, a plugin")
                    else:
                        self.relate(main, "DYNAMIC_LINK", other, program)
        for library, program in OPENED.items():
            other = self.add(library_package(library, f"{build}/{program}"))
            self.relate(other, "OPTIONAL_DEPENDENCY_OF", main, f"{program} opens {library} where it is")

    def text(self, created):
        body = {"packages": list(self.packages.values()), "files": list(self.files.values()), "relationships": self.relations}
        digest = hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()
        return json.dumps({
            "spdxVersion": "SPDX-2.3", "dataLicense": "CC0-1.0", "SPDXID": "SPDXRef-DOCUMENT", "name": f"scry-{self.version}",
            "documentNamespace": f"https://scry.invalid/spdx/scry-{self.version}-{digest}",
            "creationInfo": {"created": created, "creators": ["Tool: tools/sbom.py"]}, **body}, indent=1, ensure_ascii=False) + "\n"


def created():
    """$SOURCE_DATE_EPOCH, else the time of debian/changelog, so that it does not depend on when it is made."""
    given = os.environ.get("SOURCE_DATE_EPOCH")
    line = re.search(r"^ -- .*>  (.*)$", open(f"{TOP}/debian/changelog", encoding="utf-8").read(), re.M).group(1)
    moment = datetime.datetime.fromtimestamp(int(given), datetime.timezone.utc) if given else email.utils.parsedate_to_datetime(line)
    return moment.astimezone(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__.splitlines()[0])
    version = re.search(r"^VERSION := (.*)$", open(f"{TOP}/Makefile", encoding="utf-8").read(), re.M).group(1)
    document = Document(version)
    top = document.add_sources()
    document.relate("SPDXRef-DOCUMENT", "DESCRIBES", top)
    document.add_libraries(sys.argv[1], top)
    with open(sys.argv[2], "w", encoding="utf-8") as out:
        out.write(document.text(created()))


if __name__ == "__main__":
    main()
