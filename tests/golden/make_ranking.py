"""make_ranking.py - goldens for src/engine/ranking.c: python3 make_ranking.py > ranking.tsv

One question a line: scores; numbers of the right ones; the excluded one (-1: none); then rank of the
first right one, average precision at 10 (standard; the tutorial's), by sorting everything.
"""
import random


def answer(scores, right, exclude):
    order = [i for i in sorted(range(len(scores)), key=lambda i: (-scores[i], i)) if i != exclude]
    right = [i for i in right if i != exclude]
    if not right:
        return 0, 0.0, 0.0
    rank = 1 + min(order.index(i) for i in right)
    hits, at_hits, everywhere = 0, 0.0, []
    for place, i in enumerate(order[:10], 1):
        hits += i in right
        everywhere.append(hits / place)
        if i in right:
            at_hits += hits / place
    return rank, at_hits / min(10, len(right)), sum(everywhere) / len(everywhere)


def main():
    rng = random.Random(7)
    for case in range(200):
        n = rng.choice([1, 2, 5, 9, 10, 11, 40, 100])
        levels = rng.choice([3, 1000])   # few levels: many ties
        scores = [rng.randrange(levels) / 8 for _ in range(n)]
        right = sorted(rng.sample(range(n), rng.randrange(0, min(n, 20) + 1)))
        exclude = rng.choice([-1, rng.randrange(n)])
        rank, ap, mean = answer(scores, right, exclude)
        print(" ".join(map(str, scores)), " ".join(map(str, right)), exclude, rank,
              f"{ap:.12f}", f"{mean:.12f}", sep="\t")


main()
