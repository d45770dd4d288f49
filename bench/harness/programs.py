"""programs.py - what bench's own programs print, read."""


def table(text):
    """Lines of tab-separated cells."""
    return [line.split("\t") for line in text.splitlines()]


def tower(text):
    """bench/tower: {name: median milliseconds}; a batch's are those of the whole batch."""
    return {row[0].strip(): float(row[1].split()[1]) for row in table(text) if len(row) > 1 and row[1].startswith("median")}


def scan(text):
    """bench/scan: what it found at the start, [(what, figure, unit)], and
    {(what, threads): {column: figure}}."""
    lines = table(text)
    head = next(x for x in lines if x[0] == "what")
    rows = [dict(zip(head, x)) for x in lines if len(x) == len(head) and x is not head]
    return [(x[0], float(x[1]), x[2]) for x in lines if len(x) == 3], {
        (r["what"], int(r["threads"])): {k: float(v) for k, v in r.items() if k not in ("what", "threads")} for r in rows}


def store(text):
    """bench/store search: {what: milliseconds}, the median of those that were repeated."""
    return {row[0]: float(row[1]) for row in table(text) if len(row) > 1 and row[0] != "what" and not row[0].endswith(":")}
