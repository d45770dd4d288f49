#!/usr/bin/env python3
"""Write tests/golden/places.tsv: positions, and in which country and region they are, by another program and by hand.

    pip install shapely==2.1.2
    apt-get download qgis-common      # Debian 12
    tests/golden/make_places.py qgis-common_*.deb

The first part is written by hand, from maps: deserts, mountains, islands, twin towns on two sides of a border, the poles. The others are
points of Natural Earth's outlines as QGIS has them, by shapely: in the interior of provinces, some 5 km from any border; and off
the coast, up to 5 km. A region is named where its country's regions are those of GeoNames.
"""
import io
import os
import random
import sqlite3
import subprocess
import sys
import tarfile
import tempfile

import shapely

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
SAME_REGIONS = set("US CA AU BR MX DE AT CN JP ZA NG MN NA BO PE".split())
INTERIOR, COAST = 250, 120
BY_HAND = """
36.06 -112.14 US Arizona|36.505 -117.079 US California|44.46 -110.83 US Wyoming|63.07 -151.0 US Alaska|19.82 -155.47 US Hawaii|52.9 173.0 US Alaska
38.73 -109.59 US Utah|40.0 -117.0 US Nevada|48.7 -113.8 US Montana|29.25 -103.25 US Texas|25.2 -80.9 US Florida|47.97 -123.5 US Washington
-25.344 131.036 AU Northern Territory|-28.0 140.5 AU South Australia|-23.0 125.0 AU Western Australia|-42.0 146.0 AU Tasmania|-16.0 145.3 AU Queensland
31.10 -4.01 MA|25.5 9.0 DZ|23.3 5.5 DZ|27.0 25.0 EG|29.2 25.5 EG|24.0 -10.0 MR|18.0 11.0 NE|22.0 18.0 TD|26.0 14.0 LY|20.0 50.0 SA|43.5 104.0 MN|39.0 82.0 CN Xinjiang
32.0 85.0 CN Tibet|-23.9 -68.2 CL Antofagasta|-20.2 -67.6 BO|-24.73 15.34 NA|-21.0 22.0 BW|-18.5 17.0 NA|31.0 57.5 IR|43.0 58.0 UZ|46.0 70.0 KZ|38.5 59.5 TM
28.0 86.85 NP|-3.0674 37.3556 TZ Kilimanjaro|-50.94 -73.2 CL Magallanes Region|-50.49 -73.05 AR Santa Cruz|-2.33 34.83 TZ|47.4 11.0 DE Bavaria|46.6 8.0 CH
45.92 6.87 FR|43.35 42.45 RU|56.06 160.64 RU Kamchatka|53.15 107.4 RU Irkutsk|66.0 -172.0 RU Chukotka|71.2 -179.5 RU Chukotka|68.0 100.0 RU Krasnoyarsk
60.0 90.0 RU Krasnoyarsk|65.0 130.0 RU Sakha|62.0 40.0 RU Arkhangelsk|73.0 55.0 RU Arkhangelsk|50.0 87.5 RU Altai|51.2 58.5 RU Orenburg
71.1 25.78 NO|68.2 14.0 NO|78.22 15.65 SJ|64.2 -17.0 IS|72.0 -40.0 GL|69.2 -51.1 GL|80.0 -85.0 CA Nunavut|61.0 -125.0 CA Northwest Territories
51.2 -115.6 CA Alberta|53.0 -132.0 CA British Columbia|54.0 -65.0 CA|46.5 -60.5 CA Nova Scotia|-77.85 166.67 AQ|-90 0 AQ|-89 120 AQ|-78.5 -85.6 AQ
-16.85 -179.97 FJ|-27.12 -109.35 CL|-0.7 -90.3 EC|-21.1 55.5 RE|-49.35 70.22 TF|3.2 73.2 MV|4.17 73.5 MV|-4.68 55.48 SC|-17.5 -149.5 PF|1.87 -157.4 KI
28.3 -16.55 ES|37.75 -25.5 PT|32.75 -17.0 PT|36.39 25.46 GR|35.3 24.9 GR|42.2 9.1 FR|40.1 9.1 IT|-54.28 -36.5 GS|-51.7 -59.0 FK|18.0 -76.7 JM
47.5596 7.5886 CH|47.593 7.611 DE|48.573 7.815 DE|48.583 7.745 FR|42.3314 -83.0458 US Michigan|42.31 -83.03 CA Ontario|31.7587 -106.4869 US Texas|31.69 -106.42 MX Chihuahua
32.56 -117.05 US California|32.51 -117.03 MX Baja California|43.0896 -79.0849 CA Ontario|43.09 -79.04 US New York|43.7384 7.4246 MC|43.9424 12.4578 SM|47.139 9.522 LI
1.4927 103.7614 MY|1.352 103.82 SG|22.2793 114.1628 HK|22.5531 114.0579 CN Guangdong|50.776 6.084 DE|50.8658 6.0625 NL|59.3772 28.19 EE|59.3708 28.2228 RU|-4.325 15.322 CD
-4.25 15.26 CG|48.21 16.37 AT|48.14 17.11 SK|47.84 12.98 DE|47.8 13.045 AT|47.668 9.17 DE|47.642 9.178 CH|52.347 14.545 DE|52.351 14.565 PL|46.2 6.15 CH|46.2 6.24 FR
55.68 12.57 DK|55.605 13.0 SE|41.0 28.97 TR|41.17 29.0 TR|36.14 -5.35 GI|36.16 -5.45 ES|35.89 -5.32 ES|35.79 -5.81 MA|49.61 6.13 LU|42.51 1.52 AD|32.08 34.78 IL|29.53 35.0 JO
"""


def read_map(deb):
    files = tarfile.open(fileobj=io.BytesIO(subprocess.run(["dpkg-deb", "--fsys-tarfile", deb], check=True, stdout=subprocess.PIPE).stdout))
    with tempfile.NamedTemporaryFile(suffix=".gpkg") as f:
        f.write(files.extractfile("./usr/share/qgis/resources/data/world_map.gpkg").read())
        f.flush()
        rows = sqlite3.connect(f.name).execute("select geom, iso_a2, name from states_provinces where geom is not null").fetchall()
    return [(shapely.make_valid(shapely.from_wkb(g[8 + (0, 32, 48, 48, 64)[g[3] >> 1 & 7]:])), country, name) for g, country, name in rows]


def main(deb):
    rng = random.Random(18)
    rows = [(*entry.split(" ", 3), "by hand") if entry.count(" ") > 2 else (*entry.split(" "), "", "by hand")
            for entry in BY_HAND.replace("\n", "|").strip("|").split("|")]
    provinces = read_map(deb)
    # islands that have a code of their own in GeoNames
    own = {("NL", "Saba"), ("NL", "St. Eustatius"), ("NL", "Bonaire"), ("FR", "Guadeloupe"), ("FR", "Martinique"), ("FR", "La Réunion"), ("FR", "Guyane française"),
           ("FR", "Mayotte"), ("NO", "Svalbard"), ("NO", "Jan Mayen"), ("NO", "Bouvet Island"), ("AU", "Lord Howe Island"), ("AU", "Macquarie Island")}
    provinces = [p for p in provinces if p[1:] not in own]
    tree = shapely.STRtree([g for g, _, _ in provinces])
    known = [p for p in provinces if p[1] and len(p[1]) == 2 and p[1].isalpha() and p[2]]
    inner = [(g.buffer(-0.05), c, n) for g, c, n in known]
    inner = [p for p in inner if not p[0].is_empty]
    while sum(r[4] == "inside" for r in rows) < INTERIOR:
        shape, country, name = rng.choice(inner)
        west, south, east, north = shape.bounds
        p = shapely.Point(round(rng.uniform(west, east), 3), round(rng.uniform(south, north), 3))
        if shape.contains(p):
            rows.append((f"{p.y}", f"{p.x}", country, name if country in SAME_REGIONS else "", "inside"))
    while sum(r[4] == "off the coast" for r in rows) < COAST:
        shape, country, name = rng.choice(known)
        x, y = rng.choice(shapely.get_coordinates(shape.boundary))
        if abs(y) > 70 or abs(x) > 179:
            continue
        p = shapely.Point(round(x + rng.uniform(-0.04, 0.04), 3), round(y + rng.uniform(-0.04, 0.04), 3))
        near = {provinces[i][1:] for i in tree.query(p.buffer(0.3)) if provinces[i][0].distance(p) < 0.3}
        if near == {(country, name)} and not shape.contains(p):
            rows.append((f"{p.y}", f"{p.x}", country, name if country in SAME_REGIONS else "", "off the coast"))
    with open(os.path.join(TOP, "tests/golden/places.tsv"), "w", encoding="utf-8") as f:
        f.writelines("\t".join(r) + "\n" for r in rows)
    print(len(rows), "positions")


main(*sys.argv[1:])
