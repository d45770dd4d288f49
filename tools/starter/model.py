"""model.py - the PyTorch reference of a scry dual-encoder checkpoint.

Loads a published directory (models/starter) and computes embeddings; the C engine
is held against it layer by layer. The format is described in docs/model-format.md.

    model = load("models/starter")
    t = model.embed_texts(["a white dog", "белая собака"])        # [2, D], unit rows
    v = model.embed_images([PIL.Image.open("dog.jpg")])           # [1, D], unit rows

The same modules are what the training programs train: batch norm is folded into the
convolutions before the first step, so a trained module is published as it stands.
"""
import json
import math
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from safetensors.torch import load_file
from tokenizers import Tokenizer
from torch import nn


class SameConv2d(nn.Conv2d):
    """Convolution with TensorFlow's SAME padding: ceil(size / stride) outputs, the odd
    pixel of padding at the right and bottom."""

    def forward(self, x):  # [B, C, H, W] -> [B, O, ceil(H/s), ceil(W/s)]
        k, s = self.kernel_size[0], self.stride[0]
        pads = [max((math.ceil(n / s) - 1) * s + k - n, 0) for n in x.shape[-2:]]
        ph, pw = pads
        if ph or pw:
            x = F.pad(x, [pw // 2, pw - pw // 2, ph // 2, ph - ph // 2])
        return F.conv2d(x, self.weight, self.bias, self.stride, 0, 1, self.groups)


class MBConv(nn.Module):
    """Inverted residual: 1x1 expand, depthwise k x k, 1x1 project (no activation)."""

    def __init__(self, block):
        super().__init__()
        c_in, c_out, k, s = (block[n] for n in ("in_channels", "out_channels", "kernel", "stride"))
        mid = c_in * block["expand"]
        self.residual = s == 1 and c_in == c_out
        self.expand = SameConv2d(c_in, mid, 1) if block["expand"] != 1 else None
        self.depthwise = SameConv2d(mid, mid, k, s, groups=mid)
        self.project = SameConv2d(mid, c_out, 1)

    def forward(self, x):
        y = x if self.expand is None else F.relu6(self.expand(x))
        y = self.project(F.relu6(self.depthwise(y)))
        return x + y if self.residual else y


class EfficientNetLite(nn.Module):
    """Pixels [B, 3, S, S], already normalised -> pooled features [B, head_channels]."""

    def __init__(self, config):
        super().__init__()
        self.stem = SameConv2d(3, config["stem_channels"], 3, 2)
        self.blocks = nn.ModuleList(MBConv(b) for b in config["blocks"])
        self.head = SameConv2d(config["blocks"][-1]["out_channels"], config["head_channels"], 1)

    def forward(self, x):
        x = F.relu6(self.stem(x))
        for block in self.blocks:
            x = block(x)
        return F.relu6(self.head(x)).mean((2, 3))


class BertLayer(nn.Module):
    """Post-LN encoder layer; parameter names are those of transformers' BertModel."""

    def __init__(self, width, ffn, heads, eps):
        super().__init__()
        self.heads = heads
        self.attention = nn.ModuleDict({
            "self": nn.ModuleDict({n: nn.Linear(width, width) for n in ("query", "key", "value")}),
            "output": nn.ModuleDict({"dense": nn.Linear(width, width),
                                     "LayerNorm": nn.LayerNorm(width, eps)}),
        })
        self.intermediate = nn.ModuleDict({"dense": nn.Linear(width, ffn)})
        self.output = nn.ModuleDict({"dense": nn.Linear(ffn, width),
                                     "LayerNorm": nn.LayerNorm(width, eps)})

    def forward(self, x, mask):  # x [B, T, W], mask [B, 1, 1, T] bool
        B, T, W = x.shape
        q, k, v = (self.attention["self"][n](x).view(B, T, self.heads, -1).transpose(1, 2)
                   for n in ("query", "key", "value"))
        y = F.scaled_dot_product_attention(q, k, v, attn_mask=mask)
        y = self.attention["output"]["dense"](y.transpose(1, 2).reshape(B, T, W))
        x = self.attention["output"]["LayerNorm"](x + y)
        y = self.output["dense"](F.gelu(self.intermediate["dense"](x)))
        return self.output["LayerNorm"](x + y)


class BertEncoder(nn.Module):
    """Token ids and mask [B, T] -> mean of the last layer over real tokens [B, W]."""

    def __init__(self, config):
        super().__init__()
        width, eps = config["hidden_size"], config["layer_norm_eps"]
        self.embeddings = nn.ModuleDict({
            "word_embeddings": nn.Embedding(config["vocab_size"], width),
            "position_embeddings": nn.Embedding(config["max_position_embeddings"], width),
            "token_type_embeddings": nn.Embedding(config["type_vocab_size"], width),
            "LayerNorm": nn.LayerNorm(width, eps),
        })
        self.encoder = nn.ModuleDict({"layer": nn.ModuleList(
            BertLayer(width, config["intermediate_size"], config["num_attention_heads"], eps)
            for _ in range(config["num_hidden_layers"]))})

    def forward(self, ids, mask):
        e = self.embeddings
        x = (e["word_embeddings"](ids) + e["position_embeddings"].weight[: ids.shape[1]]
             + e["token_type_embeddings"].weight[0])
        x = e["LayerNorm"](x)
        attend = mask.bool()[:, None, None, :]
        for layer in self.encoder["layer"]:
            x = layer(x, attend)
        m = mask[:, :, None].to(x.dtype)
        return (x * m).sum(1) / m.sum(1)


class Softmax(nn.Module):
    def __init__(self, temperature):
        super().__init__()
        self.temperature = temperature

    def forward(self, x):
        return torch.softmax(x / self.temperature, -1)


def make_layer(spec):
    """One layer of a head branch from its entry in config.json."""
    kind = spec["type"]
    if kind == "linear":
        return nn.Linear(spec["in"], spec["out"], bias=spec["bias"])
    if kind == "softmax":
        return Softmax(spec["temperature"])
    if kind == "gelu":
        return nn.GELU()
    raise ValueError(f"unknown head layer {kind!r}")


class Head(nn.Module):
    """Branches side by side: each unit-normalised and weighted, all concatenated and
    unit-normalised again. Tensors are named `{branch}.{layer}.weight` and `.bias`."""

    def __init__(self, branches):
        super().__init__()
        self.weights = [b["weight"] for b in branches]
        self.branches = nn.ModuleList(
            nn.Sequential(*(make_layer(s) for s in b["layers"])) for b in branches)

    def apart(self, x):  # [B, tower width] -> the branches' unit vectors, not weighted
        return [F.normalize(b(x), dim=-1) for b in self.branches]

    def forward(self, x):  # [B, tower width] -> [B, D]
        parts = [w * v for w, v in zip(self.weights, self.apart(x))]
        return F.normalize(torch.cat(parts, -1), dim=-1)


def view(image, name, size):
    """One S x S view of an RGB picture: `centre` keeps the proportions and cuts the
    middle square, `squash` takes the whole picture and loses the proportions."""
    w, h = image.size
    if name == "squash":
        return image.resize((size, size), Image.BICUBIC)
    short = min(w, h)
    w, h = (size if w == short else size * w // h, size if h == short else size * h // w)
    image = image.resize((w, h), Image.BICUBIC)
    left, top = (w - size) // 2, (h - size) // 2
    return image.crop((left, top, left + size, top + size))


class TextMap(nn.Module):
    """Text vectors [N, D] -> [N, D], not normalised: a matrix, and for each known subject that the text is near to
    what is added. `tensors` are those of text_map.safetensors in float32 (docs/model-format.md)."""

    def __init__(self, tensors):
        super().__init__()
        self.weight = nn.Parameter(tensors["weight"])
        self.known = tensors.get("known")
        if self.known is not None:
            self.added, self.count, self.start = nn.Parameter(tensors["added"]), tensors["count"], float(tensors["from"])
            self.subject = torch.repeat_interleave(torch.arange(len(self.count)), self.count.long())

    def near(self, x):  # [N, D] -> [N, subjects]: 0 up to the cosine `start`, 1 at a known word
        cosines = F.normalize(x, dim=-1) @ self.known.T
        best = x.new_full((len(x), len(self.added)), -1).scatter_reduce(1, self.subject.expand(len(x), -1), cosines, "amax")
        return F.relu((best - self.start) / (1 - self.start))

    def forward(self, x, near=None):
        y = x @ self.weight.T
        if self.known is None:
            return y
        return y + x.norm(dim=-1, keepdim=True) * ((self.near(x) if near is None else near) @ self.added)


class DualEncoder(nn.Module):
    """The whole model. `vision` and `text` are the towers, the heads map into one space."""

    def __init__(self, config, preprocessor, tokenizer):
        super().__init__()
        self.config, self.preprocessor, self.tokenizer = config, preprocessor, tokenizer
        self.vision_model = EfficientNetLite(config["vision_config"])
        self.text_model = BertEncoder(config["text_config"])
        self.vision_head = Head(config["vision_head"])
        self.text_head = Head(config["text_head"])
        self.text_map = None   # a TextMap

    def pixels(self, images):
        """Pictures -> [len(images) * views, 3, S, S], the views of a picture adjacent."""
        p = self.preprocessor
        size = p["size"]["height"]
        views = [view(im.convert("RGB"), v, size) for im in images for v in p["views"]]
        x = torch.from_numpy(np.stack([np.asarray(v) for v in views])).float()
        x = x * p["rescale_factor"]
        x = (x - torch.tensor(p["image_mean"])) / torch.tensor(p["image_std"])
        return x.permute(0, 3, 1, 2).contiguous(memory_format=torch.channels_last)

    @torch.no_grad()
    def embed_images(self, images):
        e = self.vision_head(self.vision_model(self.pixels(images)))
        return F.normalize(e.view(len(images), -1, e.shape[-1]).mean(1), dim=-1)

    @torch.no_grad()
    def embed_texts(self, texts):
        prefix = self.config["text_config"]["prefix"]
        enc = self.tokenizer.encode_batch([prefix + t for t in texts])
        ids = torch.tensor([e.ids for e in enc])
        mask = torch.tensor([e.attention_mask for e in enc])
        e = self.text_head(self.text_model(ids, mask))
        return e if self.text_map is None else F.normalize(self.text_map(e), dim=-1)


def dequantise(tensors):
    """int8 `X` with `X.scale` (one float a row) -> float X; everything else as float32."""
    return {name: (t.float() * tensors[name + ".scale"].float().view(-1, *[1] * (t.dim() - 1))
                   if t.dtype == torch.int8 else t.float())
            for name, t in tensors.items() if not name.endswith(".scale")}


def load_tokenizer(path, max_tokens):
    """A tokenizer.json that cuts at `max_tokens` (the end mark kept) and pads a batch."""
    tokenizer = Tokenizer.from_file(str(path))
    tokenizer.enable_truncation(max_tokens)
    tokenizer.enable_padding(pad_id=tokenizer.token_to_id("<pad>"), pad_token="<pad>")
    return tokenizer


def load(directory):
    """The published model, in float32, ready to embed."""
    d = Path(directory)
    config = json.loads((d / "config.json").read_text())
    preprocessor = json.loads((d / "preprocessor_config.json").read_text())
    tokenizer = load_tokenizer(d / "tokenizer.json",
                               config["text_config"]["max_position_embeddings"])
    model = DualEncoder(config, preprocessor, tokenizer)
    model.load_state_dict(dequantise(load_file(d / "model.safetensors")))
    if (d / "text_map.safetensors").exists():
        model.text_map = TextMap(dequantise(load_file(d / "text_map.safetensors")))
    return model.eval()
