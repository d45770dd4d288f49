"""rclip_model.py - a checkpoint's towers with the inputs that rclip gives: python -m peers.rclip_model CHECKPOINT OUT

Its pictures are 256 x 256: the middle is taken. Its texts are 77 ids, zeros after the end.
"""
import sys

import torch
from torch import nn

from peers import clip


class Middle(nn.Module):
    def __init__(self, tower):
        super().__init__()
        self.tower = tower

    def forward(self, pixels):    # [N, 3, 256, 256]
        return self.tower(pixels[:, :, 16:240, 16:240])


class UntilEnd(nn.Module):
    def __init__(self, tower):
        super().__init__()
        self.tower = tower

    def forward(self, ids):       # [N, 77]; the end has the highest id
        return self.tower(ids, ids.argmax(1))


def main():
    model, out = sys.argv[1:]
    with torch.inference_mode():
        for name, tower, example in (
                ("visual", Middle(clip.tower("image", model)), torch.zeros(2, 3, 256, 256)),
                ("textual", UntilEnd(clip.tower("text", model)), torch.zeros(2, 77, dtype=torch.int64))):
            torch.onnx.export(tower, (example,), f"{out}/{name}.onnx", input_names=["input"], output_names=["output"],
                              dynamic_axes={"input": {0: "n"}, "output": {0: "n"}}, opset_version=17, dynamo=False)


if __name__ == "__main__":
    main()
