"""Outlines of regions and countries for tools/places/make.py, from the map of the world in QGIS (Natural Earth).

The map's polygons have no codes of GeoNames. Each one is of the region in which most of the settlements inside of it are, else of
the region of its country that has its name, else of its country alone. An edge has a place on either side; edges in a row with
the same two are a line. Lines are simplified by Douglas and Peucker's algorithm with their ends kept, so that what two places
share stays shared.
"""
import collections
import math
import sqlite3
import struct

import numpy as np

NOWHERE = 0xFFFF
UNIT = 1000              # per degree
TOLERANCE = 0.01         # degrees
COAST_TOLERANCE = 0.025  # what is off the coast is of what is near
SMALL_ISLAND = 0.004     # square degrees
NEAR = 0.08              # degrees: an island that is left out is that near to one of the same place
MOST_POINTS = 48         # of a piece of a line
MOST_HEIGHT = 200        # of the box around one, 1/100 degree; src/store/places_table.h has it, too


def read_geometry(blob):
    """[[ring]] of a GeoPackage's geometry; a ring is an array [points, 2] of longitude and latitude."""
    envelope = (0, 32, 48, 48, 64)[blob[3] >> 1 & 7]
    at = 8 + envelope

    def take(form):
        nonlocal at
        values = struct.unpack_from(form, blob, at)
        at += struct.calcsize(form)
        return values

    def geometry():
        nonlocal at
        order = "<" if take("B")[0] else ">"
        kind, n = take(order + "2I")
        if kind == 6:
            return [rings for _ in range(n) for rings in geometry()]
        assert kind == 3, kind
        rings = []
        for _ in range(n):
            count, = take(order + "I")
            rings.append(np.frombuffer(blob, order + "f8", 2 * count, at).reshape(count, 2).astype(float))
            at += 16 * count
        return [rings]
    return geometry()


def read_map(path):
    """[(attributes, [[ring]])] of the states and provinces."""
    with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as db:
        db.row_factory = sqlite3.Row
        return [({k: row[k] for k in row.keys() if k != "geom"}, read_geometry(row["geom"])) for row in db.execute("select * from states_provinces")
                if row["geom"]]


def inside(points, rings):
    """Which of the points [n, 2] are in a polygon, by the even-odd rule."""
    odd = np.zeros(len(points), bool)
    for ring in rings:
        for part in range(0, len(ring) - 1, 4096):
            a, b = ring[part:-1][:4096], ring[part + 1:][:4096]
            for first in range(0, len(points), 512):
                x, y = points[first:first + 512, :1], points[first:first + 512, 1:]
                spans = (a[:, 1] <= y) != (b[:, 1] <= y)
                with np.errstate(divide="ignore", invalid="ignore"):
                    crossing = a[:, 0] + (y - a[:, 1]) * (b[:, 0] - a[:, 0]) / (b[:, 1] - a[:, 1])
                odd[first:first + 512] ^= (np.sum(spans & (crossing <= x), axis=1) & 1).astype(bool)
    return odd


def votes(features, points, codes):
    """For each feature's polygons a Counter of the codes of the points in them; of those without any, of points outside of all polygons
    that are near."""
    counts, taken = [], np.zeros(len(points), bool)

    def near(polygons, margin):
        for rings in polygons:
            low, high = rings[0].min(0) - margin, rings[0].max(0) + margin
            first, last = np.searchsorted(points[:, 1], [low[1], high[1]])
            yield rings, np.arange(first, last)[(points[first:last, 0] >= low[0]) & (points[first:last, 0] <= high[0])]
    for polygons in features:
        count = collections.Counter()
        for rings, candidates in near(polygons, 0):
            candidates = candidates[inside(points[candidates], rings)]
            taken[candidates] = True
            count.update(codes[i] for i in candidates)
        counts.append(count)
    for polygons, count in zip(features, counts):
        if not count:
            count.update(codes[i] for _, candidates in near(polygons, 0.05) for i in candidates if not taken[i])
    return counts


def edges_of(features):
    """{(a, b): place on its left} of features [(place, polygons)], whose points are pairs of whole numbers."""
    left = {}
    for place, polygons in features:
        for rings in polygons:
            for i, ring in enumerate(rings):
                points = [tuple(p) for p in np.round(ring * 1e4).astype(int).tolist()]
                area = sum(a[0] * b[1] - b[0] * a[1] for a, b in zip(points, points[1:]))
                if (area > 0) == (i > 0):
                    points.reverse()   # outer rings run with the polygon on their left, inner ones, too
                for a, b in zip(points, points[1:]):
                    if a != b:
                        left[a, b] = place
    return left


def lines_of(left):
    """[(points, left, right)]: edges in a row with the same places on their sides."""
    sides = {}
    for (a, b), place in left.items():
        other = left.get((b, a), NOWHERE)
        if (b, a) not in sides and other != place:
            sides[a, b] = (place, other)
    around = collections.defaultdict(list)   # of each point: (next point, left, right)
    for (a, b), (l, r) in sides.items():
        around[a].append((b, l, r))
        around[b].append((a, r, l))
    used, lines = set(), []

    def walk(a, b, l, r):
        points = [a, b]
        used.update(((a, b), (b, a)))
        while len(around[b]) == 2:
            onward = [n for n in around[b] if (b, n[0]) not in used and n[1:] == (l, r)]
            if not onward:
                break
            a, b = b, onward[0][0]
            used.update(((a, b), (b, a)))
            points.append(b)
        lines.append((points, l, r))

    for junctions in (True, False):
        for a in sorted(around):
            if junctions and len(around[a]) == 2 and {around[a][0][1:], around[a][1][1:]} == {around[a][0][1:], around[a][0][:0:-1]}:
                continue   # in the middle of a line
            for b, l, r in around[a]:
                if (a, b) not in used:
                    walk(a, b, l, r)
    return lines


def off_line(p, a, b, across):
    """How far a point is from a line between two, in units of latitude; `across` is the length of a degree of longitude."""
    px, py, dx, dy = (p[0] - a[0]) * across, p[1] - a[1], (b[0] - a[0]) * across, b[1] - a[1]
    length = dx * dx + dy * dy
    t = max(0, min(1, (px * dx + py * dy) / length)) if length else 0
    return math.hypot(px - t * dx, py - t * dy)


def simplify(points, tolerance):
    """What is left of a line; its ends stay, and of a closed one the point that is farthest from them and one more."""
    across = max(0.05, math.cos(math.radians(points[0][1] / 1e4)))
    keep, ranges = {0, len(points) - 1}, [(0, len(points) - 1, 2 * (points[0] == points[-1]))]
    while ranges:
        a, b, closed = ranges.pop()
        far = max(range(a + 1, b), key=lambda i: off_line(points[i], points[a], points[b], across), default=None)
        if far is None or (off_line(points[far], points[a], points[b], across) <= tolerance and not closed):
            continue
        keep.add(far)
        ranges += [(a, far, 0), (far, b, max(0, closed - 1))]   # of a closed line at least a triangle is left
    return [points[i] for i in sorted(keep)]


def tolerance_of(points, coast):
    """Less for what is small."""
    longitudes, latitudes = zip(*points)
    extent = max(max(longitudes) - min(longitudes), max(latitudes) - min(latitudes)) / 1e4
    return min(COAST_TOLERANCE if coast else TOLERANCE, (0.1 if coast else 0.03) * extent) * 1e4


def is_small_island(points):
    return points[0] == points[-1] and abs(sum(a[0] * b[1] - b[0] * a[1] for a, b in zip(points, points[1:]))) / 2e8 < SMALL_ISLAND


def without_small_islands(lines):
    """Those that are near a larger outline of the same place are left out: a position at sea is of the nearest one."""
    cells, kept = collections.defaultdict(list), []
    small = [line for line in lines if NOWHERE in line[1:] and is_small_island(line[0])]
    chosen = {id(line) for line in small}
    for points, l, r in (line for line in lines if id(line) not in chosen):
        kept.append((points, l, r))
        for x, y in points:
            cells[round(x / NEAR / 1e4), round(y / NEAR / 1e4)].append((l, r))
    for points, l, r in small:
        x, y = round(points[0][0] / NEAR / 1e4), round(points[0][1] / NEAR / 1e4)
        near = {p for i in (-1, 0, 1) for k in (-1, 0, 1) for sides in cells.get((x + i, y + k), ()) for p in sides} - {NOWHERE}
        if near != {l, r} - {NOWHERE}:
            kept.append((points, l, r))
    return kept


def varint(n):
    n, out = 2 * n if n >= 0 else -2 * n - 1, bytearray()
    while n >= 0x80:
        out.append(n & 0x7F | 0x80)
        n >>= 7
    out.append(n)
    return bytes(out)


def divided(points):
    """With points between those that are farther apart than a piece is high."""
    yield points[0]
    for (x, y), (to_x, to_y) in zip(points, points[1:]):
        parts = math.ceil(abs(to_y - y) * 100 / UNIT / (MOST_HEIGHT - 2)) or 1
        yield from ((x + (to_x - x) * i // parts, y + (to_y - y) * i // parts) for i in range(1, parts + 1))


def chunks(points):
    first = 0
    for i in range(1, len(points)):
        latitudes = [y for _, y in points[first:i + 1]]
        if i - first > MOST_POINTS or math.ceil(max(latitudes) * 100 / UNIT) - math.floor(min(latitudes) * 100 / UNIT) > MOST_HEIGHT:
            yield points[first:i]
            first = i - 1
    if len(points) - first > 1:
        yield points[first:]


def pieces_of(lines):
    """(records, bytes) as tools/places/make.py has them."""
    pieces, records, data, step = [], [], bytearray(), 10000 // UNIT
    for line, l, r in without_small_islands(lines):
        whole = [(round(x / step), round(y / step)) for x, y in simplify(line, tolerance_of(line, NOWHERE in (l, r)))]
        whole = whole[:1] + [b for a, b in zip(whole, whole[1:]) if a != b]
        for points in chunks(list(divided(whole))):
            longitudes, latitudes = zip(*points)
            pieces.append((math.floor(min(latitudes) * 100 / UNIT), math.floor(min(longitudes) * 100 / UNIT), math.ceil(max(latitudes) * 100 / UNIT),
                           math.ceil(max(longitudes) * 100 / UNIT), l, r, points))
    for south, west, north, east, l, r, points in sorted(pieces):
        records.append((len(data), south, west, north, east, l, r))
        before = west * UNIT // 100, south * UNIT // 100
        for p in points:
            data += varint(p[1] - before[1]) + varint(p[0] - before[0])
            before = p
    return records, bytes(data)
