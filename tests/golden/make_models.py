#!/usr/bin/env python3
"""make_models.py - the tiny checkpoints of the tests, and what the references compute.

    python3 tests/golden/make_models.py                 # tests/golden/models/{clip,dual,siglip,metaclip,...}
    python3 tests/golden/make_models.py siglip          # this one alone
    oc/bin/python tests/golden/make_models.py open_clip # .../open_clip and open_clip_* (see open_clip_import.py)

Each folder is a checkpoint as it would be published, with sizes that no kernel likes
(heads of 7 and 8, odd widths) and three dtypes mixed, and golden.safetensors: pictures,
token ids, the hidden states of every layer and the final vectors, computed in float32 by
transformers, open_clip, or tools/starter/model.py (the format's executable description).
Needs torch, transformers, tokenizers and safetensors; sentence also sentence-transformers.
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
WORDS = ["\u2581"] + [chr(c) for c in range(97, 123)]
WORDS += ["\u2581a", "\u2581white", "\u2581dog", "\u2581the", "\u2581cat", "at", "og", "\u2581w"]


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


# ---- SigLIP ----

def make_siglip():
    import clip_models
    from transformers import SiglipConfig, SiglipModel
    folder = OUT / "siglip"
    folder.mkdir(parents=True, exist_ok=True)
    context, dim = 24, 40
    tokenizer = clip_models.unigram(["<pad>", "</s>", "<unk>"] + WORDS, None, "</s>", "<unk>")
    tokenizer.save(str(folder / "tokenizer.json"))
    (folder / "tokenizer_config.json").write_text(json.dumps(
        {"model_max_length": 10 ** 30, "pad_token": "</s>", "tokenizer_class": "SiglipTokenizer"}))
    model = SiglipModel(SiglipConfig(
        text_config=dict(hidden_size=36, num_hidden_layers=2, num_attention_heads=4, intermediate_size=50,
                         vocab_size=tokenizer.get_vocab_size(), max_position_embeddings=context, projection_size=dim,
                         bos_token_id=None, eos_token_id=1),
        vision_config=dict(hidden_size=dim, num_hidden_layers=3, num_attention_heads=5, intermediate_size=72,
                           image_size=30, patch_size=7)))   # 2 rows and columns of pixels are left over
    clip_models.randomise(model, 13)
    model.save_pretrained(folder, safe_serialization=True)
    mix_dtypes(folder / "model.safetensors")
    preprocessor = {"do_normalize": True, "do_rescale": True, "do_resize": True, "image_mean": [0.5] * 3,
                    "image_std": [0.5] * 3, "resample": 3, "rescale_factor": 1 / 255,
                    "size": {"height": 30, "width": 30}, "image_processor_type": "SiglipImageProcessor"}
    (folder / "preprocessor_config.json").write_text(json.dumps(preprocessor, indent=1) + "\n")
    rows = [tokenizer.encode(clip_models.canonical(t)).ids for t in TEXTS]
    rows = [r if len(r) <= context else r[:context - 1] + r[-1:] for r in rows]
    golden_of_siglip(folder, preprocessor, [r + [1] * (context - len(r)) for r in rows])


def golden_of_siglip(folder, preprocessor, rows):
    from transformers import SiglipModel
    model = SiglipModel.from_pretrained(folder).float().eval()
    x = pictures(30, PICTURES)
    golden = {"pixels": x.permute(0, 2, 3, 1)}
    put_texts(golden, rows)
    with torch.no_grad():
        v = model.vision_model(pixel_values=normalised(x, preprocessor), output_hidden_states=True)
        states(golden, "image", v.hidden_states, lambda h: h)
        golden["image.pooled"] = v.pooler_output
        golden["images"] = torch.nn.functional.normalize(v.pooler_output, dim=-1)
        out = model.text_model(input_ids=torch.tensor(rows), output_hidden_states=True)   # no attention mask
        states(golden, "text", [h.reshape(-1, h.shape[-1]) for h in out.hidden_states],
               lambda h: h[golden["starts"][1:] - 1])
        golden["texts"] = torch.nn.functional.normalize(out.pooler_output, dim=-1)
    save_golden(folder, golden)


# ---- SigLIP 2 for pictures of any shape ----

NAFLEX_SHAPES = [(3, 3), (1, 7), (4, 2)]   # rows and columns of patches, at most 9; the table of positions has 4 x 4


def make_naflex():
    import clip_models
    from transformers import Siglip2Config, Siglip2Model
    folder = OUT / "naflex"
    folder.mkdir(parents=True, exist_ok=True)
    context, dim = 24, 40
    tokenizer = clip_models.unigram(["<pad>", "</s>", "<unk>"] + WORDS, None, "</s>", "<unk>")
    tokenizer.save(str(folder / "tokenizer.json"))
    (folder / "tokenizer_config.json").write_text(json.dumps(
        {"model_max_length": 10 ** 30, "pad_token": "<pad>", "tokenizer_class": "GemmaTokenizer"}))
    model = Siglip2Model(Siglip2Config(
        text_config=dict(hidden_size=36, num_hidden_layers=2, num_attention_heads=4, intermediate_size=50,
                         vocab_size=tokenizer.get_vocab_size(), max_position_embeddings=context, projection_size=dim,
                         bos_token_id=None, eos_token_id=1),
        vision_config=dict(hidden_size=dim, num_hidden_layers=3, num_attention_heads=5, intermediate_size=72,
                           num_patches=16, patch_size=16)))
    clip_models.randomise(model, 13)
    model.save_pretrained(folder, safe_serialization=True)
    mix_dtypes(folder / "model.safetensors")
    preprocessor = {"do_normalize": True, "do_rescale": True, "do_resize": True, "image_mean": [0.5] * 3, "image_std": [0.5] * 3,
                    "resample": 2, "rescale_factor": 1 / 255, "max_num_patches": 9, "patch_size": 16,
                    "image_processor_type": "Siglip2ImageProcessor"}
    (folder / "preprocessor_config.json").write_text(json.dumps(preprocessor, indent=1) + "\n")
    rows = [tokenizer.encode(clip_models.canonical(t)).ids for t in TEXTS]
    rows = [r if len(r) <= context else r[:context - 1] + r[-1:] for r in rows]
    golden_of_naflex(folder, [r + [0] * (context - len(r)) for r in rows])


def naflex_pictures():
    return [pictures(64, 3)[0][:, :16 * r, :16].repeat(1, 1, c).byte().numpy() for r, c in NAFLEX_SHAPES]


def naflex_views(upright):
    """Pictures [3, H, W] as base/view_shape.h has them."""
    side = 16 * 3 + 1
    views = torch.zeros(len(upright), side * side * 3)
    for view, p, (r, c) in zip(views, upright, NAFLEX_SHAPES):
        view[:p.size] = torch.from_numpy(p.transpose(1, 2, 0).copy()).flatten()
        view[-4:] = torch.tensor([r, 0, c, 0])
    return views.view(-1, side, side, 3)


def golden_of_naflex(folder, rows):
    from transformers import Siglip2Model
    from transformers.models.siglip2.image_processing_pil_siglip2 import Siglip2ImageProcessorPil
    model = Siglip2Model.from_pretrained(folder).float().eval()
    processor = Siglip2ImageProcessorPil.from_pretrained(folder)
    upright = naflex_pictures()
    inputs = processor([p for p in upright], return_tensors="pt", input_data_format="channels_first")
    assert inputs["spatial_shapes"].tolist() == [list(s) for s in NAFLEX_SHAPES]
    golden = {"pixels": naflex_views(upright)}
    put_texts(golden, rows)
    with torch.no_grad():
        v = model.vision_model(inputs["pixel_values"], inputs["pixel_attention_mask"], inputs["spatial_shapes"], output_hidden_states=True)
        real = inputs["pixel_attention_mask"].bool()
        states(golden, "image", [h[real] for h in v.hidden_states], lambda h: h)
        golden["image.pooled"] = v.pooler_output
        golden["images"] = torch.nn.functional.normalize(v.pooler_output, dim=-1)
        out = model.text_model(input_ids=torch.tensor(rows), output_hidden_states=True)   # no attention mask
        states(golden, "text", [h.reshape(-1, h.shape[-1]) for h in out.hidden_states],
               lambda h: h[golden["starts"][1:] - 1])
        golden["texts"] = torch.nn.functional.normalize(out.pooler_output, dim=-1)
    save_golden(folder, golden)


# ---- timm's image towers beside open_clip's text tower ----

OPEN_CLIP_TEXTS = TEXTS[:3] + ["A d\u00f3g &amp; the_CAT\u2019s  white\twall!"]


def timm_tower(kind, **options):
    """What src/model/timm.c has as vit_golden_patch7_KIND, vit_pe_core_golden_patch7, KIND_golden_patch7_clip, vit_golden_mci or
    naflexvit_golden_patch16_siglip."""
    from functools import partial

    from open_clip_import import open_clip  # noqa: F401
    from timm.models.eva import Eva
    from timm.models.vision_transformer import VisionTransformer
    if kind == "pe_core":
        return Eva(img_size=30, patch_size=7, embed_dim=40, depth=2, num_heads=10, mlp_ratio=1.8, global_pool="map",
                   attn_type="rope", use_pre_transformer_norm=True, use_rot_pos_emb=True, ref_feat_shape=(5, 5),
                   rope_grid_offset=1., rope_grid_indexing="xy", attn_pool_num_heads=8, attn_pool_mlp_ratio=4.,
                   norm_layer=partial(torch.nn.LayerNorm, eps=1e-5), **options)
    if kind == "eva02":
        return Eva(img_size=30, patch_size=7, embed_dim=40, depth=3, num_heads=5, mlp_ratio=1.8, global_pool="token",
                   qkv_fused=False, swiglu_mlp=True, scale_mlp=True, scale_attn_inner=True, use_rot_pos_emb=True,
                   ref_feat_shape=(5, 5), **options)
    if kind == "eva":
        return Eva(img_size=30, patch_size=7, embed_dim=40, depth=2, num_heads=5, mlp_ratio=1.8, global_pool="token", **options)
    sizes = dict(img_size=30, dynamic_img_pad=False, patch_size=7, embed_dim=40, num_heads=5, mlp_ratio=1.8)
    if kind == "mci":
        from timm.layers import HybridEmbed
        from timm.models.vision_transformer_hybrid import ConvStem
        stem = ConvStem(channels=(10, 10, 40), stride=(4, 2, 2), kernel_size=(4, 2, 2), padding=0, act_layer=torch.nn.GELU)
        return VisionTransformer(img_size=51, patch_size=1, embed_dim=40, depth=2, num_heads=5, mlp_ratio=1.8, no_embed_class=True,
                                 global_pool="token", embed_layer=partial(HybridEmbed, backbone=stem, proj=False), **options)
    if kind == "naflex":
        from timm.models.naflexvit import NaFlexVit, NaFlexVitCfg
        return NaFlexVit(NaFlexVitCfg(patch_size=16, embed_dim=40, depth=3, num_heads=5, mlp_ratio=1.8, act_layer="gelu_tanh", global_pool="map",
                                      pos_embed_grid_size=(4, 4), pos_embed_interp_mode="bilinear"), num_classes=0)
    if kind == "siglip":
        return VisionTransformer(**sizes, depth=3, class_token=False, global_pool="map", num_classes=0, act_layer="gelu_tanh")
    return VisionTransformer(**sizes, depth=2, pre_norm=True, global_pool="token",
                             norm_layer=partial(torch.nn.LayerNorm, eps=1e-5), **options)


def fastvit(large=False, **options):
    """What src/model/timm.c has as fastvit_golden or fastvit_golden_large."""
    from functools import partial

    from open_clip_import import open_clip  # noqa: F401
    from timm.layers import LayerNorm2d
    from timm.models.fastvit import FastVit, RepConditionalPosEnc
    positions = partial(RepConditionalPosEnc, spatial_shape=(7, 7))
    if large:
        return FastVit(layers=(1, 1, 1, 1, 2), embed_dims=(4, 8, 16, 32, 64), mlp_ratios=(4,) * 5, lkc_use_act=True,
                       se_downsamples=(False,) * 5, downsamples=(False, True, True, True, True), stem_use_scale_branch=False,
                       pos_embs=(None, None, None, positions, positions), norm_layer=partial(LayerNorm2d, eps=1e-5),
                       token_mixers=("repmixer",) * 3 + ("attention",) * 2, **options)
    return FastVit(layers=(1, 2, 1, 2), embed_dims=(8, 16, 32, 64), mlp_ratios=(3,) * 4, lkc_use_act=True,
                   se_downsamples=(False, False, True, True), pos_embs=(None, None, None, positions),
                   token_mixers=("repmixer",) * 3 + ("attention",), **options)


def make_open_clip_timm(name, trunk, vision, text, first, start, dim, size=30, head=None, images=None):
    """`first` are the special tokens; `start` and `head`, open_clip's after the trunk, may be None. `images` (None: squares) gives the
    pixels and what the trunk reads."""
    import clip_models
    from open_clip_import import open_clip, settle
    folder = OUT / name
    folder.mkdir(parents=True, exist_ok=True)
    if first:
        tokenizer = clip_models.unigram(first + WORDS, start, "</s>", "<unk>")
        tokenizer.save(str(folder / "tokenizer.json"))
        (folder / "tokenizer_config.json").write_text(json.dumps({"pad_token": "</s>"}))
        text = dict(text, vocab_size=tokenizer.get_vocab_size(), hf_tokenizer_name="tests/golden")
    cfg = {"embed_dim": dim, "custom_text": True, "vision_cfg": dict(vision, image_size=size, timm_model_pretrained=False),
           "text_cfg": dict(text, width=36, heads=4, layers=2)}
    config = {"model_cfg": cfg, "preprocess_cfg": {"mean": [0.5] * 3, "std": [0.5] * 3, "interpolation": "bicubic",
                                                  "resize_mode": "squash"}}
    (folder / "open_clip_config.json").write_text(json.dumps(config, indent=1) + "\n")
    from open_clip.model import CLIPTextCfg, _build_text_tower
    model = torch.nn.Module()
    model.visual = torch.nn.ModuleDict({"trunk": trunk, "head": head} if head else {"trunk": trunk})
    model.text = _build_text_tower(dim, CLIPTextCfg(**cfg["text_cfg"]))
    model.logit_scale = torch.nn.Parameter(torch.tensor(2.0))
    if name == "open_clip_siglip":
        model.logit_bias = torch.nn.Parameter(torch.tensor(-3.0))
    model = model.eval()
    randomise(model)
    settle(trunk, size)
    path = folder / "open_clip_model.safetensors"
    save_file({k: v.contiguous() for k, v in model.state_dict().items()}, path)
    mix_dtypes(path)
    model.load_state_dict({k: v.float() if v.is_floating_point() else v for k, v in load_file(path).items()})
    golden_of_open_clip_timm(folder, model, cfg["text_cfg"], *(images or squares)(size))
    return folder, model


def squares(size):
    x = pictures(size, PICTURES)
    return x.permute(0, 2, 3, 1), normalised(x, {"image_mean": [0.5] * 3, "image_std": [0.5] * 3, "rescale_factor": 1 / 255})


def golden_of_open_clip_timm(folder, model, text_cfg, pixels, images):
    from open_clip_import import token_rows
    rows = token_rows(folder, text_cfg, OPEN_CLIP_TEXTS)
    golden = {"pixels": pixels}
    put_texts(golden, rows)
    with torch.no_grad():
        hidden = {}
        trunk = model.visual["trunk"]
        stages = getattr(trunk, "stages", None)   # else a vision transformer
        blocks = [b for s in stages for b in s.blocks] if stages else trunk.blocks
        for tower, layers in (("image", blocks), ("text", model.text.transformer.resblocks)):
            for i, layer in enumerate(layers):
                layer.register_forward_hook(lambda m, a, o, k=f"{tower}.{i}": hidden.__setitem__(k, o))
        image = trunk(images)
        if "head" in model.visual:
            image = model.visual["head"](image)
        text = model.text(torch.tensor(rows))
    if stages:
        for i in range(len(blocks)):
            golden[f"image.{i}"] = hidden[f"image.{i}"][:1].permute(0, 2, 3, 1)   # the first picture's
    else:
        real = images["patch_valid"] if isinstance(images, dict) else ...   # what is not padding
        for i in range(len(blocks)):
            golden[f"image.{i}"] = hidden[f"image.{i}"][real]
        if trunk.attn_pool is None:   # read at the class token
            golden[f"image.{len(blocks) - 1}"] = hidden[f"image.{len(blocks) - 1}"][:, 0]
    if text_cfg.get("no_causal_mask"):   # else what follows the end is not computed
        golden["text.0"] = hidden["text.0"].flatten(0, 1)
    golden["images"] = torch.nn.functional.normalize(image, dim=-1)
    golden["texts"] = torch.nn.functional.normalize(text, dim=-1)
    save_golden(folder, golden)


SIGLIP_TEXT = {"context_length": 24, "tokenizer_kwargs": {"clean": "canonicalize"}, "no_causal_mask": True, "proj_bias": True,
               "pool_type": "last", "norm_kwargs": {"eps": 1e-6}, "act_kwargs": {"approximate": "tanh"}}


def make_open_clip_family():
    make_open_clip_timm(
        "open_clip_siglip", timm_tower("siglip"),
        {"timm_model_name": "vit_golden_patch7_siglip_30", "timm_pool": "map", "timm_proj": "none"}, SIGLIP_TEXT,
        ["<pad>", "</s>", "<unk>"], None, 40)
    make_open_clip_timm(
        "open_clip_eos", timm_tower("clip", num_classes=28),
        {"timm_model_name": "vit_golden_patch7_clip_30", "timm_pool": "token", "timm_proj": None},
        {"context_length": 20, "pool_type": "eos", "eos_id": 2}, ["<s>", "<pad>", "</s>", "<unk>"], "<s>", 28)
    make_open_clip_timm(
        "open_clip_pe", timm_tower("pe_core", num_classes=28),
        {"timm_model_name": "vit_pe_core_golden_patch7_30", "timm_pool": "map", "timm_proj": None},
        {"context_length": 20, "pool_type": "argmax", "no_causal_mask": True, "tokenizer_kwargs": {"clean": "lower"}},
        ["<s>", "<pad>", "</s>", "<unk>"], "<s>", 28)


def make_open_clip_naflex():
    folder, model = make_open_clip_timm(
        "open_clip_naflex", timm_tower("naflex"),
        {"timm_model_name": "naflexvit_golden_patch16_siglip", "timm_pool": "map", "timm_proj": "none", "image_seq_len": 9}, SIGLIP_TEXT,
        ["<pad>", "</s>", "<unk>"], None, 40, 48, images=naflex_images)
    golden = load_file(folder / "golden.safetensors")
    pixels, images = squares(32)   # and as it is without image_seq_len
    golden["squares.pixels"] = pixels.half().contiguous()
    with torch.no_grad():
        golden["squares.images"] = torch.nn.functional.normalize(model.visual["trunk"](images), dim=-1)
    save_file(golden, folder / "golden.safetensors")


def naflex_images(size):
    """As open_clip's NaFlex evaluation has them: by timm's transform, padded to the longest by its collator."""
    from PIL import Image
    from timm.data import create_transform
    from timm.data.naflex_dataset import NaFlexCollator
    most = (size // 16) ** 2
    transform = create_transform((3, size, size), is_training=False, naflex=True, patchify=True, max_seq_len=most, patch_size=16,
                                 mean=[0.5] * 3, std=[0.5] * 3, interpolation="bicubic")
    upright = naflex_pictures()
    inputs, _ = NaFlexCollator(most)([(transform(Image.fromarray(p.transpose(1, 2, 0))), 0) for p in upright])
    assert [(c[v].amax(0) + 1).tolist() for c, v in zip(inputs["patch_coord"], inputs["patch_valid"])] == [list(s) for s in NAFLEX_SHAPES]
    return naflex_views(upright), inputs


def make_open_clip_clipa():
    """CLIPA's; `before` has the norm before the mean, and texts of the custom class without a projection."""
    import clip_models
    from open_clip_import import open_clip, token_rows
    for name, before in (("open_clip_clipa", False), ("open_clip_clipa_before", True)):
        folder = OUT / name
        folder.mkdir(parents=True, exist_ok=True)
        vision = {"image_size": 31, "layers": 2, "width": 40, "head_width": 8, "patch_size": 7, "mlp_ratio": 1.8, "no_ln_pre": True,
                  "pool_type": "avg", "final_ln_after_pool": not before}
        text = {"context_length": 20, "vocab_size": clip_models.write_wordpiece(folder, WORDPIECES), "hf_tokenizer_name": "bert-base-uncased",
                "tokenizer_kwargs": {"strip_sep_token": True}, "width": 36, "heads": 4, "layers": 2, "pool_type": "last",
                "no_causal_mask": True}
        cfg = {"embed_dim": 28, "vision_cfg": vision, "text_cfg": text}
        if before:
            cfg = {"embed_dim": 36, "vision_cfg": vision, "text_cfg": dict(text, proj_type="none"), "custom_text": True}
        preprocess = {"mean": [0.5] * 3, "std": [0.25] * 3, "interpolation": "bilinear", "resize_mode": "squash"}
        (folder / "open_clip_config.json").write_text(json.dumps({"model_cfg": cfg, "preprocess_cfg": preprocess}, indent=1) + "\n")
        kind = open_clip.CustomTextCLIP if before else open_clip.CLIP
        model = kind(cfg["embed_dim"], open_clip.CLIPVisionCfg(**cfg["vision_cfg"]), open_clip.CLIPTextCfg(**cfg["text_cfg"])).eval()
        randomise(model)
        path = folder / "open_clip_model.safetensors"
        save_file({k: v.contiguous() for k, v in model.state_dict().items()}, path)
        mix_dtypes(path)
        model.load_state_dict({k: v.float() for k, v in load_file(path).items()})
        x = pictures(31, PICTURES)
        rows = token_rows(folder, cfg["text_cfg"], OPEN_CLIP_TEXTS)
        golden, hidden = {"pixels": x.permute(0, 2, 3, 1)}, {}
        put_texts(golden, rows)
        text_blocks = (model.text if before else model).transformer.resblocks
        for tower, layers in (("image", model.visual.transformer.resblocks), ("text", text_blocks)):
            for i, layer in enumerate(layers):
                layer.register_forward_hook(lambda m, a, o, k=f"{tower}.{i}": hidden.__setitem__(k, o))
        with torch.no_grad():
            golden["images"] = model.encode_image(
                normalised(x, {"image_mean": [0.5] * 3, "image_std": [0.25] * 3, "rescale_factor": 1 / 255}), normalize=True)
            golden["texts"] = model.encode_text(torch.tensor(rows), normalize=True)
        golden["image.0"], golden["image.1"] = hidden["image.0"], hidden["image.1"]
        golden["text.0"], golden["text.1"] = hidden["text.0"].flatten(0, 1), hidden["text.1"][:, -1]
        save_golden(folder, golden)


def make_open_clip_eva():
    text = {"context_length": 20, "pool_type": "argmax"}
    first = ["<s>", "<pad>", "</s>", "<unk>"]
    for name, trunk in (("open_clip_eva02", "eva02"), ("open_clip_eva", "eva")):
        make_open_clip_timm(
            name, timm_tower(trunk, num_classes=28),
            {"timm_model_name": f"{trunk}_golden_patch7_clip_30", "timm_pool": "token", "timm_proj": None}, text, first, "<s>", 28)


def make_open_clip_mobile():
    text = {"context_length": 20, "pool_type": "argmax", "no_causal_mask": True, "tokenizer_kwargs": {"clean": "lower"}}
    first = ["<s>", "<pad>", "</s>", "<unk>"]
    make_open_clip_timm(
        "open_clip_mobile", fastvit(num_classes=28), {"timm_model_name": "fastvit_golden", "timm_pool": "avg", "timm_proj": None},
        text, first, "<s>", 28, 70)
    make_open_clip_timm(
        "open_clip_mobile_large", fastvit(True, num_classes=28),
        {"timm_model_name": "fastvit_golden_large", "timm_pool": "avg", "timm_proj": None}, text, first, "<s>", 28, 67)


def make_open_clip_convnext():
    from collections import OrderedDict

    from open_clip_import import open_clip  # noqa: F401
    from timm.layers import Mlp
    from timm.models.convnext import ConvNeXt
    heads = {"linear": OrderedDict(drop=torch.nn.Dropout(0), proj=torch.nn.Linear(40, 28, bias=False)),
             "mlp": OrderedDict(mlp=Mlp(40, 56, 28, drop=(0, 0), bias=(True, False)))}
    for name, proj in (("open_clip_convnext", "linear"), ("open_clip_convnext_mlp", "mlp")):
        make_open_clip_timm(
            name, ConvNeXt(depths=(1, 2, 1, 1), dims=(10, 18, 36, 40), num_classes=0),
            {"timm_model_name": "convnext_golden", "timm_pool": "", "timm_proj": proj}, {"context_length": 20, "pool_type": "argmax"},
            ["<s>", "<pad>", "</s>", "<unk>"], "<s>", 28, 43, torch.nn.Sequential(heads[proj]))


def make_open_clip_mobile_b():
    make_open_clip_timm(
        "open_clip_mobile_b", timm_tower("mci", num_classes=28),
        {"timm_model_name": "vit_golden_mci_51", "timm_pool": "token", "timm_proj": None}, {"context_length": 20, "pool_type": "argmax"},
        ["<s>", "<pad>", "</s>", "<unk>"], "<s>", 28, 51)


# ---- MetaCLIP 2 ----

def make_metaclip():
    import clip_models
    from transformers import MetaClip2Config, MetaClip2Model
    folder = OUT / "metaclip"
    folder.mkdir(parents=True, exist_ok=True)
    context, dim = 20, 30
    tokenizer = clip_models.unigram(["<s>", "<pad>", "</s>", "<unk>"] + WORDS, "<s>", "</s>", "<unk>")
    tokenizer.save(str(folder / "tokenizer.json"))
    model = MetaClip2Model(MetaClip2Config(
        text_config=dict(hidden_size=36, num_hidden_layers=2, num_attention_heads=4, intermediate_size=50, projection_dim=dim,
                         vocab_size=tokenizer.get_vocab_size(), max_position_embeddings=context, bos_token_id=0,
                         eos_token_id=2, pad_token_id=1),
        vision_config=dict(hidden_size=40, num_hidden_layers=2, num_attention_heads=5, intermediate_size=72, image_size=28,
                           patch_size=7, projection_dim=dim),
        projection_dim=dim))
    clip_models.randomise(model, 17)
    model.save_pretrained(folder, safe_serialization=True)
    mix_dtypes(folder / "model.safetensors")
    clip_models.write_preprocessor(folder, 28)
    model = MetaClip2Model.from_pretrained(folder).float().eval()
    preprocessor = json.loads((folder / "preprocessor_config.json").read_text())
    x = pictures(28, PICTURES)
    golden = {"pixels": x.permute(0, 2, 3, 1)}
    rows = [tokenizer.encode(t).ids for t in TEXTS]
    rows = [r if len(r) <= context else r[:context - 1] + r[-1:] for r in rows]
    put_texts(golden, rows)
    with torch.no_grad():
        v = model.vision_model(pixel_values=normalised(x, preprocessor), output_hidden_states=True)
        states(golden, "image", v.hidden_states, lambda h: h[:, 0])
        golden["images"] = torch.nn.functional.normalize(model.visual_projection(v.pooler_output), dim=-1)
        outs = [model.text_model(input_ids=torch.tensor([r]), output_hidden_states=True) for r in rows]
        states(golden, "text", [torch.cat([o.hidden_states[i][0] for o in outs]) for i in range(3)],
               lambda h: h[golden["starts"][1:] - 1])
        pooled = torch.cat([o.pooler_output for o in outs])
        golden["texts"] = torch.nn.functional.normalize(model.text_projection(pooled), dim=-1)
    save_golden(folder, golden)


# ---- texts by BERT, XLM-RoBERTa and M2M100 ----

LETTERS = [chr(c) for c in range(97, 123)]
WORDPIECES = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *LETTERS, *("##" + c for c in LETTERS), "the", "white", "dog", "cat",
              "##ite", ",", "!", ":", "\u767d", "\u72d7"]


def tiny_wordpiece(folder):
    """vocab.txt of letters and a few words; returns how many ids it has."""
    (folder / "vocab.txt").write_text("".join(p + "\n" for p in WORDPIECES), "utf-8")
    return len(WORDPIECES)


def make_chinese_clip():
    import clip_models
    from transformers import BertTokenizer, ChineseCLIPConfig, ChineseCLIPModel
    folder = OUT / "chinese_clip"
    folder.mkdir(parents=True, exist_ok=True)
    context, dim = 20, 30
    vocab = tiny_wordpiece(folder)
    model = ChineseCLIPModel(ChineseCLIPConfig(
        text_config=dict(hidden_size=36, num_hidden_layers=2, num_attention_heads=4, intermediate_size=50, vocab_size=vocab,
                         max_position_embeddings=context),
        vision_config=dict(hidden_size=40, num_hidden_layers=2, num_attention_heads=5, intermediate_size=72, image_size=28,
                           patch_size=7, projection_dim=dim),
        projection_dim=dim))
    clip_models.randomise(model, 19)
    model.save_pretrained(folder, safe_serialization=True)
    mix_dtypes(folder / "model.safetensors")
    clip_models.write_preprocessor(folder, 28)
    model = ChineseCLIPModel.from_pretrained(folder).float().eval()
    preprocessor = json.loads((folder / "preprocessor_config.json").read_text())
    x = pictures(28, PICTURES)
    golden = {"pixels": x.permute(0, 2, 3, 1)}
    tokenizer = BertTokenizer(str(folder / "vocab.txt"))
    rows = [tokenizer(t, truncation=True, max_length=context)["input_ids"] for t in CHINESE_TEXTS]
    put_texts(golden, rows)
    with torch.no_grad():
        v = model.vision_model(pixel_values=normalised(x, preprocessor), output_hidden_states=True)
        states(golden, "image", v.hidden_states, lambda h: h[:, 0])
        golden["images"] = torch.nn.functional.normalize(model.visual_projection(v.pooler_output), dim=-1)
        outs = [model.text_model(input_ids=torch.tensor([r]), output_hidden_states=True) for r in rows]
        states(golden, "text", [torch.cat([o.hidden_states[i][0] for o in outs]) for i in range(3)],
               lambda h: h[golden["starts"][:-1]])
        pooled = torch.cat([o.last_hidden_state[:, 0] for o in outs])
        golden["texts"] = torch.nn.functional.normalize(model.text_projection(pooled), dim=-1)
    save_golden(folder, golden)


CHINESE_TEXTS = ["a white dog", "\u767d\u72d7 the cat", "", "A dog, the DOG and a cat: 3 of them on a white wall!"]


def golden_of_texts(folder, layers, transformer, rows, vectors):
    """The golden of a checkpoint without pictures: `vectors` [texts, D] are the reference's own."""
    golden, hidden = {}, [[] for _ in layers]
    put_texts(golden, rows)
    for i, layer in enumerate(layers):
        layer.register_forward_hook(lambda m, a, o, i=i: hidden[i].append((o[0] if isinstance(o, tuple) else o)[0]))
    with torch.no_grad():
        for r in rows:
            transformer(input_ids=torch.tensor([r]))
    for i, h in enumerate(hidden):
        golden[f"text.{i}"] = torch.cat([x if x.dim() == 2 else x[None] for x in h])
    golden["texts"] = torch.nn.functional.normalize(vectors.float(), dim=-1)
    golden["pixels"] = torch.zeros(1)
    save_golden(folder, golden)


def make_sentence():
    """As sentence-transformers publishes clip-ViT-B-32-multilingual-v1, for the pictures of make_clip."""
    import tempfile

    import clip_models
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import Dense, Pooling, Transformer
    from transformers import BertTokenizer, DistilBertConfig, DistilBertModel
    folder = OUT / "sentence"
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as base:
        base = Path(base)
        vocab = tiny_wordpiece(base)
        base_model = DistilBertModel(DistilBertConfig(vocab_size=vocab, dim=36, n_layers=2, n_heads=4, hidden_dim=50,
                                                      max_position_embeddings=40))
        clip_models.randomise(base_model, 23)
        base_model.save_pretrained(base)
        BertTokenizer(str(base / "vocab.txt"), do_lower_case=False).save_pretrained(base)
        modules = [Transformer(str(base), max_seq_length=20), Pooling(36), Dense(36, 21, bias=False, activation_function=torch.nn.Identity())]
        SentenceTransformer(modules=modules, device="cpu").save(str(folder), create_model_card=False)
    for path in (folder / "model.safetensors", folder / "2_Dense/model.safetensors"):
        mix_dtypes(path)
    model = SentenceTransformer(str(folder), device="cpu", model_kwargs={"dtype": torch.float32}).float().eval()
    transformer = model[0].model if hasattr(model[0], "model") else model[0].auto_model
    rows = [model.tokenizer(t, truncation=True, max_length=20)["input_ids"] for t in CHINESE_TEXTS]
    vectors = model.encode(CHINESE_TEXTS, convert_to_tensor=True, show_progress_bar=False)
    golden_of_texts(folder, transformer.transformer.layer, transformer, rows, vectors)


def make_mclip():
    """As M-CLIP publishes its models, but with the text model's configuration, since this one is nobody's."""
    import clip_models
    from transformers import XLMRobertaConfig, XLMRobertaModel
    folder = OUT / "mclip"
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer = clip_models.unigram(["<s>", "<pad>", "</s>", "<unk>"] + WORDS, "<s>", "</s>", "<unk>")
    tokenizer.save(str(folder / "tokenizer.json"))
    own = XLMRobertaConfig(vocab_size=tokenizer.get_vocab_size(), hidden_size=36, num_hidden_layers=2, num_attention_heads=4,
                           intermediate_size=50, max_position_embeddings=22, type_vocab_size=1, layer_norm_eps=1e-5)
    keys = ("model_type", "vocab_size", "hidden_size", "num_hidden_layers", "num_attention_heads", "intermediate_size",
            "max_position_embeddings", "type_vocab_size", "layer_norm_eps", "pad_token_id")
    (folder / "config.json").write_text(json.dumps(
        {"model_type": "M-CLIP", "modelBase": "tests/golden", "numDims": 21, "transformerDimensions": 36,
         "model_config": {k: own.to_dict()[k] for k in keys}}, indent=1) + "\n")
    model = torch.nn.Module()   # multilingual_clip/pt_multilingual_clip.py has these two
    model.transformer = XLMRobertaModel(own, add_pooling_layer=False)
    model.LinearTransformation = torch.nn.Linear(36, 21)
    clip_models.randomise(model, 29)
    path = folder / "model.safetensors"
    save_file({k: v.contiguous() for k, v in model.state_dict().items()}, path)
    mix_dtypes(path)
    model.load_state_dict({k: v.float() for k, v in load_file(path).items()})
    model.eval()
    rows = [tokenizer.encode(t).ids for t in TEXTS]
    rows = [r if len(r) <= 20 else r[:19] + r[-1:] for r in rows]
    with torch.no_grad():
        pooled = torch.stack([model.transformer(input_ids=torch.tensor([r]))[0][0].mean(0) for r in rows])
        vectors = model.LinearTransformation(pooled)
    golden_of_texts(folder, model.transformer.encoder.layer, model.transformer, rows, vectors)


def text_layers(transformer):
    return transformer.encoder.layer if hasattr(transformer, "encoder") else transformer.layers


def make_open_clip_hf(name, kind, sizes, trunk, vision, options, dim, start="<s>"):
    """open_clip with a text model of transformers, whose configuration is `kind`(**sizes)."""
    import clip_models
    import open_clip_import
    import transformers
    from open_clip.hf_model import HFTextEncoder
    folder = OUT / name
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer = clip_models.unigram(["<s>", "<pad>", "</s>", "<unk>"] + WORDS, start, "</s>", "<unk>")
    tokenizer.save(str(folder / "tokenizer.json"))
    (folder / "tokenizer_config.json").write_text(json.dumps({"pad_token": "<pad>"}))
    own = getattr(transformers, kind)(**sizes, vocab_size=tokenizer.get_vocab_size(), pad_token_id=1)
    text = dict(options, context_length=20, hf_model_name="tests/golden", hf_tokenizer_name="tests/golden",
                hf_model_config={k: v for k, v in own.to_dict().items() if k in (*sizes, "vocab_size", "pad_token_id", "model_type")})
    cfg = {"embed_dim": dim, "custom_text": True, "vision_cfg": dict(vision, image_size=30, timm_model_pretrained=False),
           "text_cfg": text}
    config = {"model_cfg": cfg, "preprocess_cfg": {"mean": [0.5] * 3, "std": [0.5] * 3, "interpolation": "bicubic",
                                                  "resize_mode": "squash"}}
    (folder / "open_clip_config.json").write_text(json.dumps(config, indent=1) + "\n")
    model = torch.nn.Module()
    model.visual = torch.nn.ModuleDict({"trunk": trunk})
    model.text = HFTextEncoder("", dim, own, options["hf_pooler_type"], options["hf_proj_type"])
    if kind == "M2M100Config":
        model.text.transformer = model.text.transformer.encoder   # as from_pretrained leaves it
    model.logit_scale = torch.nn.Parameter(torch.tensor(2.0))
    model = model.eval()
    randomise(model)
    path = folder / "open_clip_model.safetensors"
    save_file({k: v.contiguous() for k, v in model.state_dict().items() if "pooler" not in k}, path)
    mix_dtypes(path)
    model.load_state_dict({k: v.float() for k, v in load_file(path).items()}, strict=False)
    rows = open_clip_import.token_rows(folder, text, OPEN_CLIP_TEXTS)
    golden = {"pixels": pictures(30, PICTURES).permute(0, 2, 3, 1)}
    put_texts(golden, [[i for i in r if i != 1] for r in rows])
    golden_of_open_clip_hf(folder, model, golden, torch.tensor(rows))


def golden_of_open_clip_hf(folder, model, golden, rows):
    hidden, lengths = {}, (rows != 1).sum(1)
    with torch.no_grad():
        for i, layer in enumerate(text_layers(model.text.transformer)):
            layer.register_forward_hook(lambda m, a, o, k=i: hidden.__setitem__(k, o[0] if isinstance(o, tuple) else o))
        x = golden["pixels"].permute(0, 3, 1, 2)
        image = model.visual["trunk"](normalised(x, {"image_mean": [0.5] * 3, "image_std": [0.5] * 3, "rescale_factor": 1 / 255}))
        text = model.text(rows)
    golden["text.0"] = torch.cat([h[:n] for h, n in zip(hidden[0], lengths)])
    golden["text.1"] = torch.cat([h[:n] for h, n in zip(hidden[1], lengths)])
    if "Mean" not in type(model.text.pooler).__name__:
        golden["text.1"] = hidden[1][:, 0]
    golden["images"] = torch.nn.functional.normalize(image, dim=-1)
    golden["texts"] = torch.nn.functional.normalize(text, dim=-1)
    save_golden(folder, golden)


def make_open_clip_texts():
    make_open_clip_hf(
        "open_clip_xlm", "XLMRobertaConfig",
        dict(hidden_size=36, num_hidden_layers=2, num_attention_heads=4, intermediate_size=50, max_position_embeddings=26,
             type_vocab_size=1, layer_norm_eps=1e-5),
        timm_tower("clip", num_classes=28), {"timm_model_name": "vit_golden_patch7_clip_30", "timm_pool": "token", "timm_proj": None},
        {"hf_proj_type": "mlp", "hf_pooler_type": "mean_pooler"}, 28)
    make_open_clip_hf(
        "open_clip_nllb", "M2M100Config",
        dict(d_model=36, encoder_layers=2, encoder_attention_heads=4, decoder_attention_heads=4, encoder_ffn_dim=50, max_position_embeddings=30,
             scale_embedding=True, activation_function="relu"),
        timm_tower("siglip"), {"timm_model_name": "vit_golden_patch7_siglip_30", "timm_pool": "map", "timm_proj": "none"},
        {"hf_proj_type": "linear", "hf_pooler_type": "cls_pooler"}, 40, "<s>")


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
    import clip_models
    import model as starter
    folder = OUT / "dual"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps(DUAL, indent=1) + "\n")
    preprocessor = {"size": {"height": 37, "width": 37}, "resample": 3, "rescale_factor": 1 / 255,
                    "image_mean": [127 / 255] * 3, "image_std": [128 / 255] * 3,
                    "views": ["centre", "squash"]}
    (folder / "preprocessor_config.json").write_text(json.dumps(preprocessor, indent=1) + "\n")
    clip_models.unigram(["<s>", "<pad>", "</s>", "<unk>"] + WORDS, "<s>", "</s>", "<unk>").save(str(folder / "tokenizer.json"))
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
        make_open_clip_family()
        make_open_clip_naflex()
        make_open_clip_eva()
        make_open_clip_clipa()
        make_open_clip_mobile()
        make_open_clip_mobile_b()
        make_open_clip_convnext()
        make_open_clip_texts()
    else:
        for name in sys.argv[1:] or ["clip", "dual", "siglip", "naflex", "metaclip", "chinese_clip", "sentence", "mclip"]:
            {"clip": make_clip, "dual": make_dual, "siglip": make_siglip, "naflex": make_naflex, "metaclip": make_metaclip, "sentence": make_sentence, "mclip": make_mclip,
             "chinese_clip": make_chinese_clip, "open_clip_family": make_open_clip_family, "open_clip_naflex": make_open_clip_naflex,
             "open_clip_texts": make_open_clip_texts, "open_clip_mobile": make_open_clip_mobile,
             "open_clip_mobile_b": make_open_clip_mobile_b, "open_clip_convnext": make_open_clip_convnext,
             "open_clip_eva": make_open_clip_eva, "open_clip_clipa": make_open_clip_clipa}[name]()
