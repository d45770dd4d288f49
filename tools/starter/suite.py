"""suite.py - the dev suite's questions and its figures. No training code uses it to learn.

A model is judged through two functions only: `image(folder, file) -> unit vector` (by way of
a table of all dev pictures) and `text(list of texts) -> unit vectors [N, D]`.
"""
import re

import torch

import corpus
import data

# Word -> foil for the probes: does the true caption beat itself with this word exchanged?
PROBES = {
    "colours": {"red": "green", "blue": "orange", "black": "pink", "white": "purple",
                "yellow": "blue", "green": "red", "brown": "white", "orange": "blue",
                "pink": "black"},
    "counts": {"two": "five", "three": "one", "four": "two", "five": "two"},
    "actions": {"running": "sleeping", "jumping": "sitting", "sitting": "jumping",
                "swimming": "running", "climbing": "swimming", "riding": "washing",
                "standing": "swimming", "walking": "flying", "playing": "sleeping"},
    "scenes": {"beach": "forest", "snow": "kitchen", "grass": "snow", "water": "desert",
               "street": "lake", "mountain": "street", "field": "office", "pool": "forest"},
}
FEW = 20  # per cent: below, a word counts as failed


def recall(scores, target):
    """scores [Q, N], target [Q] -> R@1, R@5, R@10 in per cent and the median rank."""
    rank = (scores > scores.gather(1, target[:, None])).sum(1)
    return [100 * (rank < k).float().mean().item() for k in (1, 5, 10)] + [
        rank.float().median().item() + 1]


def precision(scores, right):
    """Scores of the pictures that count, and which are right -> (right ones among the first ten,
    or among as many as there are, average precision), in per cent."""
    hits = right[scores.argsort(descending=True)].float()
    n = min(10, int(hits.sum()))
    at = hits.cumsum(0) / torch.arange(1, len(hits) + 1)
    return 100 * hits[:n].mean().item(), 100 * ((at * hits).sum() / hits.sum()).item()


def everyday_words(gallery):
    """[(row of dev_words.tsv, right [N], counted [N])]: a picture is right when its texts say so,
    and is not counted when they leave it open. Words with fewer than two right ones are left out."""
    five = {}
    for r in data.rows(data.data_dir() / "coco_mini_5captions/captions.tsv"):
        five.setdefault(r["file"], []).append(r["text"])
    told = [" | ".join([*p.texts, *(five.get(p.file, ()) if p.folder == "coco_mini" else ())]).lower() for p in gallery]
    placed = [f"{p.folder} | {t}" for p, t in zip(gallery, told)]
    out = []
    for row in corpus.own_texts("dev_words.tsv"):
        match = lambda key, texts: torch.tensor([bool(row[key] and re.search(row[key], t)) for t in texts])
        right, unsure = match("right", told), match("unsure", placed)
        if right.sum() >= 2:
            out.append((row, right, right | ~unsure))
    return out


class Suite:
    """Questions prepared once; figures() answers for one model.

    `sets` is {name: (gallery, [(query, index of the right picture, its English)])}; `words` are
    everyday_words of the gallery `everyday`."""

    def __init__(self):
        self.dev = [p for p in data.pictures() if p.split == "dev"]
        flickr = [p for p in self.dev if p.folder == "flickr8k"]
        natural = [p for p in self.dev if p.folder in ("coco_mini", "imagenet_sample_1000")]
        place = {p.file: i for i, p in enumerate(flickr)}
        russian = [(r["caption_ru"], place[r["file"]], data.tidy(r["caption_en"]))
                   for r in corpus.own_texts("flickr8k_dev_ru.tsv")]
        self.sets = {
            "flickr captions": (flickr, [(c, i, c) for i, p in enumerate(flickr) for c in p.texts]),
            "flickr captions, Russian": (flickr, russian)}
        written = corpus.imagenet_captions("dev")
        captions, queries, russian = [], [], []
        for i, p in enumerate(natural):
            if p.folder == "coco_mini":
                captions.append((p.texts[0], i, p.texts[0]))
            else:
                row = written[p.file]
                captions.append((row["caption_en"], i, row["caption_en"]))
                queries.append((row["query_en"], i, row["query_en"]))
                russian.append((row["caption_ru"], i, row["caption_en"]))
        self.natural = natural
        self.natural_captions = [c for c, _, _ in captions]
        self.sets.update({"natural captions": (natural, captions),
                          "natural short queries": (natural, queries),
                          "natural captions, Russian": (natural, russian)})
        self.everyday = [p for p in self.dev if p.folder not in ("flickr8k", "imagenet_sample_1000")]
        self.words = everyday_words(self.everyday)
        place = {(p.folder, p.file): i for i, p in enumerate(self.everyday)}
        five = [("coco_mini", r["file"], data.tidy(r["text"])) for r in data.rows(data.data_dir() / "coco_mini_5captions/captions.tsv")]
        self.sets["all five captions of coco_mini"] = (self.everyday, [(t, place[folder, f], t) for folder, f, t in five
                                                                       if (folder, f) in place])
        self.sets["captions of the other folders"] = (self.everyday, [
            (t, i, t) for i, p in enumerate(self.everyday) if p.kind == "caption" and p.folder != "coco_mini" for t in p.texts])

    def probe_pairs(self):
        """probe -> [(picture, true caption, foil)] from Flickr8k's dev captions."""
        flickr = [p for p in self.dev if p.folder == "flickr8k"]
        for probe, words in PROBES.items():
            pairs = []
            for p in flickr:
                for c in p.texts:
                    hit = next((w for w in words if re.search(rf"\b{w}\b", c.lower())), None)
                    if hit:
                        pairs.append((p, c.lower(), re.sub(rf"\b{hit}\b", words[hit], c.lower())))
            yield probe, pairs

    def recalls(self, image, text):
        """{set: R@1, R@5, R@10, median rank}; `image` maps (folder, file) to a vector."""
        out = {}
        for name, (gallery, questions) in self.sets.items():
            scores = text([q for q, _, _ in questions]) @ stack(image, gallery).T
            out[name] = recall(scores, torch.tensor([i for _, i, _ in questions]))
        return out

    def by_word(self, image, text, language):
        """{word: (P@10, average precision)}."""
        pictures = stack(image, self.everyday)
        scores = text([row[language] for row, _, _ in self.words]) @ pictures.T
        return {row[language]: precision(s[counted], right[counted])
                for s, (row, right, counted) in zip(scores, self.words)}

    def everyday_figures(self, image, text):
        """{language: mean P@10, mAP, words under FEW, words}."""
        out = {}
        for language in ("en", "ru"):
            found = self.by_word(image, text, language).values()
            p, ap = (sum(x) / len(found) for x in zip(*found))
            out[f"everyday words, {language}"] = [p, ap, sum(x < FEW for x, _ in found), len(found)]
        return out

    def languages(self, image, text):
        """{language: top-1, top-5} of Caltech101's dev pictures by plain class names in
        that language, among the classes whose names were translated."""
        russian = {r["label_en"]: r["label_ru"] for r in corpus.own_texts("labels_ru.tsv")}
        names = {r["label_en"]: r | {"en": r["label_en"], "ru": russian[r["label_en"]]}
                 for r in corpus.own_texts("labels_multi.tsv") if r["label_en"] in russian}
        labels = sorted({p.label for p in self.dev if p.folder == "caltech101"} & set(names))
        members = [p for p in self.dev if p.folder == "caltech101" and p.label in names]
        target = torch.tensor([labels.index(p.label) for p in members])
        out = {}
        for language in next(iter(names.values())):
            if language != "label_en":
                scores = stack(image, members) @ text([names[l][language] for l in labels]).T
                out[f"{len(labels)} names, {language}"] = recall(scores, target)[:2]
        return out

    def probes(self, image, text):
        """{probe: how often the true caption beats its foil, number of pairs}."""
        out = {}
        for probe, pairs in self.probe_pairs():
            v = stack(image, [p for p, _, _ in pairs])
            true, foil = text([t for _, t, _ in pairs]), text([f for _, _, f in pairs])
            wins = ((v * true).sum(1) > (v * foil).sum(1)).float().mean().item()
            out["probe " + probe] = [100 * wins, len(pairs)]
        return out


def stack(image, pictures):
    return torch.stack([image[p.folder, p.file] for p in pictures])


def table(results):
    """{model: figures} -> a Markdown table, one row a figure."""
    names = list(dict.fromkeys(n for r in results.values() for n in r))
    lines = ["| | " + " | ".join(results) + " |", "|---" * (len(results) + 1) + "|"]
    for n in names:
        cells = ["/".join(f"{x:.0f}" for x in r.get(n, [])) for r in results.values()]
        lines.append(f"| {n} | " + " | ".join(cells) + " |")
    return "\n".join(lines)
