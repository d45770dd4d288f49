"""clip_tokenizer.py - a checkpoint of open_clip whose texts are read by a tokenizer of its own, with CLIP's instead.

    python -m peers.clip_tokenizer FOLDER OUT

The towers are the same; the table of tokens has as many rows as CLIP's tokenizer has pieces. What it computes means nothing.
"""
import json
import shutil
import sys
from pathlib import Path

from safetensors.torch import load_file, save_file

PIECES = 49408


def main():
    folder, out = Path(sys.argv[1]), Path(sys.argv[2])
    config = json.loads((folder / "open_clip_config.json").read_text())
    text = config["model_cfg"]["text_cfg"]
    text["vocab_size"] = PIECES
    for key in ("hf_tokenizer_name", "tokenizer_kwargs"):
        text.pop(key, None)
    tensors = load_file(folder / "open_clip_model.safetensors")
    tensors["text.token_embedding.weight"] = tensors["text.token_embedding.weight"][:PIECES].contiguous()
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    save_file(tensors, out / "open_clip_model.safetensors")
    (out / "open_clip_config.json").write_text(json.dumps(config))


if __name__ == "__main__":
    main()
