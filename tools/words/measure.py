#!/usr/bin/env python3
"""What words in names and texts do to searches: prints the table of docs/words.md.

    tools/words/measure.py [--scry PROGRAM] [DIR]

DIR is a set of pictures with captions: img/ and captions.tsv (a heading, then columns of which one is named `file` and the last
is a caption; several rows for a picture). Without it, the demo's gallery and its titles. Of the first 500 pictures every second or
third one, 200 at most, gets a label as people write them: a name, an occasion, a place, a year. Occasions and places are words that
other pictures show ("dog show", "beach house"), so that labels mislead a search by look as far as they can.

Measured by the bundled model through `scry serve`:
- captions: one of each picture; R@10, how often that picture is among the first ten;
- single words: those in the captions of 10 to 100 pictures; P@10, how many of the first ten have the word in a caption;
- words of labels: one, two or three of one picture's; R@5, how many of the pictures that have them are among the first five (of five, if
  there are more);
- words in pictures: the same of notes, receipts and screens that are drawn (PIL) with words by chance, 200 of them among the others, once
  `scry index --words only` has read them; and the captions again, which these pictures must not displace.
"""
import argparse
import collections
import csv
import json
import os
import random
import re
import subprocess
import sys
import tempfile
import urllib.parse
import urllib.request

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PICTURES, LABELLED = 500, 200
FONTS = [f"/usr/share/fonts/truetype/{name}.ttf" for name in ("dejavu/DejaVuSans", "dejavu/DejaVuSerif", "dejavu/DejaVuSansMono", "dejavu/DejaVuSans-Bold",
                                                             "liberation/LiberationSerif-Regular", "liberation/LiberationSans-Regular")]
NAMES = "Anna Boris Clara David Elena Felix Greta Hugo Irina Jonas Katya Liam Marta Nina Oskar Paula Quentin Rosa Stefan Tanya".split()
OCCASIONS = ["wedding", "birthday party", "graduation", "dog show", "football match", "ski holiday", "school play", "road trip", "picnic", "concert"]
PLACES = ["Paris", "Munich", "beach house", "mountain hut", "old town", "Helsinki", "city park", "Lake Como", "farm", "Kyoto"]


def read(folder):
    """{path: captions}, in order."""
    captions = collections.OrderedDict()
    gallery = not folder
    folder = folder or os.path.join(TOP, "demo", "gallery")
    with open(os.path.join(folder, "SOURCES.tsv" if gallery else "captions.tsv"), encoding="utf-8", newline="") as f:
        for row in csv.DictReader(f, delimiter="\t", quoting=csv.QUOTE_NONE):
            path = os.path.join(folder, "" if gallery else "img", row["file"])
            if os.path.exists(path):
                captions.setdefault(path, []).append(row["title"] if gallery else list(row.values())[-1])
    return dict(list(captions.items())[:PICTURES])


def label(rng):
    return f"{rng.choice(NAMES)} {rng.choice(OCCASIONS)} {rng.choice(PLACES)} {rng.randrange(2005, 2025)}"


VOCABULARY = """anchor apricot autumn balcony bakery barley blanket bottle bridge bucket butter candle canvas carpet castle cellar cherry chimney cinnamon
    circle copper cotton cradle curtain dentist desert dinner doctor dragon drawer engine evening falcon feather fender ferry filter flannel fountain
    freezer garden garlic ginger glacier granite hammer harbour harvest hazel helmet honey hunter insurance island jacket journal kettle kitchen ladder
    lantern laundry lavender lemon letter library lobster lumber magnet maple marble market mattress meadow melon mirror mustard napkin needle noodle
    novel nutmeg oatmeal orchard oyster package paddle parcel parsley pepper pharmacy pigeon pillow planet plaster pocket pottery prescription pumpkin
    quarry quilt rabbit radish raisin receipt ribbon rocket saddle salmon sandal satchel saucer scissors shelter shoulder shower silver spinach
    squirrel staple stocking suitcase sulphur tailor teapot temple thistle thunder ticket timber tobacco tractor trumpet tulip tunnel turnip umbrella
    vacuum valley vanilla velvet vinegar violin voucher walnut warden weather whistle willow window winter workshop zipper""".split()


def draw_pages(folder, rng):
    """{path: text} of pictures with words: notes, receipts and screens."""
    from PIL import Image, ImageDraw, ImageFont
    fonts = [f for f in FONTS if os.path.exists(f)]
    if not fonts:
        sys.exit("measure.py: there are no fonts to draw pictures with: install fonts-dejavu-core")
    pages = {}
    for number in range(LABELLED):
        lines = [" ".join(rng.sample(VOCABULARY, rng.randrange(1, 5))) for _ in range(rng.randrange(2, 8))]
        dark, size = rng.random() < 0.3, rng.randrange(22, 46)
        width, height = rng.randrange(700, 1400), 80 + len(lines) * 2 * size
        back = tuple(rng.randrange(20, 60) for _ in range(3)) if dark else tuple(rng.randrange(215, 256) for _ in range(3))
        image = Image.new("RGB", (width, height), back)
        draw, font = ImageDraw.Draw(image), ImageFont.truetype(rng.choice(fonts), size)
        for i, line in enumerate(lines):
            draw.text((40, 40 + i * 2 * size), line, fill=(235, 235, 235) if dark else (25, 25, 35), font=font)
            if draw.textlength(line, font=font) > width - 50:
                lines[i] = ""        # not whole in the picture
                draw.rectangle((0, 40 + i * 2 * size, width, 40 + i * 2 * size + 2 * size), fill=back)
        path = f"{folder}/IMG_{5000 + number}.jpg"
        image.save(path, quality=rng.randrange(70, 95))
        pages[path] = " ".join(lines)
    return {path: text for path, text in pages.items() if text.strip()}


def words_of(text):
    return set(re.findall(r"[a-z0-9]+", text.lower()))


class Server:
    def __init__(self, scry, environment):
        self.process = subprocess.Popen([scry, "serve", "--listen", "127.0.0.1:0"], env=environment, stderr=subprocess.PIPE, text=True)
        for line in self.process.stderr:
            found = re.search(r"at (http://\S+?)/$", line.strip())
            if found:
                self.url = found[1]
                return
        sys.exit("scry serve did not start")

    def stop(self):
        self.process.terminate()
        self.process.wait()

    def search(self, query, by, limit):
        asked = urllib.parse.urlencode({"q": query.replace("@", " ") or "a", "by": by, "limit": limit})
        with urllib.request.urlopen(f"{self.url}/api/v1/search?{asked}") as answer:
            return [hit["path"] for hit in json.load(answer)["results"]]


def recall(server, asked):
    """Of [(query, the right pictures)]: their number, and {by: R@5 summed}."""
    return len(asked), {by: sum(len(right & set(server.search(query, by, 5))) / min(5, len(right)) for query, right in asked)
                        for by in ("look", "auto")}


def recall_of_words(server, texts, rng, most=3, around="{}"):
    """Of queries of one to three words of one picture's, or `most` of them, in a sentence."""
    asked = []
    for path in sorted(texts):
        parts = texts[path].split()
        query = " ".join(rng.sample(parts, min(rng.choice((1, 2, 3)) if most == 3 else most, len(parts))))
        asked.append((around.format(query), {p for p, text in texts.items() if words_of(query) <= words_of(text)}))
    return recall(server, asked)


def looks_and_names(holders, captions, labels, rng):
    """Queries of a name in a label and of something in a caption of the same picture that no label has: "Anna with a dog"."""
    in_labels = set().union(*map(words_of, labels.values()))
    asked = []
    for path in sorted(labels):
        name = labels[path].split()[0]
        seen = sorted(w for w in words_of(captions[path][0]) if len(w) > 2 and 10 <= len(holders[w]) <= 100 and w not in in_labels)
        if seen:
            word = rng.choice(seen)
            asked.append((f"{name} {word}", {p for p, text in labels.items() if text.split()[0] == name and p in holders[word]}))
    return asked


def recall_of_captions(server, captions):
    return {by: sum(path in server.search(texts[0], by, 10) for path, texts in captions.items()) for by in ("look", "auto")}


def row(name, count, measure, look, auto):
    print(f"| {name} | {count} | {measure} | {100 * look / count:.1f} % | {100 * auto / count:.1f} % |")


def measure(server, captions, labels, rng):
    print("| queries | number | measure | by look | auto |\n|---|---|---|---|---|")
    row("captions", len(captions), "R@10", **recall_of_captions(server, captions))
    holders = collections.defaultdict(set)
    for path, texts in captions.items():
        for word in set().union(*map(words_of, texts)):
            holders[word].add(path)
    single = sorted(w for w, paths in holders.items() if 10 <= len(paths) <= 100 and len(w) > 2)
    scores = {by: sum(len(holders[w] & set(server.search(w, by, 10))) / 10 for w in single) for by in ("look", "auto")}
    if single:
        row("single words", len(single), "P@10", **scores)
    of_label = sorted(set().union(*(words_of(t) for t in labels.values())) & set(single))
    scores = {by: sum(len(holders[w] & set(server.search(w, by, 10))) / 10 for w in of_label) for by in ("look", "auto")}
    if of_label:
        row("... that labels have, too: " + ", ".join(of_label), len(of_label), "P@10", **scores)
    asked, scores = recall_of_words(server, labels, rng)
    row("words of labels", asked, "R@5", **scores)
    asked, scores = recall(server, looks_and_names(holders, captions, labels, random.Random(8)))
    row("a name of a label, and what is seen", asked, "R@5", **scores)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--scry", default=os.path.join(TOP, "build", "release", "scry"))
    parser.add_argument("folder", nargs="?")
    options = parser.parse_args()
    rng = random.Random(7)
    captions = read(options.folder)
    labelled = list(captions)[::max(2, len(captions) // LABELLED)][:LABELLED]
    labels = {path: label(rng) for path in labelled}
    with tempfile.TemporaryDirectory() as temporary:
        environment = {**os.environ, "SCRY_STORE": temporary + "/store", "LC_ALL": "C.UTF-8"}
        for name in ("SCRY_MODEL", "SCRY_PRECISION"):
            environment.pop(name, None)
        os.mkdir(temporary + "/pictures")
        names = {}
        for number, path in enumerate(captions):   # names that say nothing, as cameras give them
            named = f"{temporary}/pictures/IMG_{number:04}{os.path.splitext(path)[1]}"
            os.symlink(os.path.realpath(path), named)
            names[path] = named
        with open(temporary + "/labels.csv", "w", encoding="utf-8", newline="") as f:
            table = csv.writer(f)
            table.writerow(["id", "path", "label"])
            table.writerows([f"n{i}", names[p], labels.get(p, "")] for i, p in enumerate(captions))
        subprocess.run([options.scry, "index", "--quiet", "--words", "no", temporary + "/labels.csv"], env=environment, check=True)
        server = Server(options.scry, environment)
        try:
            measure(server, {names[p]: t for p, t in captions.items()}, {names[p]: t for p, t in labels.items()}, rng)
        finally:
            server.stop()
        os.mkdir(temporary + "/pages")
        pages = draw_pages(temporary + "/pages", rng)
        for arguments in (["--words", "no", temporary + "/pages"], ["--words", "only"]):
            subprocess.run([options.scry, "index", "--quiet", *arguments], env=environment, check=True)
        server = Server(options.scry, environment)
        try:
            asked, scores = recall_of_words(server, pages, rng)
            row("words in pictures", asked, "R@5", **scores)
            asked, scores = recall_of_words(server, pages, random.Random(9), 2, "a photo of a note with the words {}")
            row("two words in pictures, in a sentence", asked, "R@5", **scores)
            row("captions, once words were read", len(captions), "R@10", **recall_of_captions(server, {names[p]: t for p, t in captions.items()}))
        finally:
            server.stop()


if __name__ == "__main__":
    main()
