"""publish.py - write the trained model as a checkpoint directory.

Usage: publish.py CACHE_DIR OUT_DIR [--full]

Big matrices become int8 with one scale a row, everything else float16 (--full keeps all in
float32, for measuring what that costs). docs/model-format.md describes the result.
"""
import argparse
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


def gather(cache):
    """(config, preprocessor, tokenizer, state dict) of the trained model in float32."""
    trained = torch.load(Path(cache) / "final.pt")
    image, saved = trained["image"], trained["text"]
    vision_config, backbone, _, _ = load_lite2()
    features.Upper(backbone).load_state_dict(image["upper"])
    state = {f"vision_model.{k}": v for k, v in backbone.state_dict().items()}
    state.update({"text_model." + k.removeprefix("encoder."): v
                  for k, v in saved["tower"].items() if k.startswith("encoder.")})
    state.update({f"vision_head.{k}": v for k, v in image["vision"].items()})
    state.update({f"text_head.{k}": v for k, v in image["text"].items()})
    vision_head, text_head = head_configs()
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


def write(cache, out, full=False):
    config, preprocessor, tokenizer, state = gather(cache)
    out = Path(out)
    out.mkdir(parents=True, exist_ok=True)
    (out / "config.json").write_text(json.dumps(config, indent=1) + "\n")
    (out / "preprocessor_config.json").write_text(json.dumps(preprocessor, indent=1) + "\n")
    tokenizer.save(str(out / "tokenizer.json"), pretty=False)
    save_file(compress(state, full), str(out / "model.safetensors"), {"format": "pt"})


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("cache")
    parser.add_argument("out")
    parser.add_argument("--full", action="store_true")
    a = parser.parse_args()
    write(a.cache, a.out, a.full)
