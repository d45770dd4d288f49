"""examples.py - the example queries of docs/starter.md, answered by the program.

Usage: examples.py --work DIR [--scry PROGRAM] [--model MODEL]

Indexes demo/gallery and $SCRY_DATA/coco_mini (dev pictures, none trained on) into a store in --work and
prints, for each query, this query's line and the first five pictures: file names of the gallery,
captions of coco_mini.
"""
import argparse
import csv
import json
import os
import subprocess
from pathlib import Path

TOP = Path(__file__).parents[2]
QUERIES = {
    "gallery": ["a castle by the water", "кошка", "ein Schmetterling auf einer Blume", "des légumes au marché", "一朵红色的花",
                "a fish - blue + orange", "a dog", "a zebra"],
    "coco": ["a man on a surfboard in the waves", "люди катаются на лыжах", "una cocina con un horno", "food on a plate - meat + vegetables",
             "three giraffes", "a man handing a cup to a woman", "a submarine"],
}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--work", required=True)
    parser.add_argument("--scry", default=TOP / "scry")
    parser.add_argument("--model", default="starter")
    args = parser.parse_args()
    coco = Path(os.environ["SCRY_DATA"]) / "coco_mini"
    folders = {"gallery": TOP / "demo/gallery", "coco": coco / "img"}
    with open(coco / "captions.tsv", encoding="utf-8", newline="") as f:
        captions = {r["file"]: r["text"].strip() for r in csv.DictReader(f, delimiter="\t", quoting=csv.QUOTE_NONE)}

    def run(command, name, *more):
        done = subprocess.run([args.scry, command, "--store", Path(args.work) / "store", "--collection", name, *more],
                              stdout=subprocess.PIPE, text=True)
        if done.returncode == 2:
            raise SystemExit(f"scry {command} failed")
        return done.stdout

    for name, queries in QUERIES.items():
        run("index", name, "--model", args.model, "--quiet", folders[name])
        print(f"\n*{folders[name].parent.name}/{folders[name].name}*\n\n| query | line | the first five, with their scores |\n|---|---|---|")
        for query in queries:
            answer = json.loads(run("search", name, "--json", "--limit", "5", *query.split()))
            shown = []
            for r in answer["results"]:
                file = Path(r["path"])
                mark = "" if r["score"] >= answer["min_score"] else "*"
                shown.append(f"{mark}{r['score']:.2f} {captions.get(file.name, file.stem)}{mark}")
            print(f"| {query} | {answer['min_score']:.2f} | {'; '.join(shown)} |")


if __name__ == "__main__":
    main()
