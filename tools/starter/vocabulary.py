"""vocabulary.py - the part of e5's unigram vocabulary that the starter keeps.

A piece stays when the words people use in the wanted languages need it: the frequency
lists of `wordfreq` are segmented with the whole vocabulary, lower-cased, and the pieces
that carry most of the use are kept, together with every single character that occurs.
"""
import json
import math
import re
from collections import Counter

from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors
from wordfreq import get_frequency_dict

# Language -> how many of its most frequent words choose pieces.
LANGUAGES = {"en": 60000, "ru": 60000, "de": 40000, "fr": 40000, "es": 40000, "it": 40000,
             "pt": 40000, "pl": 40000, "uk": 40000, "nl": 20000, "zh": 30000, "ja": 30000}
SPECIALS = ["<s>", "<pad>", "</s>", "<unk>"]


def make_tokenizer(pieces):
    """NFKC, lower case, words by white space, each with a leading mark, unigram pieces."""
    t = Tokenizer(models.Unigram(pieces, unk_id=3, byte_fallback=False))
    t.normalizer = normalizers.Sequence([normalizers.NFKC(), normalizers.Lowercase()])
    t.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Metaspace(prepend_scheme="always")])
    t.decoder = decoders.Metaspace(prepend_scheme="always")
    t.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", special_tokens=[("<s>", 0), ("</s>", 2)])
    t.add_special_tokens(SPECIALS)
    return t


def prune(pieces, texts, size):
    """(kept pieces, their rows in the full vocabulary). `pieces` is [(piece, score)] of the
    full vocabulary in order; `texts` are segmented too and keep whatever they need."""
    rows = [i for i, (p, _) in enumerate(pieces) if i < 4 or p == p.lower()]
    full = make_tokenizer([pieces[i] for i in rows])
    use = Counter()
    for language, count in LANGUAGES.items():
        words = sorted(get_frequency_dict(language, "best").items(),
                       key=lambda w: (-w[1], w[0]))[:count]
        for (_, f), enc in zip(words, full.encode_batch([w for w, _ in words],
                                                         add_special_tokens=False)):
            for i in enc.ids:
                use[i] += f ** 0.5
    for enc in full.encode_batch(texts, add_special_tokens=False):
        for i in set(enc.ids):
            use[i] += 1e-4
    singles = {i for i in use if len(full.id_to_token(i).lstrip("▁")) <= 1}
    kept = set(range(4)) | singles
    for i, _ in use.most_common():
        if len(kept) >= size:
            break
        kept.add(i)
    kept = sorted(kept)
    return [pieces[rows[i]] for i in kept], [rows[i] for i in kept]
