#!/usr/bin/env python3
"""Write web/world.bin, the outlines of land and the borders of countries, from the package world-atlas.

    npm pack world-atlas@2.0.2
    tools/world/make.py world-atlas-2.0.2.tgz

The package (ISC) has the data of Natural Earth 4.1 (https://www.naturalearthdata.com, in the public domain), scale 1:50,000,000.
Lines are simplified by Douglas and Peucker's algorithm, and islands below a size are left out, so that the file has at most 150 kB.

    8 bytes "scrymap1"
    number of outlines, number of borders
    of each outline, then of each border: number of points, and of each point how far it is from the one before, east and north,
    in 1/100 degree; the first one of a line is counted from 0, 0

All numbers are unsigned, seven bits a byte, low ones first, the high bit says that more follow; differences are doubled, and
negative ones -2n - 1. Outlines are closed: the last point is the first. A line over the meridian of 180 degrees goes on past it:
190 degrees east are 170 west.
"""
import json
import os
import sys
import tarfile

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
TOLERANCE = 0.008           # degrees
SMALLEST_ISLAND = 0.001     # square degrees
UNIT = 100                  # per degree


def decode(topology):
    """The arcs in degrees."""
    (sx, sy), (tx, ty) = topology["transform"]["scale"], topology["transform"]["translate"]
    arcs = []
    for deltas in topology["arcs"]:
        x = y = 0
        points = []
        for dx, dy in deltas:
            x, y = x + dx, y + dy
            points.append((x * sx + tx, y * sy + ty))
        arcs.append(points)
    return arcs


def off_line(p, a, b):
    """The square of the distance of a point from a line between two."""
    dx, dy = b[0] - a[0], b[1] - a[1]
    length = dx * dx + dy * dy
    t = max(0, min(1, ((p[0] - a[0]) * dx + (p[1] - a[1]) * dy) / length)) if length else 0
    return (p[0] - a[0] - t * dx) ** 2 + (p[1] - a[1] - t * dy) ** 2


def simplify(points):
    """What is left of a line; its ends stay."""
    whole = (0, len(points) - 1)
    keep, ranges = {*whole}, [whole]
    while ranges:
        a, b = ranges.pop()
        far = max(range(a + 1, b), key=lambda i: off_line(points[i], points[a], points[b]), default=None)
        if far is None or (off_line(points[far], points[a], points[b]) <= TOLERANCE ** 2 and points[a] != points[b]):
            continue
        keep.add(far)
        ranges += [(a, far), (far, b)]
    return [points[i] for i in sorted(keep)]


def area(ring):
    return abs(sum(a[0] * b[1] - b[0] * a[1] for a, b in zip(ring, ring[1:]))) / 2


def rings_of(geometry):
    polygons = [geometry["arcs"]] if geometry["type"] == "Polygon" else geometry.get("arcs", [])
    return [ring for polygon in polygons for ring in polygon]


def walk(ring, arcs):
    """The points of a ring of arcs; ~n is arc n from its end."""
    points = []
    for n in ring:
        arc = arcs[n] if n >= 0 else arcs[~n][::-1]
        points += arc if not points else arc[1:]
    return points


def unroll(points):
    """A line whose longitudes go on past 180 degrees; a ring around the pole is closed below the map."""
    line, turns = [], 0
    for i, (x, y) in enumerate(points):
        if i and abs(x - points[i - 1][0]) > 180:
            turns += 360 if x < 0 else -360
        line.append((x + turns, y))
    if points[0] == points[-1] and turns:
        line += [(line[-1][0], -90), (line[0][0], -90), line[0]]
    return line


def number(out, n):
    while n > 127:
        out.append(n & 127 | 128)
        n >>= 7
    out.append(n)


def write_line(out, points):
    whole = [(round(x * UNIT), round(y * UNIT)) for x, y in points]
    whole = [p for i, p in enumerate(whole) if i == 0 or p != whole[i - 1]]
    number(out, len(whole))
    before = (0, 0)
    for p in whole:
        for a, b in zip(p, before):
            number(out, 2 * (a - b) if a >= b else 2 * (b - a) - 1)
        before = p


def main(package):
    with tarfile.open(package) as t:
        topology = json.load(t.extractfile("package/countries-50m.json"))
    arcs = [simplify(a) for a in decode(topology)]
    land = [ring for g in topology["objects"]["land"]["geometries"] for ring in rings_of(g)]
    outlines = [r for r in (walk(ring, arcs) for ring in land) if area(unroll(r)) >= SMALLEST_ISLAND]
    uses = {}
    for g in topology["objects"]["countries"]["geometries"]:
        for ring in rings_of(g):
            for n in ring:
                uses[n if n >= 0 else ~n] = uses.get(n if n >= 0 else ~n, 0) + 1
    borders = [arcs[n] for n in sorted(uses) if uses[n] > 1]
    out = bytearray(b"scrymap1")
    number(out, len(outlines))
    number(out, len(borders))
    for line in outlines + borders:
        write_line(out, unroll(line))
    with open(os.path.join(TOP, "web", "world.bin"), "wb") as f:
        f.write(out)
    print(f"{len(outlines)} outlines, {len(borders)} borders, {sum(map(len, outlines)) + sum(map(len, borders))} points, {len(out)} bytes")


main(*sys.argv[1:])
