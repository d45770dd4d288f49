"""plot.py - a line chart as SVG, both axes logarithmic."""
import math
from xml.sax.saxutils import escape

WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 680, 400, 70, 210, 40, 50
COLOURS = ("#0b6e99", "#d9730d", "#0f7b6c", "#ad1a72", "#6940a5")


def ticks(low, high):
    """1, 2 and 5 times powers of ten within [low, high]."""
    found = (m * 10.0 ** e for e in range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1) for m in (1, 2, 5))
    return [t for t in found if low * 0.999 <= t <= high * 1.001]


def short(x):
    return f"{x / 1e6:g}M" if x >= 1e6 else f"{x:g}"


def lines(path, title, x_name, y_name, series):
    """Write `series`, {name: [(x, y)]} with positive numbers, to `path`."""
    xs = [x for points in series.values() for x, _ in points]
    ys = [y for points in series.values() for _, y in points]
    y_low, y_high = min(ys) / 1.3, max(ys) * 1.3

    def place(x, y):
        span_x = math.log(max(xs) / min(xs)) or 1
        return (LEFT + math.log(x / min(xs)) / span_x * (WIDTH - LEFT - RIGHT),
                HEIGHT - BOTTOM - math.log(y / y_low) / math.log(y_high / y_low) * (HEIGHT - TOP - BOTTOM))

    def text(x, y, words, anchor="middle", colour="#333"):
        return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{colour}">{escape(words)}</text>'
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" font-size="12">',
           f'<title>{escape(title)}</title><rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>',
           text(LEFT, TOP - 18, title, "start"), text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 12, x_name), text(LEFT - 8, TOP - 18, y_name, "end")]
    for y in ticks(y_low, y_high):
        height = place(min(xs), y)[1]
        out += [f'<path d="M{LEFT} {height:.1f}H{WIDTH - RIGHT}" stroke="#ddd"/>', text(LEFT - 8, height + 4, short(y), "end")]
    for x in sorted(set(xs)):
        out.append(text(place(x, y_low)[0], HEIGHT - BOTTOM + 18, short(x)))
    ends = sorted((place(*points[-1])[1], name) for name, points in series.items())
    labels, last = {}, 0
    for height, name in ends:       # names stand beside the lines' ends, apart from each other
        labels[name] = last = max(height, last + 15)
    for (name, points), colour in zip(series.items(), COLOURS):
        path_data = "L".join("{:.1f} {:.1f}".format(*place(x, y)) for x, y in points)
        out.append(f'<path d="M{path_data}" fill="none" stroke="{colour}" stroke-width="2"/>')
        out += ['<circle cx="{:.1f}" cy="{:.1f}" r="3" fill="{}"/>'.format(*place(x, y), colour) for x, y in points]
        out.append(text(WIDTH - RIGHT + 8, labels[name] + 4, name, "start", colour))
    path.write_text("\n".join(out) + "\n</svg>\n", "utf-8")
