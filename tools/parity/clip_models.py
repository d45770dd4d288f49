"""clip_models.py - CLIP and SigLIP checkpoints with random weights, as Hugging Face directories.

    python3 tools/parity/clip_models.py b32 OUT        # or b16, l14, l14-336, odd, wide, siglip-b16, siglip-so400m, siglip2-naflex
    python3 tools/parity/clip_models.py b32 OUT --dtype float16

Parity is arithmetic, not quality: weights from a fixed seed exercise every operation that
trained ones do. Their spread is chosen so that activations and attention look alive
(attention neither uniform nor one-hot, residual streams growing as in trained towers).
Needs torch and transformers. The vocabulary is CLIP's own, from models/clip-bpe.
"""
import argparse
import json
import re
import string
from pathlib import Path

import torch
from transformers import CLIPConfig, CLIPModel

TOP = Path(__file__).resolve().parents[2]

# image: size, patch, width, layers, heads, ffn; text: width, layers, heads, ffn; dim; activation
SHAPES = {
    "b32": ((224, 32, 768, 12, 12, 3072), (512, 12, 8, 2048), 512, "quick_gelu"),
    "b16": ((224, 16, 768, 12, 12, 3072), (512, 12, 8, 2048), 512, "quick_gelu"),
    "l14": ((224, 14, 1024, 24, 16, 4096), (768, 12, 12, 3072), 768, "quick_gelu"),
    "l14-336": ((336, 14, 1024, 24, 16, 4096), (768, 12, 12, 3072), 768, "quick_gelu"),
    "odd": ((70, 7, 90, 3, 5, 203), (84, 2, 7, 101), 37, "gelu"),
    "wide": ((96, 48, 160, 2, 2, 640), (256, 2, 2, 512), 96, "gelu"),
}


# image: size, patch, width, layers, heads, ffn; text layers. The text tower is as wide.
SIGLIP_SHAPES = {
    "siglip-b16": (224, 16, 768, 12, 12, 3072, 12),
    "siglip-so400m": (384, 14, 1152, 2, 16, 4304, 2),   # of its 27 layers two: 384 is no multiple of 14
    "siglip2-naflex": (0, 16, 768, 12, 12, 3072, 12),   # pictures of any shape
}


def byte_alphabet():
    """GPT-2's printable stand-ins for the 256 bytes, in the order of CLIP's vocabulary."""
    keep = [*range(33, 127), *range(161, 173), *range(174, 256)]
    extra = [b for b in range(256) if b not in keep]
    return [chr(b) for b in keep] + [chr(256 + i) for i in range(len(extra))]


def write_tokenizer(out, merges=None):
    """vocab.json and merges.txt; `merges` is the list of merge lines, CLIP's by default."""
    if merges is None:
        merges = (TOP / "models/clip-bpe/merges.txt").read_text("utf-8").split("\n")
        merges = [m for m in merges if m and not m.startswith("#version")]
    bytes_ = byte_alphabet()
    vocab = bytes_ + [b + "</w>" for b in bytes_] + [m.replace(" ", "") for m in merges]
    vocab += ["<|startoftext|>", "<|endoftext|>"]
    ids = {piece: i for i, piece in enumerate(vocab)}
    (out / "vocab.json").write_text(json.dumps(ids, ensure_ascii=False), "utf-8")
    (out / "merges.txt").write_text("#version: 0.2\n" + "\n".join(merges) + "\n", "utf-8")
    return len(vocab)


def canonical(text):
    """big_vision's canonicalize_text, as transformers' SiglipTokenizer has it."""
    text = text.lower().translate(str.maketrans("", "", string.punctuation))
    return re.sub(r"\s+", " ", text).strip()


def unigram(pieces, start, end, unknown):
    """A tokenizer of T5's or XLM-R's kind over `pieces`; `start` may be None."""
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
    tokenizer = Tokenizer(models.Unigram([(p, -1.0 - 0.1 * i) for i, p in enumerate(pieces)],
                                         unk_id=pieces.index(unknown)))
    tokenizer.normalizer = normalizers.Sequence([normalizers.NFKC(), normalizers.Lowercase()])
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Metaspace(prepend_scheme="always")])
    specials = [p for p in (start, end) if p]
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{start} $A {end}" if start else f"$A {end}",
        special_tokens=[(p, pieces.index(p)) for p in specials])
    tokenizer.add_special_tokens([p for p in pieces if p.startswith("<")])
    return tokenizer


def write_unigram(out, specials, start, ids=0):
    """A folder's tokenizer of letters and made-up pieces, at least `ids`, padded with </s>; returns how many ids it has."""
    pieces = specials + ["\u2581"] + list(string.ascii_lowercase + string.digits)
    made = [f"\u2581{a}{b}" for a in string.ascii_lowercase for b in string.ascii_lowercase]
    pieces += made
    while len(pieces) < ids:   # longer and longer ones
        made = [m + c for m in made for c in string.ascii_lowercase]
        pieces += made[:ids - len(pieces)]
    unigram(pieces, start, "</s>", "<unk>").save(str(out / "tokenizer.json"))
    (out / "tokenizer_config.json").write_text(json.dumps({"pad_token": "</s>"}))
    return len(pieces)


def write_wordpiece(out, pieces=None):
    """A folder's tokenizer as bert-base-uncased publishes it, of letters by default; returns how many ids it has."""
    from tokenizers import BertWordPieceTokenizer
    letters = list(string.ascii_lowercase + string.digits + string.punctuation)
    pieces = pieces or ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *letters, *("##" + c for c in string.ascii_lowercase)]
    tokenizer = BertWordPieceTokenizer({p: i for i, p in enumerate(pieces)}, lowercase=True)
    tokenizer.save(str(out / "tokenizer.json"))
    (out / "tokenizer_config.json").write_text(json.dumps({"pad_token": "[PAD]", "tokenizer_class": "BertTokenizer"}))
    return len(pieces)


def make_siglip(shape, out, seed=7):
    """The same for SigLIP and SigLIP 2 NaFlex, with a unigram tokenizer of letters and made-up pieces."""
    from transformers import Siglip2Config, Siglip2Model, SiglipConfig, SiglipModel
    size, patch, width, layers, heads, ffn, text_layers = SIGLIP_SHAPES[shape]
    out = Path(out)
    out.mkdir(parents=True, exist_ok=True)
    vocab = write_unigram(out, ["<pad>", "</s>", "<unk>"], None)
    tower = dict(hidden_size=width, num_attention_heads=heads, intermediate_size=ffn)
    kind, config = (SiglipModel, SiglipConfig) if size else (Siglip2Model, Siglip2Config)
    pictures = dict(image_size=size, patch_size=patch) if size else dict(num_patches=256, patch_size=patch)
    model = kind(config(
        text_config=dict(tower, num_hidden_layers=text_layers, vocab_size=vocab, projection_size=width,
                         bos_token_id=None, eos_token_id=1),
        vision_config=dict(tower, num_hidden_layers=layers, **pictures)))
    randomise(model, seed)
    model.save_pretrained(out, safe_serialization=True)
    geometry = {"image_processor_type": "SiglipImageProcessor", "resample": 3, "size": {"height": size, "width": size}}
    if not size:
        geometry = {"image_processor_type": "Siglip2ImageProcessor", "resample": 2, "max_num_patches": 256, "patch_size": patch}
    (out / "preprocessor_config.json").write_text(json.dumps({
        "do_normalize": True, "do_rescale": True, "do_resize": True, "image_mean": [0.5] * 3, "image_std": [0.5] * 3,
        "rescale_factor": 1 / 255, **geometry}))
    return model.float().eval()


def write_preprocessor(out, size):
    (out / "preprocessor_config.json").write_text(json.dumps({
        "crop_size": {"height": size, "width": size}, "do_center_crop": True,
        "do_convert_rgb": True, "do_normalize": True, "do_rescale": True, "do_resize": True,
        "image_mean": [0.48145466, 0.4578275, 0.40821073],
        "image_std": [0.26862954, 0.26130258, 0.27577711],
        "image_processor_type": "CLIPImageProcessor", "resample": 3,
        "rescale_factor": 1 / 255, "size": {"shortest_edge": size}}, indent=1))


def randomise(model, seed):
    """Weights whose products keep their input's size; norms and biases not at rest."""
    g = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, p in sorted(model.named_parameters()):
            if p.dim() >= 2 and "embedding" not in name:
                p.normal_(0, 1.6 / (p[0].numel() ** 0.5), generator=g)
            elif p.dim() >= 2:
                p.normal_(0, 0.7, generator=g)
            elif p.dim() == 1 and name.endswith("weight"):
                p.normal_(1, 0.2, generator=g)
            elif p.dim() == 1:
                p.normal_(0, 0.2, generator=g)


def add_outliers(model, factor, seed, balanced):
    """Three channels of every norm `factor` times as large, as trained towers have them;
    balanced: the weights behind the norm that much smaller, so that the tower computes what
    it did, else its attention becomes sharper too."""
    g = torch.Generator().manual_seed(seed)
    modules = dict(model.named_modules())
    with torch.no_grad():
        for name, norm in sorted(modules.items()):
            if "layer_norm" not in name or "layers" not in name:
                continue
            channels = torch.randperm(norm.weight.numel(), generator=g)[:3]
            norm.weight[channels] *= factor
            if balanced:
                norm.bias[channels] *= factor
                layer = name.split(".layer_norm")[0]
                for b in ["mlp.fc1"] if "layer_norm2" in name else [f"self_attn.{x}_proj" for x in "qkv"]:
                    modules[f"{layer}.{b}"].weight[:, channels] /= factor


def make(shape, out, dtype="float32", seed=7, merges=None, context=77, outliers=1, balanced=False):
    """Write the directory and return the model in float32 (with the stored values)."""
    (size, patch, width, layers, heads, ffn), text, dim, act = SHAPES[shape]
    out = Path(out)
    out.mkdir(parents=True, exist_ok=True)
    vocab = write_tokenizer(out, merges)
    config = CLIPConfig(
        text_config=dict(vocab_size=vocab, hidden_size=text[0], num_hidden_layers=text[1],
                         num_attention_heads=text[2], intermediate_size=text[3], hidden_act=act,
                         max_position_embeddings=context, projection_dim=dim,
                         bos_token_id=vocab - 2, eos_token_id=vocab - 1, pad_token_id=vocab - 1),
        vision_config=dict(image_size=size, patch_size=patch, hidden_size=width,
                           num_hidden_layers=layers, num_attention_heads=heads,
                           intermediate_size=ffn, hidden_act=act, projection_dim=dim),
        projection_dim=dim)
    model = CLIPModel(config)
    randomise(model, seed)
    if outliers != 1:
        add_outliers(model, outliers, seed, balanced)
    model = model.to(getattr(torch, dtype))
    model.save_pretrained(out, safe_serialization=True)
    write_preprocessor(out, size)
    return model.float().eval()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("shape", choices=[*SHAPES, *SIGLIP_SHAPES])
    parser.add_argument("out")
    parser.add_argument("--dtype", default="float32", choices=["float32", "float16", "bfloat16"])
    args = parser.parse_args()
    if args.shape in SIGLIP_SHAPES:
        make_siglip(args.shape, args.out)
    else:
        make(args.shape, args.out, args.dtype)
