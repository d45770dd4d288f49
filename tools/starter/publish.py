"""publish.py - write the trained model as a checkpoint directory.

Usage: publish.py RUN_DIR OUT_DIR [--full] [--share S]

Big matrices become int8 with one scale a row, everything else float16 (--full keeps all in
float32, for measuring what that costs). docs/model-format.md describes the result.
"""
import argparse
import hashlib
import json
from pathlib import Path

import torch
from safetensors.torch import save_file

import features
import vocabulary
from align import head_configs
from sources import load_lite2

CLASS_WEIGHT = 1.1402  # square root of 1.3: chosen on the dev suite after training with align.py's
INT8_FROM = 4096  # elements; smaller tensors gain nothing from int8


def quantise(w):
    """(int8 tensor, float32 scale a row): value = int8 * scale, -127..127."""
    flat = w.flatten(1)
    scale = flat.abs().amax(1).clamp_min(1e-12) / 127
    q = torch.round(flat / scale[:, None]).clamp(-127, 127).to(torch.int8)
    return q.view_as(w), scale


def is_wide(name, tensor):
    """True for the matrices worth int8: the text tower's and the heads', and the 1x1
    convolutions; depthwise weights are small and stay float16."""
    return tensor.dim() >= 2 and tensor.numel() >= INT8_FROM and "depthwise" not in name


def compress(state, full):
    out = {}
    for name, t in state.items():
        t = t.detach().float().contiguous()
        if full:
            out[name] = t
        elif is_wide(name, t):
            out[name], out[name + ".scale"] = quantise(t)
        else:
            out[name] = t.half()
    return out


def save(tensors, path):
    """A safetensors file whose metadata `sha256` is the digest of all bytes behind its header, so
    that a damaged one is known."""
    save_file(tensors, path, {"format": "pt"})
    header = 8 + int.from_bytes(path.read_bytes()[:8], "little")
    digest = hashlib.sha256(path.read_bytes()[header:]).hexdigest()
    save_file(tensors, path, {"format": "pt", "sha256": digest})
    path.chmod(0o644)


def part_of_the_way(start, end, share):
    """State dicts: start + share * (end - start); what a tensor of `end` has beyond that of `start` stays."""
    out = {}
    for name, t in end.items():
        out[name] = t.clone()
        if name in start:
            common = tuple(slice(0, n) for n in start[name].shape)
            out[name][common] = start[name] + share * (t[common] - start[name])
    return out


def shared(run, share):
    """final.pt with its weights only `share` of the way from the model that start.py began with."""
    trained, text, image = (torch.load(Path(run) / name) for name in ("final.pt", "text.pt", "image.pt"))
    trained["text"]["tower"] = part_of_the_way(text["tower"], trained["text"]["tower"], share)
    for part in ("upper", "vision", "text"):
        trained["image"][part] = part_of_the_way(image[part], trained["image"][part], share)
    return trained


def gather(trained):
    """(config, preprocessor, tokenizer, state dict) of a trained model in float32; before finetune.py
    the image tower is as it came."""
    image, saved = trained["image"], trained["text"]
    vision_config, backbone, _, _ = load_lite2()
    features.Upper(backbone).load_state_dict(image.get("upper", features.Upper(backbone).state_dict()))
    state = {f"vision_model.{k}": v for k, v in backbone.state_dict().items()}
    state.update({"text_model." + k.removeprefix("encoder."): v
                  for k, v in saved["tower"].items() if k.startswith("encoder.")})
    state.update({f"vision_head.{k}": v for k, v in image["vision"].items()})
    state.update({f"text_head.{k}": v for k, v in image["text"].items()})
    vision_head, text_head = head_configs(len(image["vision"]["branches.0.0.bias"]))
    vision_head[0]["weight"] = text_head[0]["weight"] = CLASS_WEIGHT
    config = {"model_type": "scry_dual_encoder",
              "projection_dim": sum(b["layers"][-1]["out"] for b in vision_head),
              "logit_scale": round(image["scale"], 4), "min_score": 0.0,
              "languages": list(vocabulary.LANGUAGES),
              "vision_config": vision_config, "text_config": saved["config"],
              "vision_head": vision_head, "text_head": text_head}
    size = vision_config["image_size"]
    preprocessor = {"image_processor_type": "ScryImageProcessor", "do_resize": True,
                    "size": {"height": size, "width": size}, "resample": 3, "do_rescale": True,
                    "rescale_factor": 1 / 255, "do_normalize": True,
                    "image_mean": [features.MEAN / 255] * 3, "image_std": [features.STD / 255] * 3,
                    "do_convert_rgb": True, "views": ["centre", "squash"]}
    return config, preprocessor, vocabulary.make_tokenizer(saved["pieces"]), state


def write(trained, out, full=False):
    config, preprocessor, tokenizer, state = gather(trained)
    out = Path(out)
    out.mkdir(parents=True, exist_ok=True)
    (out / "config.json").write_text(json.dumps(config, indent=1) + "\n")
    (out / "preprocessor_config.json").write_text(json.dumps(preprocessor, indent=1) + "\n")
    tokenizer.save(str(out / "tokenizer.json"), pretty=False)
    save(compress(state, full), out / "model.safetensors")


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("cache")
    parser.add_argument("out")
    parser.add_argument("--full", action="store_true")
    parser.add_argument("--share", type=float, help="go only so much of the way from the model that start.py began with")
    a = parser.parse_args()
    run = Path(a.cache)
    write(torch.load(run / "final.pt") if a.share is None else shared(run, a.share), a.out, a.full)
