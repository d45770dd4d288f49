#!/usr/bin/env python3
"""steps.py - what PyTorch computes when it trains the last blocks of the tiny checkpoints: tests/golden/steps/FAMILY.safetensors.

    tools/tune/steps.py [clip metaclip siglip open_clip open_clip_siglip]

The inputs of the first trained block (rounded to halves, as scry tune keeps them), the gradients at the start (of each tensor the
norm and the first numbers) and the losses of 50 steps of AdamW, by transformers and open_clip in double precision. Needs torch,
transformers, safetensors; open_clip for the last two (tools/parity/open_clip_import.py).
"""
import json
import re
import sys
from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors.torch import load_file, save_file

TOP = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(TOP / "tests/golden"), str(TOP / "tools/parity")]
import make_models as tiny  # noqa: E402

OUT = TOP / "tests/golden/steps"
DEPTH, STEPS, RATE, PICTURES = 2, 50, 1e-3, 6
PAIRS = [(0, 0), (1, 1), (2, 2), (3, 3), (0, 4), (1, 5)]
TRAINED = re.compile(r"post_layernorm|final_layer_norm|vision_model\.head\.|text_model\.head\.|text_projection|visual_projection"
                     r"|visual\.ln_post|ln_final|visual\.proj$|visual\.trunk\.norm\.|attn_pool")


def ids_of(folder):
    golden = load_file(folder / "golden.safetensors")
    starts = golden["starts"].int().tolist()
    return [golden["ids"][a:b].long() for a, b in zip(starts, starts[1:])]


def value(out):
    return out if torch.is_tensor(out) else out.pooler_output


class Transformers:
    def __init__(self, folder):
        from transformers import AutoModel
        self.model = AutoModel.from_pretrained(folder, dtype=torch.float32, attn_implementation="eager").double().eval()
        spec = json.loads((folder / "preprocessor_config.json").read_text())
        self.pixels = tiny.normalised(tiny.pictures(self.model.config.vision_config.image_size, PICTURES), spec).double()
        self.ids = ids_of(folder)
        self.causal = self.model.config.model_type != "siglip"
        end = self.model.config.text_config.eos_token_id
        self.read = [ids.tolist().index(end) if self.causal else len(ids) - 1 for ids in self.ids]
        self.stacks = self.model.vision_model.encoder.layers, self.model.text_model.encoder.layers

    def pictures(self):
        return value(self.model.get_image_features(pixel_values=self.pixels))

    def text(self, ids):
        return value(self.model.get_text_features(input_ids=ids[None]))


class OpenClip:
    def __init__(self, folder):
        from open_clip_import import open_clip
        from open_clip.transform import PreprocessCfg
        config = json.loads((folder / "open_clip_config.json").read_text())
        cfg = config["model_cfg"]
        if "timm_model_name" in cfg["vision_cfg"]:
            self.model = self.with_timm(cfg)
        else:
            self.model = open_clip.CLIP(cfg["embed_dim"], open_clip.CLIPVisionCfg(**cfg["vision_cfg"]),
                                        open_clip.CLIPTextCfg(**cfg["text_cfg"]), quick_gelu=False)
        self.model.load_state_dict(load_file(folder / "open_clip_model.safetensors"), strict=False)
        self.model = self.model.double().eval()
        p = PreprocessCfg(**config["preprocess_cfg"])
        spec = {"image_mean": p.mean, "image_std": p.std, "rescale_factor": 1 / 255}
        self.pixels = tiny.normalised(tiny.pictures(cfg["vision_cfg"]["image_size"], PICTURES), spec).double()
        self.ids = ids_of(folder)
        context = cfg["text_cfg"]["context_length"]
        self.ids = [F.pad(ids, (0, context - len(ids))) for ids in self.ids]
        siglip = "timm_model_name" in cfg["vision_cfg"]
        self.causal = not siglip
        self.read = [len(ids) - 1 if siglip else int(ids.argmax()) for ids in self.ids]
        self.stacks = (self.model.visual.trunk.blocks, self.model.text.transformer.resblocks) if siglip else (
            self.model.visual.transformer.resblocks, self.model.transformer.resblocks)

    @staticmethod
    def with_timm(cfg):
        from open_clip.model import CLIPTextCfg, _build_text_tower

        class Both(torch.nn.Module):
            def __init__(self):
                super().__init__()
                self.visual = torch.nn.Module()
                self.visual.trunk = tiny.timm_tower("siglip")
                self.text = _build_text_tower(cfg["embed_dim"], CLIPTextCfg(**cfg["text_cfg"]))
                self.logit_scale = torch.nn.Parameter(torch.zeros([]))

            def encode_image(self, x):
                return self.visual.trunk(x)

            def encode_text(self, x):
                return self.text(x)
        return Both()

    def pictures(self):
        return self.model.encode_image(self.pixels)

    def text(self, ids):
        return self.model.encode_text(ids[None])


def make(name):
    folder = TOP / "tests/golden/models" / name
    m = (OpenClip if name.startswith("open_clip") else Transformers)(folder)
    golden, states = {}, ([], [])
    firsts = [len(stack) - DEPTH for stack in m.stacks]

    def rounded(side):
        def hook(module, args, kwargs):
            x = (args[0] if args else kwargs["hidden_states"]).half()
            states[side].append(x)
            if args:
                return (x.double(),) + args[1:], kwargs
            return args, {**kwargs, "hidden_states": x.double()}
        return hook
    for side in 0, 1:
        m.stacks[side][firsts[side]].register_forward_pre_hook(rounded(side), with_kwargs=True)
    trained = {}
    blocks = [id(p) for side in (0, 1) for block in m.stacks[side][firsts[side]:] for p in block.parameters()]
    for n, p in m.model.named_parameters():
        p.requires_grad_(id(p) in blocks or bool(TRAINED.search(n)))
        if p.requires_grad:
            trained[n] = p
    scale = m.model.logit_scale.detach().exp() if name != "open_clip_siglip" else torch.tensor(10.0)
    texts, pictures = torch.tensor(PAIRS).T
    texts = texts % len(m.ids)
    same = (texts[:, None] == texts) | (pictures[:, None] == pictures)
    target = same.double() / same.sum(1, keepdim=True)

    def loss_of():
        u = F.normalize(torch.cat([m.text(ids) for ids in m.ids]), dim=1)[texts]
        v = F.normalize(m.pictures(), dim=1)[pictures]
        logits = scale * u @ v.T
        return (F.cross_entropy(logits, target) + F.cross_entropy(logits.T, target)) / 2
    optimiser = torch.optim.AdamW([
        {"params": [p for p in trained.values() if p.dim() > 1], "weight_decay": 0.1},
        {"params": [p for p in trained.values() if p.dim() == 1], "weight_decay": 0.0}], lr=RATE, betas=(0.9, 0.98), eps=1e-8)
    losses = []
    for step in range(STEPS):
        optimiser.zero_grad()
        loss = loss_of()
        loss.backward()
        if step == 0:
            for n, p in trained.items():
                golden[f"norm.{n}"] = p.grad.norm().view(1)
                golden[f"head.{n}"] = p.grad.flatten()[:48].clone()   # clipped in place below
            golden["image.in"] = torch.cat(states[0])
            rows = [s[0, :r + 1] if m.causal else s[0] for s, r in zip(states[1], m.read)]
            golden["text.in"] = torch.cat(rows)
            golden["text.rows"] = torch.tensor([len(r) for r in rows])
        losses.append(loss.item())
        torch.nn.utils.clip_grad_norm_(trained.values(), 1.0)
        optimiser.step()
    golden["texts_of"] = texts
    golden["losses"] = torch.tensor(losses)
    golden["scale"] = scale.view(1)
    OUT.mkdir(exist_ok=True)
    path = OUT / f"{name}.safetensors"
    save_file({k: (v if k.endswith(".in") else v.float()).detach().contiguous().clone() for k, v in golden.items()}, path)
    path.chmod(0o644)
    print(name, path.stat().st_size, "bytes,", len(trained), "tensors, losses", [round(losses[i], 4) for i in (0, 1, 9, 24, 49)])


for family in sys.argv[1:] or ("clip", "metaclip", "siglip", "open_clip", "open_clip_siglip"):
    make(family)
