#!/usr/bin/env python3
"""tower_parity.py - the vectors of `scry embed` against transformers and open_clip.

    python3 tools/parity/tower_parity.py                      # random HF models: b32 b16 l14 odd wide
    python3 tools/parity/tower_parity.py b32 --precision int8 [--outliers 10 [--balanced]]
    python3 tools/parity/tower_parity.py --model DIR          # a real Hugging Face checkpoint
    oc/bin/python tools/parity/tower_parity.py open_clip      # random open_clip models
    oc/bin/python tools/parity/tower_parity.py open_clip --model DIR

Weights are random from a fixed seed unless a folder is given; pictures are PNGs of the
model's own size, so that no resampling takes part (but of several shapes for SigLIP 2 NaFlex). The reference runs in float32 on the
stored weights. Exit status 1 when a cosine is below its limit: fp32 0.99999, bf16 0.999,
int8 0.995. Needs torch, transformers (or open_clip, see open_clip_import.py), numpy, pillow.
"""
import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import torch
from PIL import Image

TOP = Path(__file__).resolve().parents[2]
LIMITS = {"fp32": 0.99999, "bf16": 0.999, "int8": 0.995}
TEXTS = [
    "a white dog on the beach", "x", "Two people riding horses at sunset, seen from behind.",
    "naïve café - 日本語 и кириллица", "a photo of a cat " * 40,
]
SHAPES = [(640, 427), (300, 1000), (1500, 90), (256, 256), (37, 50)]   # of pictures that keep their shape
OPEN_CLIP = {   # name: open_clip's own name, and whether it means QuickGELU
    "b32": ("ViT-B-32", False), "b16": ("ViT-B-16", False), "l14-quickgelu": ("ViT-L-14-quickgelu", True),
    "siglip-b16": ("ViT-B-16-SigLIP", False), "siglip2-b32": ("ViT-B-32-SigLIP2-256", False),
    "siglip2-b16-256": ("ViT-B-16-SigLIP2-256", False),
    "mobileclip2-l14": ("MobileCLIP2-L-14", False), "pe-core-t16": ("PE-Core-T-16-384", False), "pe-core-b16": ("PE-Core-B-16", False),
    "metaclip2-l14": ("ViT-L-14-worldwide", False), "mobileclip2-s0": ("MobileCLIP2-S0", False),
    "mobileclip-s1": ("MobileCLIP-S1", False), "mobileclip2-s2": ("MobileCLIP2-S2", False),
    "mobileclip2-s3": ("MobileCLIP2-S3", False), "mobileclip2-s4": ("MobileCLIP2-S4", False),
    "mobileclip2-b": ("MobileCLIP2-B", False), "eva02-b16": ("EVA02-B-16", False), "eva02-l14": ("EVA02-L-14", False),
    "eva02-l14-336": ("EVA02-L-14-336", False), "clipa-l14": ("ViT-L-14-CLIPA", False),
    "convnext-b": ("convnext_base_w", False), "convnext-l": ("convnext_large_d_320", False),
    "convnext-xxl": ("convnext_xxlarge", False), "eva-g14": ("EVA01-g-14", False),
    "siglip2-naflex-b16": ("ViT-B-16-SigLIP2-naflex", False), "siglip2-naflex-so400m": ("ViT-SO400M-16-SigLIP2-naflex", False),
    "siglip2-naflex-b16-squares": ("ViT-B-16-SigLIP2-naflex", False),   # without image_seq_len
    "siglip-i18n-b16": ("ViT-B-16-SigLIP-i18n-256", False), "siglip-i18n-so400m": ("ViT-SO400M-16-SigLIP-i18n-256", False),
}


def pictures(folder, size, n):
    """Blocks with noise, as PNGs; returns the bytes [n, size, size, 3] and the list file."""
    rng = np.random.default_rng(5)
    coarse = rng.integers(0, 256, (n, 7, 7, 3))
    x = coarse.repeat(size // 7 + 1, 1).repeat(size // 7 + 1, 2)[:, :size, :size]
    x = np.clip(x + rng.integers(-30, 31, x.shape), 0, 255).astype(np.uint8)
    names = []
    for i, p in enumerate(x):
        names.append(str(folder / f"{i}.png"))
        Image.fromarray(p).save(names[-1])
    (folder / "images.txt").write_text("\n".join(names) + "\n")
    return torch.from_numpy(x), folder / "images.txt"


def normalised(x, mean, std):
    x = x.float() / 255
    return ((x - torch.tensor(mean)) / torch.tensor(std)).permute(0, 3, 1, 2)


def unit(v):
    return torch.nn.functional.normalize(v.float(), dim=-1).numpy()


class HuggingFace:
    def __init__(self, model_dir):
        from transformers import CLIPModel, CLIPTokenizer
        self.model = CLIPModel.from_pretrained(model_dir).float().eval()
        self.tokenizer = CLIPTokenizer.from_pretrained(model_dir)
        self.size = self.model.config.vision_config.image_size
        p = json.loads((Path(model_dir) / "preprocessor_config.json").read_text())
        self.mean, self.std = p["image_mean"], p["image_std"]

    def images(self, x):
        return unit(self.model.visual_projection(self.model.vision_model(pixel_values=x).pooler_output))

    def texts(self, texts):
        context = self.model.config.text_config.max_position_embeddings
        ids = self.tokenizer(texts, padding="max_length", truncation=True, max_length=context,
                             return_tensors="pt")
        out = self.model.text_model(input_ids=ids["input_ids"], attention_mask=ids["attention_mask"])
        return unit(self.model.text_projection(out.pooler_output))


class Siglip:
    def __init__(self, model_dir):
        from tokenizers import Tokenizer
        from transformers import SiglipModel
        self.model = SiglipModel.from_pretrained(model_dir).float().eval()
        self.tokenizer = Tokenizer.from_file(str(Path(model_dir) / "tokenizer.json"))
        config = json.loads((Path(model_dir) / "tokenizer_config.json").read_text())
        self.pad = self.tokenizer.token_to_id(config["pad_token"])
        self.size = self.model.config.vision_config.image_size
        p = json.loads((Path(model_dir) / "preprocessor_config.json").read_text())
        self.mean, self.std = p["image_mean"], p["image_std"]

    def images(self, x):
        return unit(self.model.vision_model(pixel_values=x).pooler_output)

    def texts(self, texts):
        from clip_models import canonical
        context = self.model.config.text_config.max_position_embeddings
        rows = [self.tokenizer.encode(canonical(t)).ids for t in texts]
        rows = [r if len(r) <= context else r[:context - 1] + r[-1:] for r in rows]
        ids = torch.tensor([r + [self.pad] * (context - len(r)) for r in rows])
        return unit(self.model.text_model(input_ids=ids).pooler_output)   # without a mask, as it was trained


class Naflex(Siglip):
    """Pictures of several shapes, through the reference's own processor on PIL."""

    def __init__(self, model_dir):
        from tokenizers import Tokenizer
        from transformers import Siglip2Model
        from transformers.models.siglip2.image_processing_pil_siglip2 import Siglip2ImageProcessorPil
        self.model = Siglip2Model.from_pretrained(model_dir).float().eval()
        self.processor = Siglip2ImageProcessorPil.from_pretrained(model_dir)
        self.tokenizer = Tokenizer.from_file(str(Path(model_dir) / "tokenizer.json"))
        config = json.loads((Path(model_dir) / "tokenizer_config.json").read_text())
        self.pad = self.tokenizer.token_to_id(config["pad_token"])

    def pictures(self, folder):
        return shapes(folder)

    def images(self, made):
        i = self.processor(made, return_tensors="pt")
        return unit(self.model.vision_model(i["pixel_values"], i["pixel_attention_mask"], i["spatial_shapes"]).pooler_output)


def open_clip_config(name):
    """open_clip's own; that of NaFlex, which is in its repository (89fb801) and in no release up to 3.3.0, from its sister's."""
    from open_clip_import import open_clip
    if not name.endswith("-naflex"):
        return open_clip.get_model_config(name)
    cfg = open_clip.get_model_config(name.replace("-naflex", "-256"))
    size = "base" if "-B-" in name else "so400m"
    cfg["vision_cfg"] = {"image_size": 384, "image_seq_len": 576, "timm_model_name": f"naflexvit_{size}_patch16_siglip",
                         "timm_model_pretrained": False, "timm_pool": "map", "timm_proj": "none"}
    return cfg


def build_open_clip(cfg, quick):
    from open_clip_import import open_clip
    cfg = dict(cfg, vision_cfg={k: v for k, v in cfg["vision_cfg"].items() if k != "image_seq_len"})   # of no effect on the tower
    kind = open_clip.CustomTextCLIP if cfg.get("custom_text") else open_clip.CLIP
    return kind(cfg["embed_dim"], open_clip.CLIPVisionCfg(**cfg["vision_cfg"]), open_clip.CLIPTextCfg(**cfg["text_cfg"]),
                quick_gelu=quick, init_logit_bias=cfg.get("init_logit_bias")).eval()


def shapes(folder):
    """Pictures of several shapes, and the list file."""
    x, _ = pictures(folder, max(max(s) for s in SHAPES), len(SHAPES))
    made = [Image.fromarray(p.numpy()[:h, :w]) for p, (w, h) in zip(x, SHAPES)]
    for i, p in enumerate(made):
        p.save(folder / f"{i}.png")
    return made, folder / "images.txt"


class OpenClip:
    def __init__(self, model_dir):
        from open_clip_import import token_rows
        from safetensors.torch import load_file
        config = json.loads((Path(model_dir) / "open_clip_config.json").read_text())
        cfg = config["model_cfg"]
        self.model = build_open_clip(cfg, cfg.get("quick_gelu", False))
        state = load_file(Path(model_dir) / "open_clip_model.safetensors")
        self.model.load_state_dict({k: v.float() if v.is_floating_point() else v for k, v in state.items()}, strict=False)
        self.rows = lambda texts: token_rows(model_dir, cfg["text_cfg"], texts)
        self.size = cfg["vision_cfg"]["image_size"]
        p = config["preprocess_cfg"]
        self.mean, self.std = p["mean"], p["std"]

    def images(self, x):
        return unit(self.model.encode_image(x))

    def texts(self, texts):
        return unit(self.model.encode_text(torch.tensor(self.rows(texts))))


class OpenClipNaflex(OpenClip):
    """Pictures of several shapes, as open_clip's NaFlex evaluation has them: by timm's transform and collator."""

    def __init__(self, model_dir):
        super().__init__(model_dir)
        config = json.loads((Path(model_dir) / "open_clip_config.json").read_text())
        self.most = config["model_cfg"]["vision_cfg"]["image_seq_len"]
        self.filter = config["preprocess_cfg"]["interpolation"]

    def pictures(self, folder):
        return shapes(folder)

    def images(self, made):
        from timm.data import create_transform
        from timm.data.naflex_dataset import NaFlexCollator
        transform = create_transform((3, self.size, self.size), is_training=False, naflex=True, patchify=True, max_seq_len=self.most,
                                     patch_size=16, mean=self.mean, std=self.std, interpolation=self.filter)
        inputs, _ = NaFlexCollator(self.most)([(transform(p), 0) for p in made])
        return unit(self.model.visual(inputs))


def make_open_clip(name, out, ids=0):
    """`ids`: how many pieces a made-up vocabulary has at least."""
    from open_clip_import import settle
    from safetensors.torch import save_file
    model_name, quick = OPEN_CLIP[name]
    cfg = open_clip_config(model_name)
    if name.endswith("-squares"):
        del cfg["vision_cfg"]["image_seq_len"]
    out.mkdir(parents=True)
    if "hf_tokenizer_name" in cfg["text_cfg"]:   # a small vocabulary instead of the published one
        from clip_models import write_unigram, write_wordpiece
        xlm = cfg["text_cfg"].get("eos_id", 1) == 2   # else T5's: the end is 1
        first = ["<s>", "<pad>", "</s>", "<unk>"] if xlm else ["<pad>", "</s>", "<unk>"]
        bert = cfg["text_cfg"]["hf_tokenizer_name"] == "bert-base-uncased"
        cfg["text_cfg"]["vocab_size"] = write_wordpiece(out) if bert else write_unigram(out, first, "<s>" if xlm else None, ids)
    torch.manual_seed(9)
    model = build_open_clip(cfg, quick)
    g = torch.Generator().manual_seed(9)
    with torch.no_grad():
        for key, p in sorted(model.named_parameters()):
            if p.dim() >= 2:
                p.normal_(0, 1.6 / (p[0].numel() ** 0.5), generator=g)
            elif p.dim() == 1:
                p.normal_(1 if key.endswith("weight") else 0, 0.2, generator=g)
    if "timm_model_name" in cfg["vision_cfg"]:
        settle(model.visual.trunk, cfg["vision_cfg"]["image_size"])
    state = {k: v.contiguous() for k, v in model.state_dict().items() if k != "attn_mask"}
    save_file(state, out / "open_clip_model.safetensors")
    preprocess = {"mean": [0.48145466, 0.4578275, 0.40821073],
                  "std": [0.26862954, 0.26130258, 0.27577711],
                  "interpolation": "bicubic", "resize_mode": "shortest"}
    (out / "open_clip_config.json").write_text(json.dumps({"model_cfg": cfg, "preprocess_cfg": preprocess}))


def scry(args, model_dir, precision, out):
    command = [str(TOP / "scry"), "embed", "--model", str(model_dir), "--precision", precision,
               "--out", str(out), "--quiet", *args]
    subprocess.run(command, check=True)
    return np.load(out)


def compare(name, model_dir, reference, precisions, count):
    good = True
    with tempfile.TemporaryDirectory() as folder, torch.no_grad():
        folder = Path(folder)
        (folder / "texts.txt").write_text("\n".join(TEXTS) + "\n")
        if hasattr(reference, "pictures"):
            made, images = reference.pictures(folder)
        else:
            x, images = pictures(folder, reference.size, count)
            made = normalised(x, reference.mean, reference.std)
        want = {"images": reference.images(made), "texts": reference.texts(TEXTS)}
        for precision in precisions:
            for kind, source in (("images", images), ("texts", folder / "texts.txt")):
                extra = ["--no-rotate"] if kind == "images" else []
                got = scry([f"--{kind}", str(source), *extra], model_dir, precision, folder / "v.npy")
                cosine = (got.astype(np.float64) * want[kind]).sum(1)
                ok = cosine.min() >= LIMITS[precision]
                good &= bool(ok)
                print(f"{name:16} {precision} {kind:6} lowest cosine {cosine.min():.7f} "
                      f"({'ok' if ok else 'BELOW ' + str(LIMITS[precision])})", flush=True)
    return good


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("which", nargs="*", help="b32 b16 l14 l14-336 odd wide siglip-b16 siglip-so400m siglip2-naflex, or open_clip")
    parser.add_argument("--model", help="a checkpoint folder with real weights")
    parser.add_argument("--precision", action="append", choices=LIMITS)
    parser.add_argument("--pictures", type=int, default=4)
    parser.add_argument("--outliers", type=float, default=1, metavar="F",
                        help="make three channels of every norm F times as large")
    parser.add_argument("--balanced", action="store_true",
                        help="and the weights behind them as much smaller")
    args = parser.parse_args()
    precisions = args.precision or ["fp32", "bf16"]
    which, good = list(args.which), True
    open_clip = "open_clip" in which
    if open_clip:
        which.remove("open_clip")
    reference = OpenClip if open_clip else HuggingFace
    if args.model:
        config = (Path(args.model) / ("open_clip_config.json" if open_clip else "config.json")).read_text()
        reference = OpenClipNaflex if open_clip and '"image_seq_len"' in config else Siglip if '"siglip"' in config else Naflex if '"siglip2"' in config else reference
        return compare(Path(args.model).name, args.model, reference(args.model), precisions, args.pictures)
    for name in which or (list(OPEN_CLIP) if open_clip else ["odd", "wide", "b32", "b16", "l14"]):
        with tempfile.TemporaryDirectory() as folder:
            model_dir = Path(folder) / name
            if open_clip:
                make_open_clip(name, model_dir)
                reference = OpenClipNaflex if "image_seq_len" in (model_dir / "open_clip_config.json").read_text() else OpenClip
            else:
                import clip_models
                if name in clip_models.SIGLIP_SHAPES:
                    reference = Siglip if clip_models.SIGLIP_SHAPES[name][0] else Naflex
                    clip_models.make_siglip(name, model_dir)
                else:
                    reference = HuggingFace
                    clip_models.make(name, model_dir, outliers=args.outliers, balanced=args.balanced)
            good &= compare(name, model_dir, reference(model_dir), precisions, args.pictures)
    return good


if __name__ == "__main__":
    sys.exit(0 if main() else 1)
