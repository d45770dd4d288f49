#!/usr/bin/env python3
"""headers.py [--write] DIR: compares what scry reads of the pictures in DIR with headers.tsv, which says of each what is right.

The last column is "exiftool" where it reads the same date, camera, place and orientation, else why scry differs. Where exiftool is
installed it is asked again. --write prints the table anew, with the remarks of the old one. Prints what differs; exits 1 then."""
import importlib.util
import pathlib
import shutil
import sys

HERE = pathlib.Path(__file__).resolve().parent
spec = importlib.util.spec_from_file_location("agreement", HERE.parents[1] / "tools/metadata_agreement.py")
agreement = importlib.util.module_from_spec(spec)
spec.loader.exec_module(agreement)
TEXTS = ["title", "description", "keywords", "rating", "lens"]


def rows_of(paths):
    """By file name, the columns as text."""
    out = {}
    for path, row in agreement.scry(paths).items():
        f = agreement.found(row)
        place = "{:.5f} {:.5f}".format(*f["place"]) if f["place"] else ""
        date = f["date"].isoformat(" ") if f["date"] else ""
        texts = [str(row.get(k, "")).replace("\n", "; ") for k in TEXTS]
        out[pathlib.Path(path).name] = [date, f["camera"] or "", place, str(f["orientation"] or ""), *texts]
    return out


def same_as_exiftool(paths):
    """The names of which exiftool says the same."""
    theirs, ours = agreement.exiftool(paths), agreement.scry(paths)
    return {pathlib.Path(p).name for p in paths
            if all(agreement.agree(f, agreement.expected(theirs.get(p, {}))[f], agreement.found(ours[p])[f]) for f in agreement.FIELDS)}


def main():
    writing = sys.argv[1] == "--write"
    paths = sorted(str(p) for p in pathlib.Path(sys.argv[-1]).iterdir())
    golden, table = {}, HERE / "headers.tsv"
    for line in table.read_text(encoding="utf-8").splitlines() if table.exists() else []:
        if not line.startswith("#"):
            name, *columns = line.split("\t")
            golden[name] = columns
    rows = rows_of(paths)
    asked = bool(shutil.which("exiftool"))
    same = same_as_exiftool(paths) if asked else set()
    wrong = 0
    if writing:
        print("# file\tdate\tcamera\tplace\torientation\t" + "\t".join(TEXTS) + "\tas exiftool has it, or why not")
    for name in sorted(set(rows) | set(golden)):
        remark = golden.get(name, [""])[-1]
        if writing:
            print("\t".join([name, *rows[name], "exiftool" if name in same else remark if remark != "exiftool" else "?"]))
        elif rows.get(name) != golden.get(name, [None])[:-1]:
            wrong += 1
            print(f"{name}: scry {rows.get(name)}, right {golden.get(name)}")
        elif asked and remark == "exiftool" and name not in same:
            wrong += 1
            print(f"{name}: exiftool differs")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
