#!/usr/bin/env python3
"""Make the wheel: the package, and the library, decoder, plugins and models that `make` built. A build backend for pip, and a program.

    python3 python/build_wheel.py FOLDER
    pip install ./python

Needs nothing but Python. SCRY_BUILD is the folder of the build (build/release of this tree). With SCRY_WHEEL, as `make wheel` sets
it, library and decoder are those of that folder, which look beside themselves for what else they need, glibc apart: it is in the
wheel, too, with the licences that Debian's packages have. The same build gives the same bytes.
"""
import base64
import glob
import hashlib
import os
import re
import subprocess
import sys
import sysconfig
import time
import zipfile

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(HERE)
BUILD = os.environ.get("SCRY_BUILD") or os.path.join(TOP, "build", "release")
WHEEL = os.environ.get("SCRY_WHEEL")
GLIBC = re.compile(r"(lib(c|m|dl|pthread|rt)|ld-linux.*)\.so\..*")
SELF_CONTAINED = ("libscry.so.0", "scry-decode")   # with what they need beside them; the plugins need libraries of the system
PROGRAMS = [*SELF_CONTAINED] + [f"scry-{name}.so" for name in ("fetch", "formats", "milvus", "serve", "thumbs")]


def version():
    with open(os.path.join(TOP, "Makefile"), encoding="utf-8") as f:
        return re.search(r"^VERSION := (\S+)$", f.read(), re.M).group(1)


def metadata():
    with open(os.path.join(HERE, "README.md"), encoding="utf-8") as f:
        readme = f.read()
    return (f"Metadata-Version: 2.1\nName: scry\nVersion: {version()}\nSummary: Find pictures by describing them\nLicense: Apache-2.0\n"
            "Requires-Python: >=3.9\nRequires-Dist: numpy\nProvides-Extra: pil\nRequires-Dist: pillow; extra == 'pil'\n"
            f"Description-Content-Type: text/markdown\n\n{readme}")


def native_files():
    """What is beside the library, by its name there."""
    for name in PROGRAMS:
        path = os.path.join(BUILD, name)
        if WHEEL and os.path.exists(os.path.join(WHEEL, name)):
            path = os.path.join(WHEEL, name)
        if not os.path.exists(path):
            sys.exit(f"build_wheel.py: {path} is not built: run `make` in {TOP} first")
        yield name, path
    for path in sorted(glob.glob(os.path.join(TOP, "models", "**"), recursive=True)):
        if os.path.isfile(path):
            yield os.path.relpath(path, TOP), path


def needed_libraries(paths):
    """The libraries of the system that programs need, glibc's apart: (name, path)."""
    found = {}
    for path in paths:
        said = subprocess.run(["ldd", path], capture_output=True, text=True, check=True).stdout
        for name, where in re.findall(r"^\s*(\S+) => (/\S+)", said, re.M):
            if not GLIBC.fullmatch(name):
                found[name] = os.path.realpath(where)
    return sorted(found.items())


def licence_of(library):
    """The copyright file of a library's Debian package."""
    for path in (library, library.removeprefix("/usr")):
        said = subprocess.run(["dpkg-query", "-S", path], capture_output=True, text=True, check=False).stdout
        licence = f"/usr/share/doc/{said.split(':')[0]}/copyright"
        if said and os.path.exists(licence):
            return licence
    sys.exit(f"build_wheel.py: no Debian package's licence is known for {library}, so it is not put into a wheel")


class Wheel:
    """A wheel that is written: files, then their list."""

    def __init__(self, folder, tag):
        self.info = f"scry-{version()}.dist-info"
        self.tag = tag
        self.name = f"scry-{version()}-{tag}.whl"
        self.records = []
        when = time.gmtime(max(int(os.environ.get("SOURCE_DATE_EPOCH", 0)), 315532800))[:6]   # a zip file begins in 1980
        self.date = when
        self.zip = zipfile.ZipFile(os.path.join(folder, self.name), "w", zipfile.ZIP_DEFLATED)

    def add(self, name, data, executable=False):
        entry = zipfile.ZipInfo(name, self.date)
        entry.external_attr = (0o100755 if executable else 0o100644) << 16
        entry.compress_type = zipfile.ZIP_DEFLATED
        self.zip.writestr(entry, data)
        digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).decode().rstrip("=")
        self.records.append(f"{name},sha256={digest},{len(data)}\n")

    def add_file(self, name, path):
        with open(path, "rb") as f:
            self.add(name, f.read(), os.access(path, os.X_OK))

    def finish(self):
        pure = str(self.tag.endswith("-any")).lower()
        self.add(f"{self.info}/METADATA", metadata().encode())
        self.add(f"{self.info}/WHEEL", f"Wheel-Version: 1.0\nGenerator: scry\nRoot-Is-Purelib: {pure}\nTag: {self.tag}\n".encode())
        self.add_file(f"{self.info}/LICENSE", os.path.join(TOP, "LICENSE"))
        self.records.append(f"{self.info}/RECORD,,\n")
        self.zip.writestr(zipfile.ZipInfo(f"{self.info}/RECORD", self.date), "".join(self.records))
        self.zip.close()
        return self.name


# ---- what pip calls ----

def get_requires_for_build_wheel(config_settings=None):
    return []


get_requires_for_build_editable = get_requires_for_build_wheel


def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    native = list(native_files())
    platform = re.sub(r"[-.]", "_", sysconfig.get_platform())
    wheel = Wheel(wheel_directory, f"py3-none-{platform}")
    package = os.path.join(HERE, "scry")
    for name in sorted(os.listdir(package)):
        if name.endswith((".py", ".typed")):
            wheel.add_file(f"scry/{name}", os.path.join(package, name))
    for name, path in native:
        wheel.add_file(f"scry/native/{name}", path)
    if WHEEL:
        for name, path in needed_libraries(path for name, path in native if name in SELF_CONTAINED):
            wheel.add_file(f"scry/native/{name}", path)
            wheel.add_file(f"{wheel.info}/licenses/{name}.txt", licence_of(path))
    return wheel.finish()


def build_editable(wheel_directory, config_settings=None, metadata_directory=None):
    wheel = Wheel(wheel_directory, "py3-none-any")
    wheel.add("scry.pth", f"{HERE}\n".encode())
    return wheel.finish()


def main():
    if len(sys.argv) != 2:
        sys.exit("usage: build_wheel.py FOLDER")
    os.makedirs(sys.argv[1], exist_ok=True)
    path = os.path.join(sys.argv[1], build_wheel(sys.argv[1]))
    print(f"{path} ({os.path.getsize(path) >> 20} MB): pip install {path}")


if __name__ == "__main__":
    main()
