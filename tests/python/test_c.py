"""The package's view of the C interface against the headers: sizes, offsets, constants, numbers of parameters."""
import ctypes
import glob
import os
import re
import shutil
import subprocess

import pytest

from conftest import TOP
from scry import _c

HEADERS = sorted(glob.glob(f"{TOP}/include/scry/*.h"))


def declarations():
    """The text of all headers without comments."""
    return re.sub(r"/\*.*?\*/", " ", "".join(open(h, encoding="utf-8").read() for h in HEADERS), flags=re.S)


@pytest.fixture(scope="module")
def from_c(tmp_path_factory):
    """What the compiler makes of the headers: "name" -> numbers."""
    compiler = next((c for c in (os.environ.get("CC"), "gcc", "clang", "cc") if c and shutil.which(c)), None)
    assert compiler, "a C compiler is needed"
    lines = [f'#include "scry/{os.path.basename(h)}"' for h in HEADERS] + ["#include <stdio.h>", "#include <stddef.h>", "int main(void) {"]
    for name, structure in _c.STRUCTURES.items():
        lines.append(f'printf("{name} %zu 0\\n", sizeof({name}));')
        for field, *_ in structure._fields_:
            lines.append(f'printf("{name}.{field} %zu %zu\\n", offsetof({name}, {field}), sizeof((({name} *)0)->{field}));')
    for name in _c.CONSTANTS:
        lines.append(f'printf("{name} %d 0\\n", (int){name});')
    folder = tmp_path_factory.mktemp("c")
    (folder / "sizes.c").write_text("\n".join(lines + ["return 0; }"]))
    subprocess.run([compiler, "-std=gnu11", f"-I{TOP}/include", "-o", str(folder / "sizes"), str(folder / "sizes.c")], check=True)
    out = subprocess.run([str(folder / "sizes")], check=True, capture_output=True, text=True).stdout
    return {name: (int(a), int(b)) for name, a, b in (line.split() for line in out.splitlines())}


@pytest.mark.parametrize("name", sorted(_c.STRUCTURES))
def test_structures_are_those_of_the_headers(name, from_c):
    structure = _c.STRUCTURES[name]
    assert ctypes.sizeof(structure) == from_c[name][0]
    for field, kind, *_ in structure._fields_:
        assert (getattr(structure, field).offset, ctypes.sizeof(kind)) == from_c[f"{name}.{field}"], field


def test_constants_are_those_of_the_headers(from_c):
    assert {name: from_c[name][0] for name in _c.CONSTANTS} == _c.CONSTANTS


@pytest.mark.parametrize("name", sorted(_c.FUNCTIONS))
def test_functions_take_what_the_headers_declare(name):
    found = re.search(rf"(\w+[ *]+)\b{name}\(((?:[^()]|\([^()]*\))*)\)", declarations())
    assert found, "it is in no header"
    result, arguments = _c.FUNCTIONS[name]
    flat = re.sub(r"\([^()]*\)", "", found.group(2))
    assert len(arguments) == (0 if flat.strip() == "void" else flat.count(",") + 1)
    assert (result is None) == (found.group(1).strip() == "void")
    assert (result is ctypes.c_double) == (found.group(1).strip() == "double")


def test_each_callback_takes_as_many_arguments():
    text = declarations()
    for structure, field, kind in (("scry_embed_options", "failed", _c.EmbedFailed), ("scry_embed_options", "progress", _c.EmbedProgress),
                                   ("scry_index_options", "progress", _c.IndexProgress), ("scry_index_options", "skipped", _c.IndexSkipped),
                                   ("scry_pull_options", "progress", _c.PullProgress), ("scry_milvus_choice", "waiting", _c.MilvusWaiting)):
        body = re.search(rf"typedef struct {structure} \{{(.*?)\}} {structure};", text, re.S).group(1)
        found = re.search(rf"\(\*{field}\)\(([^)]*)\)", body).group(1)
        assert len(kind._argtypes_) == found.count(",") + 1, (structure, field)
