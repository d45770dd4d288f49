#!/usr/bin/env python3
"""Write a tiny CLIP checkpoint with random weights: tiny_model.py DIR [SEED [SIZE PATCH]]

One layer a tower, so that the program's tests need no real model. Two seeds are two models.
Uses the test tokenizer of tests/golden; needs nothing but Python.
"""
import json
import os
import random
import shutil
import struct
import sys

WIDTH, HIDDEN, DIM, PATCH, SIZE, CONTEXT = 32, 64, 16, 16, 32, 77


def tensors(vocab):
    yield "logit_scale", []
    for tower, tokens in (("text_model", CONTEXT), ("vision_model", (SIZE // PATCH) ** 2 + 1)):
        yield f"{tower}.embeddings.position_embedding.weight", [tokens, WIDTH]
        layer = f"{tower}.encoder.layers.0."
        for name in ("q_proj", "k_proj", "v_proj", "out_proj"):
            yield layer + f"self_attn.{name}.weight", [WIDTH, WIDTH]
            yield layer + f"self_attn.{name}.bias", [WIDTH]
        yield layer + "mlp.fc1.weight", [HIDDEN, WIDTH]
        yield layer + "mlp.fc1.bias", [HIDDEN]
        yield layer + "mlp.fc2.weight", [WIDTH, HIDDEN]
        yield layer + "mlp.fc2.bias", [WIDTH]
        for name in ("layer_norm1", "layer_norm2"):
            yield layer + name + ".weight", [WIDTH]
            yield layer + name + ".bias", [WIDTH]
    for name in ("text_model.final_layer_norm", "vision_model.pre_layrnorm", "vision_model.post_layernorm"):
        yield name + ".weight", [WIDTH]
        yield name + ".bias", [WIDTH]
    yield "text_model.embeddings.token_embedding.weight", [vocab, WIDTH]
    yield "vision_model.embeddings.class_embedding", [WIDTH]
    yield "vision_model.embeddings.patch_embedding.weight", [WIDTH, 3, PATCH, PATCH]
    yield "text_projection.weight", [DIM, WIDTH]
    yield "visual_projection.weight", [DIM, WIDTH]


def main():
    global SIZE, PATCH
    folder, seed = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 1
    if len(sys.argv) > 4:
        SIZE, PATCH = int(sys.argv[3]), int(sys.argv[4])
    golden = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../golden/tokenizers/clip_files")
    os.makedirs(folder, exist_ok=True)
    for name in ("vocab.json", "merges.txt"):
        shutil.copy(os.path.join(golden, name), folder)
    ids = json.load(open(os.path.join(golden, "vocab.json"), encoding="utf-8"))
    ends = {"bos_token_id": ids["<|startoftext|>"], "eos_token_id": ids["<|endoftext|>"]}
    text = {"vocab_size": len(ids), "hidden_size": WIDTH, "intermediate_size": HIDDEN, "num_attention_heads": 2,
            "num_hidden_layers": 1, "max_position_embeddings": CONTEXT, "hidden_act": "quick_gelu",
            "projection_dim": DIM, **ends}
    vision = {"hidden_size": WIDTH, "intermediate_size": HIDDEN, "num_attention_heads": 2, "num_hidden_layers": 1,
              "patch_size": PATCH, "image_size": SIZE, "hidden_act": "quick_gelu", "projection_dim": DIM}
    config = {"model_type": "clip", "architectures": ["CLIPModel"], "projection_dim": DIM, "logit_scale_init_value": 2.6592,
              "text_config": text, "vision_config": vision}
    preprocessing = {"do_resize": True, "size": {"shortest_edge": SIZE}, "resample": 3, "do_center_crop": True,
                     "crop_size": {"height": SIZE, "width": SIZE}, "do_normalize": True, "do_convert_rgb": True,
                     "image_mean": [0.48145466, 0.4578275, 0.40821073],
                     "image_std": [0.26862954, 0.26130258, 0.27577711]}
    json.dump(config, open(os.path.join(folder, "config.json"), "w"))
    json.dump(preprocessing, open(os.path.join(folder, "preprocessor_config.json"), "w"))

    r = random.Random(seed)
    header, data = {}, bytearray()
    for name, shape in tensors(len(ids)):
        n = 1
        for d in shape:
            n *= d
        if name == "logit_scale":
            values = [2.6592]
        elif "norm" in name and name.endswith("weight"):
            values = [1.0 + r.gauss(0, 0.1) for _ in range(n)]
        else:
            values = [r.gauss(0, 0.15) for _ in range(n)]
        start = len(data)
        data += struct.pack(f"<{n}f", *values)
        header[name] = {"dtype": "F32", "shape": shape, "data_offsets": [start, len(data)]}
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(os.path.join(folder, "model.safetensors"), "wb") as f:
        f.write(struct.pack("<Q", len(text)) + text + data)


main()
