"""data.py - the photographs of $SCRY_DATA, as folders.tsv beside this file describes them.

A folder's columns: what its texts are (`caption`; `noun`, a bare class name; `phrase`, a label that
reads as it stands), what judges (`split`), how often a picture is shown in the stages that train,
whether its terms are open, and those terms. Splits, always by picture, never by class:

    column   as the folder's own column `split` says      fifth    every fifth picture judges
    dev      all pictures judge                           tenth    every tenth
    train    none

$STARTER_OPEN leaves the folders without open terms out of training, $STARTER_WITHOUT those it names.
"""
import csv
import os
from collections import namedtuple
from pathlib import Path

HERE = Path(__file__).parent
TEXTS = HERE / "texts"
SEED = int(os.environ.get("STARTER_SEED", "1"))
OPEN_ONLY = bool(os.environ.get("STARTER_OPEN"))
WITHOUT = set(os.environ.get("STARTER_WITHOUT", "").split())
SQUARE = ("flickr8k", "intel_scenes")  # the centre and the squashed view are the same pixels
EVERY = {"fifth": (5, 2), "tenth": (10, 4)}

# One photograph with its texts. `split` is "train", "dev" or, where --open-only leaves it out,
# ""; `label` is the folder's own spelling of its first text.
Picture = namedtuple("Picture", "folder file kind texts split label")


def data_dir():
    return Path(os.environ["SCRY_DATA"])


def rows(path):
    with open(path, newline="", encoding="utf-8") as f:
        return list(csv.DictReader(f, delimiter="\t", quoting=csv.QUOTE_NONE))


FOLDERS = {r["folder"]: r for r in rows(HERE / "folders.tsv")}
# Labels that say little as they stand; an empty name leaves the picture out.
NAMES = {(r["folder"], r["label"]): r["name"] for r in rows(TEXTS / "label_names.tsv")}


def repeats(stage):
    """{folder: how often one of its pictures is shown in an epoch of a stage}."""
    return {name: float(r[stage]) for name, r in FOLDERS.items()}


def tidy(caption):
    """Some captions are tokenised ("a dog ."): plain sentences without the stop."""
    return caption.strip().replace(" ,", ",").replace(" 's", "'s").rstrip(" .").strip('" ')


def folder_texts(folder):
    """{file: its rows}, in the folder's order."""
    path = data_dir() / folder
    own = next(p for p in (path / "labels.tsv", path / "captions.tsv") if p.exists())
    out = {}
    for r in rows(own):
        out.setdefault(r["file"], []).append(r)
    return out


def split_of(rule, place, first):
    if rule in EVERY:
        step, at = EVERY[rule]
        return "dev" if place % step == at else "train"
    return first["split"] if rule == "column" else rule


def pictures():
    """Every photograph, in a fixed order."""
    out = []
    for folder, about in FOLDERS.items():
        for place, (file, found) in enumerate(folder_texts(folder).items()):
            labels = [r.get("text") or r["caption"] for r in found]
            names = [NAMES.get((folder, t), t) for t in labels]
            texts = tuple(tidy(t) if about["kind"] == "caption" else t for t in names if t)
            split = split_of(about["split"], place, found[0])
            if split == "train" and (folder in WITHOUT or OPEN_ONLY and about["open"] != "yes"):
                split = ""
            if texts:
                out.append(Picture(folder, file, about["kind"], texts, split, labels[0]))
    return out


def training():
    return [p for p in pictures() if p.split == "train"]


def image_path(p):
    return data_dir() / p.folder / "img" / p.file
