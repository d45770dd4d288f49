"""data.py - the photographs of $SCRY_DATA, the dev suite and what is kept out of training.

The dev suite was fixed before the first model was chosen; nothing in it is trained on:
  flickr_dev     the dev split of Flickr8k (1,000 pictures, 5 captions each)
  flickr_dev_ru  300 of them with one Russian caption each
  coco           coco_mini, 159 pictures, 1 caption each
  inet           every fifth picture of imagenet_sample_1000 (200) with a caption, a short
                 query and a Russian caption, written for this project from the pictures
  held-back classes of the labelled folders (HELD_BACK below), for zero-shot figures
"""
import csv
import os
from collections import namedtuple
from pathlib import Path

TEXTS = Path(__file__).parent / "texts"

# One photograph with its texts. `kind` is "caption" or "label"; `split` is "train" or "dev";
# `label` is the folder's own spelling of the label, "" for a caption.
Picture = namedtuple("Picture", "folder file kind texts split label")

HELD_BACK = {
    "caltech101": ["accordion", "airplanes", "bonsai", "butterfly", "camera", "chandelier",
                   "crab", "dolphin", "electric guitar", "elephant", "ferry", "gramophone",
                   "helicopter", "kangaroo", "laptop", "lobster", "Motorbikes", "panda",
                   "pizza", "pyramid", "rooster", "scissors", "stop sign", "sunflower",
                   "umbrella", "wheelchair"],
    "clothing": ["Hat", "Skirt", "Hoodie", "Shoes"],
    "intel_scenes": ["glacier", "street"],
    "house_rooms": ["bathroom"],
    "weather": ["sunrise"],
}

CALTECH_NAMES = {"Faces": "a person's face", "Faces easy": "a close-up of a face",
                 "BACKGROUND Google": None, "Leopards": "leopard", "Motorbikes": "motorbike",
                 "airplanes": "airplane", "car side": "car seen from the side",
                 "cougar body": "cougar", "cougar face": "face of a cougar",
                 "crocodile head": "head of a crocodile", "flamingo head": "head of a flamingo",
                 "water lilly": "water lily", "hawksbill": "hawksbill turtle",
                 "ketch": "ketch sailing boat", "bass": "bass fish", "rhino": "rhinoceros",
                 "garfield": "Garfield the cartoon cat", "snoopy": "Snoopy the cartoon dog",
                 "brain": "human brain", "buddha": "Buddha statue", "joshua tree": "Joshua tree"}
CLOTHING_NAMES = {"Longsleeve": "long-sleeved shirt", "Outwear": "coat or jacket", "Body": "bodysuit",
                  "Top": "top", "Polo": "polo shirt", "Undershirt": "undershirt"}
WEATHER_NAMES = {"cloudy": "cloudy sky", "rain": "rain", "shine": "sunshine", "sunrise": "sunrise"}
JETSON_NAMES = {"peds": "pedestrians", "humans": "people", "object": None, "drone": "drone",
                "city": "city street", "trail": "forest trail", "granny smith": "green apple"}


def data_dir():
    return Path(os.environ["SCRY_DATA"])


def rows(path):
    with open(path, newline="", encoding="utf-8") as f:
        return list(csv.DictReader(f, delimiter="\t", quoting=csv.QUOTE_NONE))


def tidy(caption):
    """Flickr8k's captions are tokenised ("a dog ."): plain sentences without the stop."""
    return caption.strip().replace(" ,", ",").replace(" 's", "'s").rstrip(" .").strip('" ')


def class_name(folder, label):
    """The label as a noun phrase, or None where it says nothing about the picture."""
    if folder == "caltech101":
        return CALTECH_NAMES.get(label, label)
    if folder == "clothing":
        garment, _, kids = label.partition(", ")
        garment = CLOTHING_NAMES.get(garment, garment.lower())
        return f"children's {garment}" if kids else garment
    if folder == "weather":
        return WEATHER_NAMES[label]
    if folder == "jetson_photos":
        return JETSON_NAMES.get(label, label)
    return label


def pictures():
    """Every photograph, in a fixed order."""
    root, out = data_dir(), []
    for split in ("train", "dev"):
        texts = {}
        for r in rows(root / "flickr8k/captions.tsv"):
            if r["split"] == split:
                texts.setdefault(r["file"], []).append(tidy(r["caption"]))
        out += [Picture("flickr8k", f, "caption", tuple(t), split, "") for f, t in texts.items()]
    for folder, split in (("coco_mini", "dev"), ("flowers102_captions", "train")):
        out += [Picture(folder, r["file"], "caption", (tidy(r["text"]),), split, "")
                for r in rows(root / folder / "captions.tsv")]
    out += [Picture("grocery", r["file"], "label", (r["text"],), "train", r["text"])
            for r in rows(root / "grocery/captions.tsv")]
    for i, r in enumerate(rows(root / "imagenet_sample_1000/labels.tsv")):
        out.append(Picture("imagenet_sample_1000", r["file"], "label", (r["text"],),
                           "dev" if i % 5 == 2 else "train", r["text"]))
    for folder in ("caltech101", "clothing", "intel_scenes", "house_rooms", "weather",
                   "jetson_photos"):
        for r in rows(root / folder / "labels.tsv"):
            name = class_name(folder, r["text"])
            if name:
                split = "dev" if r["text"] in HELD_BACK.get(folder, ()) else "train"
                out.append(Picture(folder, r["file"], "label", (name,), split, r["text"]))
    return out


def image_path(p):
    return data_dir() / p.folder / "img" / p.file


def square(p):
    """True where the centre and the squashed view are the same pixels."""
    return p.folder in ("flickr8k", "intel_scenes")
