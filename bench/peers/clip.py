"""clip.py - the two towers as plain PyTorch modules with the weights of a checkpoint.

transformers' own modules carry what a trace for other runtimes stumbles over; these are the same
arithmetic (checked by the tower stage: cosine to scry's float32) and export cleanly.
"""
import json
from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import nn
from torch.nn import functional as F


class Block(nn.Module):
    def __init__(self, width, heads, hidden):
        super().__init__()
        self.heads = heads
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.qkv, self.out = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.fc1, self.fc2 = nn.Linear(width, hidden), nn.Linear(hidden, width)

    def forward(self, x, causal):     # [N, T, D]
        n, t, d = x.shape
        q, k, v = self.qkv(self.norm1(x)).view(n, t, 3, self.heads, d // self.heads).permute(2, 0, 3, 1, 4)
        x = x + self.out(F.scaled_dot_product_attention(q, k, v, is_causal=causal).transpose(1, 2).reshape(n, t, d))
        h = self.fc1(self.norm2(x))
        return x + self.fc2(h * torch.sigmoid(1.702 * h))


def load_blocks(blocks, state, prefix):
    for i, block in enumerate(blocks):
        p = f"{prefix}.encoder.layers.{i}."
        for mine, theirs in (("norm1", "layer_norm1"), ("norm2", "layer_norm2"), ("out", "self_attn.out_proj"),
                             ("fc1", "mlp.fc1"), ("fc2", "mlp.fc2")):
            for part in ("weight", "bias"):
                getattr(getattr(block, mine), part).data = state[f"{p}{theirs}.{part}"]
        for part in ("weight", "bias"):
            getattr(block.qkv, part).data = torch.cat([state[f"{p}self_attn.{x}_proj.{part}"] for x in "qkv"])


class Image(nn.Module):
    def __init__(self, state, config):
        super().__init__()
        c = config["vision_config"]
        width, patch = c["hidden_size"], c["patch_size"]
        self.patches = nn.Conv2d(3, width, patch, patch, bias=False)
        self.patches.weight.data = state["vision_model.embeddings.patch_embedding.weight"]
        self.token = nn.Parameter(state["vision_model.embeddings.class_embedding"])
        self.places = nn.Parameter(state["vision_model.embeddings.position_embedding.weight"])
        self.before, self.after = nn.LayerNorm(width), nn.LayerNorm(width)
        for mine, theirs in ((self.before, "pre_layrnorm"), (self.after, "post_layernorm")):
            mine.weight.data, mine.bias.data = (state[f"vision_model.{theirs}.{p}"] for p in ("weight", "bias"))
        self.blocks = nn.ModuleList(Block(width, c["num_attention_heads"], c["intermediate_size"])
                                    for _ in range(c["num_hidden_layers"]))
        load_blocks(self.blocks, state, "vision_model")
        self.head = nn.Parameter(state["visual_projection.weight"])

    def forward(self, pixels):        # [N, 3, S, S]
        x = self.patches(pixels).flatten(2).transpose(1, 2)
        x = torch.cat([self.token.expand(x.shape[0], 1, -1), x], 1) + self.places
        x = self.before(x)
        for block in self.blocks:
            x = block(x, False)
        return F.linear(self.after(x[:, 0]), self.head)


class Text(nn.Module):
    """Ids [N, T] with the place of each text's end, as far as they are needed or padded to 77."""

    def __init__(self, state, config):
        super().__init__()
        c = config["text_config"]
        width = c["hidden_size"]
        self.words = nn.Parameter(state["text_model.embeddings.token_embedding.weight"])
        self.places = nn.Parameter(state["text_model.embeddings.position_embedding.weight"])
        self.after = nn.LayerNorm(width)
        self.after.weight.data, self.after.bias.data = (state[f"text_model.final_layer_norm.{p}"]
                                                        for p in ("weight", "bias"))
        self.blocks = nn.ModuleList(Block(width, c["num_attention_heads"], c["intermediate_size"])
                                    for _ in range(c["num_hidden_layers"]))
        load_blocks(self.blocks, state, "text_model")
        self.head = nn.Parameter(state["text_projection.weight"])

    def forward(self, ids, ends):     # [N, T], [N]
        x = F.embedding(ids, self.words) + self.places[:ids.shape[1]]
        for block in self.blocks:
            x = block(x, True)
        x = torch.gather(x, 1, ends[:, None, None].expand(-1, 1, x.shape[2]))[:, 0]
        return F.linear(self.after(x), self.head)


def tower(kind, model):
    """The image or text tower of a checkpoint folder, ready to run."""
    state = {k: v.float() for k, v in load_file(Path(model) / "model.safetensors").items()}
    config = json.loads((Path(model) / "config.json").read_text())
    return (Image if kind == "image" else Text)(state, config).eval()
