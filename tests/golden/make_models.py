#!/usr/bin/env python3
"""make_models.py - the tiny checkpoints of the tests, and what the references compute.

    python3 tests/golden/make_models.py                 # tests/golden/models/{clip,dual}
    oc/bin/python tests/golden/make_models.py open_clip # .../open_clip (see open_clip_import.py)

Each folder is a checkpoint as it would be published, with sizes that no kernel likes
(heads of 7 and 8, odd widths) and three dtypes mixed, and golden.safetensors: pictures,
token ids, the hidden states of every layer and the final vectors, computed in float32 by
transformers, open_clip, or tools/starter/model.py (the format's executable description).
Needs torch, transformers, tokenizers and safetensors.
"""
import json
import sys
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file

TOP = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(TOP / "tools/parity"), str(TOP / "tools/starter")]
OUT = TOP / "tests/golden/models"

MERGES = ["t h", "d o", "do g</w>", "w h", "i t", "wh it", "whit e</w>", "th e</w>", "c a", "ca t</w>"]
TEXTS = ["a white dog", "the cat", "", "A dog, the DOG and a cat: 3 of them on a white wall!"]
PICTURES = 3


def pictures(size, n, views=1):
    """Blocks and noise as bytes [n * views, size, size, 3]; the last picture is black."""
    g = torch.Generator().manual_seed(3)
    coarse = torch.randint(0, 256, (n * views, 3, 5, 5), generator=g).float()
    x = torch.nn.functional.interpolate(coarse, size=(size, size), mode="nearest")
    x = (x + torch.randint(-25, 26, x.shape, generator=g)).clamp(0, 255).round()
    x[-views:] = 0
    return x


def normalised(x, preprocessor):
    mean = torch.tensor(preprocessor["image_mean"]).view(3, 1, 1)
    std = torch.tensor(preprocessor["image_std"]).view(3, 1, 1)
    return (x * preprocessor["rescale_factor"] - mean) / std


def mix_dtypes(path):
    """Store the tensors as F32, F16 and BF16 in turn; the values follow their dtype."""
    tensors = load_file(path)
    kinds = [torch.float32, torch.float16, torch.bfloat16]
    big = sorted(k for k, t in tensors.items() if t.dim() > 0 and t.is_floating_point())
    for i, name in enumerate(big):
        # the largest never in F32, to keep the files small
        kind = kinds[i % 3] if tensors[name].numel() < 2000 else kinds[1 + i % 2]
        tensors[name] = tensors[name].to(kind)
    save_file(tensors, path, {"format": "pt"})


def save_golden(folder, golden):
    golden = {k: v.detach().float().contiguous().clone() for k, v in golden.items()}
    golden["pixels"] = golden["pixels"].half()   # bytes are exact in half precision
    save_file(golden, folder / "golden.safetensors")
    total = sum(p.stat().st_size for p in folder.iterdir())
    print(folder.name, total, "bytes")


def put_texts(golden, rows):
    """Ragged ids as one list with the start of each text."""
    golden["ids"] = torch.tensor([i for r in rows for i in r])
    golden["starts"] = torch.tensor([0] + [len(r) for r in rows]).cumsum(0)


def states(golden, name, hidden, last):
    """Hidden states of `hidden` [layers + 1] as name.embeddings, name.0, ...: the last one
    only in its rows `last`, the ones that are read."""
    for i, h in enumerate(hidden):
        key = f"{name}.embeddings" if i == 0 else f"{name}.{i - 1}"
        golden[key] = h if i + 1 < len(hidden) else last(h)


# ---- Hugging Face ----

def make_clip():
    import clip_models
    from transformers import CLIPModel, CLIPTokenizer
    clip_models.SHAPES["tiny"] = ((28, 7, 40, 3, 5, 72), (35, 2, 5, 50), 21, "quick_gelu")
    folder = OUT / "clip"
    clip_models.make("tiny", folder, merges=MERGES, context=16)
    mix_dtypes(folder / "model.safetensors")
    model = CLIPModel.from_pretrained(folder).float().eval()
    preprocessor = json.loads((folder / "preprocessor_config.json").read_text())
    x = pictures(28, PICTURES)
    golden = {"pixels": x.permute(0, 2, 3, 1)}
    with torch.no_grad():
        v = model.vision_model(pixel_values=normalised(x, preprocessor), output_hidden_states=True)
        states(golden, "image", v.hidden_states, lambda h: h[:, 0])
        golden["image.pooled"] = v.pooler_output
        golden["images"] = torch.nn.functional.normalize(
            model.visual_projection(v.pooler_output), dim=-1)
        tokenizer = CLIPTokenizer.from_pretrained(folder)
        rows = [tokenizer(t, truncation=True, max_length=16)["input_ids"] for t in TEXTS]
        put_texts(golden, rows)
        outs = [model.text_model(input_ids=torch.tensor([r]), output_hidden_states=True)
                for r in rows]
        states(golden, "text", [torch.cat([o.hidden_states[i][0] for o in outs])
                                for i in range(len(outs[0].hidden_states))],
               lambda h: h[golden["starts"][1:] - 1])
        golden["text.pooled"] = torch.cat([o.pooler_output for o in outs])
        golden["texts"] = torch.nn.functional.normalize(
            model.text_projection(golden["text.pooled"]), dim=-1)
    save_golden(folder, golden)


# ---- open_clip ----

def make_open_clip():
    from open_clip_import import open_clip
    folder = OUT / "open_clip"
    folder.mkdir(parents=True, exist_ok=True)
    vocab = 512 + len(MERGES) + 2
    config = {
        "model_cfg": {
            "embed_dim": 24, "quick_gelu": False,
            "vision_cfg": {"image_size": 24, "layers": 2, "width": 36, "head_width": 9,
                           "patch_size": 8, "mlp_ratio": 2.5},
            "text_cfg": {"context_length": 12, "vocab_size": vocab, "width": 28, "heads": 4,
                         "layers": 2}},
        "preprocess_cfg": {"mean": [0.5, 0.4, 0.3], "std": [0.2, 0.25, 0.3],
                           "interpolation": "bicubic", "resize_mode": "squash"}}
    (folder / "open_clip_config.json").write_text(json.dumps(config, indent=1) + "\n")
    write_vocabulary(folder)
    cfg = config["model_cfg"]
    model = open_clip.CLIP(cfg["embed_dim"], open_clip.CLIPVisionCfg(**cfg["vision_cfg"]),
                           open_clip.CLIPTextCfg(**cfg["text_cfg"]), quick_gelu=False).eval()
    randomise(model)
    path = folder / "open_clip_model.safetensors"
    save_file({k: v.contiguous() for k, v in model.state_dict().items() if k != "attn_mask"}, path)
    mix_dtypes(path)
    model.load_state_dict({k: v.float() for k, v in load_file(path).items()}, strict=False)
    p = config["preprocess_cfg"]
    x = pictures(24, PICTURES)
    golden = {"pixels": x.permute(0, 2, 3, 1)}
    ids = [[vocab - 2, 320, 64, 516, vocab - 1], [vocab - 2, vocab - 1],
           [vocab - 2] + list(range(100, 110)) + [vocab - 1]]
    put_texts(golden, ids)
    with torch.no_grad():
        hidden = []
        hooks = [b.register_forward_hook(lambda m, i, o: hidden.append(o))
                 for b in model.visual.transformer.resblocks]
        image = model.encode_image(normalised(x, {"image_mean": p["mean"], "image_std": p["std"],
                                                  "rescale_factor": 1 / 255}))
        golden["image.0"], golden["image.1"] = hidden[0], hidden[1][:, 0]
        for h in hooks:
            h.remove()
        golden["images"] = torch.nn.functional.normalize(image, dim=-1)
        padded = torch.zeros(len(ids), 12, dtype=torch.long)
        for i, r in enumerate(ids):
            padded[i, :len(r)] = torch.tensor(r)
        golden["texts"] = torch.nn.functional.normalize(model.encode_text(padded), dim=-1)
    save_golden(folder, golden)


def write_vocabulary(folder):
    """The files that clip_models.write_tokenizer writes; that module needs transformers."""
    keep = [*range(33, 127), *range(161, 173), *range(174, 256)]
    alphabet = [chr(b) for b in keep] + [chr(256 + i) for i in range(256 - len(keep))]
    vocab = alphabet + [b + "</w>" for b in alphabet] + [m.replace(" ", "") for m in MERGES]
    vocab += ["<|startoftext|>", "<|endoftext|>"]
    (folder / "vocab.json").write_text(
        json.dumps({piece: i for i, piece in enumerate(vocab)}, ensure_ascii=False), "utf-8")
    (folder / "merges.txt").write_text("#version: 0.2\n" + "\n".join(MERGES) + "\n", "utf-8")


def randomise(model):
    g = torch.Generator().manual_seed(11)
    with torch.no_grad():
        for name, p in sorted(model.named_parameters()):
            if p.dim() >= 2:
                p.normal_(0, 1.5 / (p[0].numel() ** 0.5), generator=g)
            elif p.dim() == 1:
                p.normal_(1 if name.endswith("weight") else 0, 0.2, generator=g)


# ---- scry's own format ----

DUAL = {
    "model_type": "scry_dual_encoder", "projection_dim": 21 + 10, "logit_scale": 3.0,
    "min_score": 0.21, "languages": ["en"],
    "vision_config": {
        "model_type": "efficientnet_lite", "image_size": 37, "num_channels": 3,
        "hidden_act": "relu6", "stem_channels": 9, "head_channels": 50,
        "blocks": [
            {"kernel": 3, "stride": 1, "expand": 1, "in_channels": 9, "out_channels": 7},
            {"kernel": 3, "stride": 2, "expand": 6, "in_channels": 7, "out_channels": 11},
            {"kernel": 5, "stride": 1, "expand": 3, "in_channels": 11, "out_channels": 11},
            {"kernel": 5, "stride": 2, "expand": 6, "in_channels": 11, "out_channels": 20}]},
    "text_config": {
        "model_type": "bert", "vocab_size": 60, "hidden_size": 36, "num_hidden_layers": 2,
        "num_attention_heads": 4, "intermediate_size": 70, "hidden_act": "gelu",
        "layer_norm_eps": 1e-12, "max_position_embeddings": 20, "type_vocab_size": 2,
        "pooling": "mean", "prefix": ""},
    "vision_head": [
        {"weight": 0.8, "layers": [{"type": "linear", "in": 50, "out": 33, "bias": True},
                                   {"type": "softmax", "temperature": 2.0},
                                   {"type": "linear", "in": 33, "out": 21, "bias": False}]},
        {"weight": 0.6, "layers": [{"type": "linear", "in": 50, "out": 10, "bias": True}]}],
    "text_head": [
        {"weight": 1.0, "layers": [{"type": "linear", "in": 36, "out": 21, "bias": False}]},
        {"weight": 0.5, "layers": [{"type": "linear", "in": 36, "out": 40, "bias": True},
                                   {"type": "gelu"},
                                   {"type": "linear", "in": 40, "out": 10, "bias": True}]}]}


def quantise(tensors):
    """Matrices of two towers as int8 with a factor for each row, some in F16."""
    out = {}
    for i, (name, t) in enumerate(sorted(tensors.items())):
        if t.dim() >= 2 and i % 3 != 0:
            rows = t.reshape(t.shape[0], -1)
            scale = rows.abs().amax(1).clamp(min=1e-8) / 127
            out[name] = (rows / scale[:, None]).round().to(torch.int8).reshape(t.shape)
            out[name + ".scale"] = scale
        else:
            out[name] = t.half() if t.dim() >= 2 else t
    return {k: v.contiguous() for k, v in out.items()}


def make_dual():
    import model as starter
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
    folder = OUT / "dual"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps(DUAL, indent=1) + "\n")
    preprocessor = {"size": {"height": 37, "width": 37}, "resample": 3, "rescale_factor": 1 / 255,
                    "image_mean": [127 / 255] * 3, "image_std": [128 / 255] * 3,
                    "views": ["centre", "squash"]}
    (folder / "preprocessor_config.json").write_text(json.dumps(preprocessor, indent=1) + "\n")
    pieces = ["<s>", "<pad>", "</s>", "<unk>", "\u2581"] + [chr(c) for c in range(97, 123)]
    pieces += ["\u2581a", "\u2581white", "\u2581dog", "\u2581the", "\u2581cat", "at", "og", "\u2581w"]
    tokenizer = Tokenizer(models.Unigram([(p, -1.0 - 0.1 * i) for i, p in enumerate(pieces)], unk_id=3))
    tokenizer.normalizer = normalizers.Sequence([normalizers.NFKC(), normalizers.Lowercase()])
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Metaspace(prepend_scheme="always")])
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", special_tokens=[("<s>", 0), ("</s>", 2)])
    tokenizer.add_special_tokens(["<s>", "<pad>", "</s>", "<unk>"])
    tokenizer.save(str(folder / "tokenizer.json"))
    torch.manual_seed(5)
    fresh = starter.DualEncoder(DUAL, preprocessor, None)
    randomise(fresh)
    save_file(quantise({k: v for k, v in fresh.state_dict().items()}), folder / "model.safetensors")
    golden_of_dual(folder, starter.load(folder), preprocessor)


def golden_of_dual(folder, model, preprocessor):
    x = pictures(37, PICTURES, views=2)
    golden = {"pixels": x.permute(0, 2, 3, 1)}
    ids = [model.tokenizer.encode(t).ids for t in TEXTS]
    put_texts(golden, ids)

    def channels_last(h):
        return h.permute(0, 2, 3, 1)

    with torch.no_grad():
        for i, b in enumerate(model.vision_model.blocks):
            b.register_forward_hook(
                lambda m, _, o, i=i: golden.__setitem__(f"image.{i}", channels_last(o)))
        features = model.vision_model(normalised(x, preprocessor))
        golden["image.features"] = features
        views = model.vision_head(features).view(PICTURES, 2, -1)
        golden["images"] = torch.nn.functional.normalize(views.mean(1), dim=-1)
        layers = model.text_model.encoder["layer"]
        hidden = [[] for _ in layers]
        for i, layer in enumerate(layers):
            layer.register_forward_hook(lambda m, _, o, i=i: hidden[i].append(o[0]))
        pooled = torch.cat([model.text_model(torch.tensor([r]), torch.ones(1, len(r)))
                            for r in ids])
        for i, h in enumerate(hidden):
            golden[f"text.{i}"] = torch.cat(h)
        golden["text.pooled"] = pooled
        golden["texts"] = model.text_head(pooled)
    save_golden(folder, golden)


if __name__ == "__main__":
    if sys.argv[1:] == ["open_clip"]:
        make_open_clip()
    else:
        make_clip()
        make_dual()
