"""report.py - benchmarks.tsv, and benchmarks.md which is made of it alone."""
import csv

from harness.bench import FIELDS

HEAD = """# Benchmarks

Made by `make bench` (`bench/README.md`); nothing here was written by hand and no figure of these documents
comes from anywhere else. `benchmarks.tsv` has the same with all digits.

scry and its peers do the same work in the same run, in turn (A B C, A B C, ...). A figure is the median of the
rounds, with the lowest and the highest in brackets; a ratio is the median of the ratios round by round. All peers
have the same weights: a ViT-B/32 with random numbers from a fixed seed (`tools/parity/clip_models.py`), exported to
each one's format.
"""


def read(tsv):
    """{stage: [row]} of a report that was written before; {} when there is none."""
    if not tsv.exists():
        return {}
    stages = {}
    with open(tsv, newline="") as f:
        for row in csv.DictReader(f, delimiter="\t"):
            stages.setdefault(row["stage"], []).append(row)
    return stages


def number(x):
    """Three digits that say something."""
    x = float(x)
    return f"{x:,.0f}" if abs(x) >= 100 else f"{x:.3g}"


def cell(row):
    if int(row["rounds"]) < 2:
        return number(row["median"])
    return f"{number(row['median'])} ({number(row['low'])} - {number(row['high'])})"


def of(rows, kind):
    return [r for r in rows if r["kind"] == kind]


def facts(rows):
    return {r["what"]: r["note"] for r in of(rows, "run")}


def figures(rows):
    out, last = [], None
    for r in of(rows, "figure"):
        if last is None:
            out += ["| what | how | figure | unit | |", "|---|---|---|---|---|"]
        out.append(f"| {'' if r['what'] == last else r['what']} | {r['way']} | {cell(r)} | {r['unit']} | {r['note']} |")
        last = r["what"]
    return out + [""] if out else []


def targets(rows):
    found = of(rows, "target")
    if not found:
        return []
    out = ["| target | wanted | reached | |", "|---|---|---|---|"]
    out += [f"| {r['what']} | {r['wanted']} | {cell(r)} | {r['verdict']} |" for r in found]
    out.append("")
    for r in found:
        if r["verdict"] != "met":
            out += [f"*{r['what']}* is missed: {r['note'] or 'the reason is not known yet.'}", ""]
    return out


def section(rows, common):
    title = of(rows, "title")[0]
    fact = facts(rows)
    out = [f"## {title['what']}", "", title["note"], ""]
    away = [f"{k} {v}" for k, v in fact.items() if k in common and common[k] != v]
    out += [f"Stage `{title['stage']}`, commit {fact['commit']}, {fact['date']}; other processes used "
            f"{fact.get('others', '?')} of the processors." + (" " + "; ".join(away) + "." if away else ""), ""]
    versions = of(rows, "version")
    if versions:
        out += ["Peers: " + ", ".join(f"{v['what']} {v['note']}" for v in versions) + ".", ""]
    out += figures(rows) + targets(rows)
    for r in of(rows, "note"):
        out += [r["note"], ""]
    for r in of(rows, "plot"):
        out += [f"![{r['what']}]({r['note']})", ""]
    return out


def write(tsv, stages, order):
    """Both documents, stages in `order`."""
    stages = {name: stages[name] for name in order if name in stages}
    with open(tsv, "w", newline="") as f:
        w = csv.DictWriter(f, FIELDS, delimiter="\t", lineterminator="\n")
        w.writeheader()
        for rows in stages.values():
            w.writerows(rows)
    first = facts(next(iter(stages.values())))
    common = {k: first[k] for k in ("machine", "processor")}
    met = [r for rows in stages.values() for r in of(rows, "target")]
    out = [HEAD, f"Machine: {common['processor']}; {common['machine']}.", "",
           f"{sum(r['verdict'] == 'met' for r in met)} of {len(met)} targets are met; what is missed stands below "
           "its table with the reason.", ""]
    for rows in stages.values():
        out += section(rows, common)
    missing = [name for name in order if name not in stages]
    if missing:
        out += ["## Not measured yet", "", "Stages without figures here, `make bench STAGE=...` adds them: "
                + ", ".join(f"`{name}`" for name in missing) + ".", ""]
    tsv.with_suffix(".md").write_text("\n".join(out).rstrip() + "\n")
