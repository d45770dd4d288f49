"""check_eval.py EVAL.json PICTURES.npy TEXTS.npy OWNER... - recall, rank and average precision once more,
by sorting, from the vectors that `scry embed` wrote; OWNER i is the picture of text i."""
import array
import json
import sys


def rows(path):
    with open(path, "rb") as f:
        data = f.read()
    header = data[10:10 + int.from_bytes(data[8:10], "little")].decode()
    n, dim = (int(x) for x in header.split("(")[1].split(")")[0].split(","))
    v = array.array("f", data[-4 * n * dim:])
    return [v[i * dim:(i + 1) * dim] for i in range(n)]


report = json.load(open(sys.argv[1]))["models"][0]["figures"]
pictures, texts, owner = rows(sys.argv[2]), rows(sys.argv[3]), [int(x) for x in sys.argv[4:]]
ranks, back = [], []
for t, o in zip(texts, owner):
    scores = [sum(a * b for a, b in zip(t, p)) for p in pictures]
    ranks.append(1 + sorted(range(len(pictures)), key=lambda i: -scores[i]).index(o))
for i, p in enumerate(pictures):
    if i in owner:
        order = sorted(range(len(texts)), key=lambda k: -sum(a * b for a, b in zip(texts[k], p)))
        back.append(1 + min(order.index(k) for k, o in enumerate(owner) if o == i))
ordered = sorted(ranks)
expected = {
    "recall_at_1": sum(r <= 1 for r in ranks) / len(ranks),
    "recall_at_5": sum(r <= 5 for r in ranks) / len(ranks),
    "recall_at_10": sum(r <= 10 for r in ranks) / len(ranks),
    "median_rank": (ordered[(len(ordered) - 1) // 2] + ordered[len(ordered) // 2]) / 2,
    "map_at_10": sum(1 / r if r <= 10 else 0 for r in ranks) / len(ranks),
    "map_at_10_tutorial": sum(sum((i >= r) / i for i in range(1, 11)) / 10 for r in ranks) / len(ranks),
    "picture_to_text_recall_at_5": sum(r <= 5 for r in back) / len(back),
}
bad = {k: (report[k]["value"], v) for k, v in expected.items() if abs(report[k]["value"] - v) > 1e-6}
print("equal" if not bad else bad)
