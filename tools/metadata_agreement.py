#!/usr/bin/env python3
"""Compares the metadata that scry reads with exiftool's.

    make build/release/tests/metadata_dump
    tools/metadata_agreement.py [--list] FOLDER...

For each folder and field (date, camera, place, orientation) a row of a table: files of which either program
tells something, how many agree, and the share. Files that exiftool itself calls damaged are counted
apart. --list prints what differs in the others, one line each. Needs exiftool (Debian:
libimage-exiftool-perl). Fetches nothing. Exits 1 when anything differs in a file that is not damaged.
"""
import argparse
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
from datetime import datetime, timedelta

TOP = pathlib.Path(__file__).resolve().parents[1]
FIELDS = ["date", "camera", "place", "orientation"]
DATES = ["ExifIFD:DateTimeOriginal", "ExifIFD:CreateDate", "IFD0:ModifyDate", "IFD0:DateTimeOriginal", "IFD0:CreateDate",
         "XMP-exif:DateTimeOriginal", "XMP-photoshop:DateCreated", "XMP-exif:DateTimeDigitized", "XMP-xmp:CreateDate",
         "XMP-xmp:ModifyDate", "XMP-tiff:DateTime", "IPTC:DateCreated", "IPTC:DigitalCreationDate", "PNG:CreationTime"]


def exiftool(paths):
    """What exiftool tells of the files: a dictionary by path."""
    with tempfile.NamedTemporaryFile("w", suffix=".args") as f:
        f.write("\n".join(paths) + "\n")
        f.flush()
        out = subprocess.run(["exiftool", "-q", "-json", "-n", "-G1", "-charset", "filename=utf8", "-charset", "exif=utf8", "-@", f.name],
                             capture_output=True, check=False).stdout.decode(errors="replace")
    return {row["SourceFile"]: {k.replace("XML-", "XMP-"): v for k, v in row.items()} for row in json.loads(out or "[]")}


def scry(paths):
    program = pathlib.Path(os.environ.get("SCRY_BUILD", TOP / "build/release")) / "tests/metadata_dump"
    out = subprocess.run([program], input="\n".join(paths) + "\n", text=True, capture_output=True, check=True).stdout
    return dict(zip(paths, map(json.loads, out.splitlines())))


def date_of(text):
    """The wall clock of one of exiftool's dates, or None where it is no date."""
    m = re.match(r"(\d{4})[:/-]?\s?(\d{1,2})[:/-]?\s?(\d{1,2})(?:[ T:]\s?(\d{1,2}):\s?(\d{1,2})(?::\s?(\d{1,2}))?)?", str(text))
    try:
        y, mo, d, h, mi, s = (int(x or 0) for x in m.groups())
        return datetime(y, mo, d, h % 24, mi, s) if y >= 1800 else None
    except (AttributeError, ValueError):
        return None


def expected(row):
    """The fields as scry says that it reads them, of exiftool's tags."""
    out = dict.fromkeys(FIELDS)
    for tag in DATES:
        text = row.get(tag)
        time = row.get(tag.replace("Date", "Time")) if tag.startswith("IPTC") else None
        if tag.startswith("XMP") and re.fullmatch(r"\d{4}(:\d\d)?", str(text)):   # a year, or a month
            text = f"{text}:01:01"[:10]
        out["date"] = out["date"] or date_of(f"{text} {time}" if time else text)
    gps = [date_of(row.get(tag)) for tag in ("Composite:GPSDateTime", "XMP-exif:GPSDateTime", "GPS:GPSDateStamp")]
    out["date"] = out["date"] or next((d for d in gps if d and d >= datetime(1980, 1, 7)), None)   # when GPS began
    group = "IFD0" if "IFD0:Make" in row or "IFD0:Model" in row else "XMP-tiff"
    make, model = (" ".join(str(row.get(f"{group}:{t}", "")).split()) for t in ("Make", "Model"))
    if make or model:
        repeated = make and model.lower().startswith(make.split()[0].lower())
        out["camera"] = (model if repeated else f"{make} {model}").strip() or None
    for group in ("Composite", "XMP-exif"):
        lat, lon = (row.get(f"{group}:GPS{x}") for x in ("Latitude", "Longitude"))
        if out["place"] is None and isinstance(lat, (int, float)) and isinstance(lon, (int, float)) and (lat or lon):
            out["place"] = (lat, lon)
    out["orientation"] = next((row[t] for t in ("IFD0:Orientation", "XMP-tiff:Orientation")
                               if row.get(t) in range(1, 9)), None)
    return out


def found(row):
    return {"date": datetime(1970, 1, 1) + timedelta(seconds=row["taken_at"]) if "taken_at" in row else None,
            "camera": " ".join(row.get("camera", "").split()) or None,
            "place": (row["latitude"], row["longitude"]) if "latitude" in row else None,
            "orientation": row.get("orientation") or None}


def agree(field, a, b):
    if a is None or b is None:
        return a is b
    if field == "place":
        return all(abs(x - y) < 1e-5 for x, y in zip(a, b))
    if field == "camera":   # scry cuts at 63 bytes
        return a == b or len(b.encode()) >= 60 and a.startswith(b)
    return a == b


def is_damaged(row):
    texts = [str(v) for k, v in row.items() if k in ("ExifTool:Warning", "ExifTool:Error")]
    return any(not t.startswith("[minor]") for t in texts)


def compare(folder, listing):
    paths = sorted(str(p) for p in pathlib.Path(folder).rglob("*") if p.is_file() and "\n" not in str(p))
    ours = {p: r for p, r in scry(paths).items() if "format" in r}
    theirs = exiftool(list(ours))
    bad = 0
    for field in FIELDS:
        told, same = [0, 0], [0, 0]   # of sound files, of damaged ones
        for path, row in ours.items():
            other = theirs.get(path, {})
            want, got, damaged = expected(other)[field], found(row)[field], is_damaged(other)
            told[damaged] += want is not None or got is not None
            if agree(field, want, got):
                same[damaged] += want is not None
            elif not damaged:
                bad += 1
                if listing:
                    print(f"{os.path.relpath(path, folder)}\t{field}\texiftool {want}\tscry {got} {row.get('taken_source', '')}")
        share = 100 * same[0] / told[0] if told[0] else 100
        print(f"| {os.path.basename(os.path.normpath(folder))} | {len(ours)} | {field} | {told[0]} | {same[0]} | {share:.1f} % "
              f"| {told[1]} | {same[1]} |")
    return bad


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--list", action="store_true")
    p.add_argument("folders", nargs="+")
    a = p.parse_args()
    print("| collection | pictures | field | told | equal | | of damaged ones, told | equal |\n|-|-|-|-|-|-|-|-|")
    return 1 if sum(compare(f, a.list) for f in a.folders) else 0


if __name__ == "__main__":
    sys.exit(main())
