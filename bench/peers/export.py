"""export.py - a checkpoint's towers in the formats of ONNX Runtime and OpenVINO.

    python -m peers.export CHECKPOINT OUT [CALIBRATION.npy]

Writes image.onnx, text.onnx, image.xml, text.xml (float32) and, where pictures are given to calibrate
with, image-int8.xml by NNCF's quantisation after training.
"""
import sys
from pathlib import Path

import numpy as np
import torch

from peers import clip
from peers.inputs import inputs


def example(kind):
    if kind == "image":
        return (torch.zeros(2, 3, 224, 224),)
    return (torch.zeros(2, 9, dtype=torch.int64), torch.tensor([8, 5]))


def to_onnx(kind, tower, out, inputs=None):
    """`inputs`: of a tower that takes others than CLIP's; only their number may vary then."""
    names = ["pixels"] if kind == "image" else ["ids", "ends"]
    axes = {"pixels": {0: "n"}} if kind == "image" else {"ids": {0: "n", 1: "t"}, "ends": {0: "n"}}
    if inputs:
        names = names[:len(inputs)]
        axes = {name: {0: "n"} for name in names}
    torch.onnx.export(tower, inputs or example(kind), str(out / f"{kind}.onnx"), input_names=names, output_names=["vector"],
                      dynamic_axes={**axes, "vector": {0: "n"}}, opset_version=17, dynamo=False)


def to_openvino(kind, tower, out, inputs=None):
    import openvino
    network = openvino.convert_model(tower, example_input=inputs or example(kind))
    if inputs:
        network.reshape([-1, *inputs[0].shape[1:]])
    elif kind == "image":
        network.reshape([-1, 3, 224, 224])
    openvino.save_model(network, out / f"{kind}.xml", compress_to_fp16=False)


def to_int8(out, calibration):
    import nncf
    import openvino
    pictures = inputs("image", calibration)[0]
    network = openvino.Core().read_model(out / "image.xml")
    quantised = nncf.quantize(network, nncf.Dataset([x[None] for x in pictures]),
                              model_type=nncf.ModelType.TRANSFORMER, subset_size=len(pictures))
    openvino.save_model(quantised, out / "image-int8.xml", compress_to_fp16=False)


def main():
    model, out = sys.argv[1], Path(sys.argv[2])
    out.mkdir(parents=True)
    np.random.seed(0)
    torch.manual_seed(0)
    for kind in ("image", "text"):
        tower = clip.tower(kind, model)
        with torch.inference_mode():
            to_onnx(kind, tower, out)
            to_openvino(kind, tower, out)
    if len(sys.argv) > 3:
        to_int8(out, sys.argv[3])


if __name__ == "__main__":
    main()
