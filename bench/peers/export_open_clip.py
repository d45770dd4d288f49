"""export_open_clip.py - one of open_clip's models with random weights, as a checkpoint and for the peers.

    python -m peers.export_open_clip NAME IDS OUT      # a name of tools/parity/tower_parity.py; how many ids the vocabulary has

Writes OUT/model (a checkpoint folder in open_clip's layout), OUT/image.onnx, text.onnx, image.xml, text.xml (float32), and what
they are given: OUT/pixels.npy (16 pictures of the model's size, bytes) and texts.txt with texts.npz, the same texts as ids.
"""
import json
import sys
from pathlib import Path

import numpy as np
import torch

TOP = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(TOP / "tools/parity"))

from harness.material import TEXT, WORDS  # noqa: E402
from peers.export import to_onnx, to_openvino  # noqa: E402

PICTURES, TEXTS = 16, 16


class Text(torch.nn.Module):
    """Ids [N, T], padded as the model reads them; `ends` is for the peers' common interface and not used."""

    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, ids):
        return self.model.encode_text(ids)


class Image(torch.nn.Module):
    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, pixels):
        return self.model.encode_image(pixels)


def main():
    import tower_parity
    from open_clip_import import token_rows
    name, ids, out = sys.argv[1], int(sys.argv[2]), Path(sys.argv[3])
    out.mkdir(parents=True)
    tower_parity.make_open_clip(name, out / "model", ids)
    reference = tower_parity.OpenClip(out / "model")
    random = np.random.default_rng(5)
    size = reference.size
    np.save(out / "pixels.npy", random.integers(0, 256, (PICTURES, size, size, 3), np.uint8))
    lines = [TEXT] + [" ".join(random.choice(WORDS, 6)) for _ in range(TEXTS - 1)]
    (out / "texts.txt").write_text("\n".join(lines) + "\n")
    cfg = json.loads((out / "model/open_clip_config.json").read_text())["model_cfg"]
    rows = np.array(token_rows(out / "model", cfg["text_cfg"], lines), np.int64)
    np.savez(out / "texts.npz", ids=rows, ends=np.full(len(rows), rows.shape[1] - 1))
    torch.backends.mha.set_fastpath_enabled(False)   # its operator cannot be exported
    examples = {"image": (torch.zeros(2, 3, size, size),), "text": (torch.from_numpy(rows[:2]),)}
    with torch.inference_mode():
        for kind, tower in (("image", Image(reference.model)), ("text", Text(reference.model))):
            to_onnx(kind, tower, out, examples[kind])
            to_openvino(kind, tower, out, examples[kind])


if __name__ == "__main__":
    main()
