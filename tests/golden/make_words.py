#!/usr/bin/env python3
"""Write tests/golden/words.safetensors: what the networks of models/words compute, layer by layer, by ONNX Runtime from the package's own graphs;
resized and straightened pictures by OpenCV; and the boxes that the package finds in maps of probabilities.

    pip install rapidocr==3.10.0 onnx onnxruntime
    tests/golden/make_words.py

Numbers are half floats. Maps are stored with their channels last, as the program has them.
"""
import os
import sys

import cv2
import numpy as np
import onnx
import onnxruntime
import rapidocr
from PIL import Image, ImageDraw, ImageFont
from rapidocr.ch_ppocr_det.utils import DBPostProcess
from rapidocr.utils.process_img import get_rotate_crop_image

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../tools/words"))
import convert  # noqa: E402

OUT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "words.safetensors")


def picture(width, height, text, size, upside_down=False):
    image = Image.new("RGB", (width, height), (250, 244, 230))
    draw = ImageDraw.Draw(image)
    draw.rectangle((width * 2 // 3, 0, width, height), fill=(120, 160, 90))
    draw.text((4, 2), text, fill=(20, 30, 90), font=ImageFont.load_default(size))
    return np.asarray(image.rotate(180) if upside_down else image)


def states(name, pixels, padded, numbers):
    """The outputs of the operations with these numbers, Constant and Identity not counted, for pixels followed by zeros to the width `padded`."""
    model = onnx.load(os.path.join(os.path.dirname(rapidocr.__file__), "models", convert.SOURCES[name][0]))
    nodes = [n for n in model.graph.node if n.op_type not in ("Constant", "Identity")]
    outputs = [nodes[i - 1].output[0] for i in numbers.values()]
    del model.graph.output[:]
    model.graph.output.extend(onnx.helper.make_empty_tensor_value_info(x) for x in outputs)
    x = np.zeros((1, 3, pixels.shape[0], padded), np.float32)
    x[0, :, :, :pixels.shape[1]] = (pixels[..., ::-1].astype(np.float32) / 255 - 0.5).transpose(2, 0, 1) / 0.5
    session = onnxruntime.InferenceSession(model.SerializeToString())
    return {k: v for k, v in zip(numbers, session.run(outputs, {model.graph.input[0].name: x}))}


def last(a):
    """[1, C, H, W] as [H, W, C]."""
    return a[0].transpose(1, 2, 0) if a.ndim == 4 else a[0]


def resizes(tensors):
    source = picture(61, 40, "gR", 30)
    tensors["resize.from"] = source.astype(np.float32)
    for i, (width, height) in enumerate([(96, 64), (30, 48), (61, 40), (200, 17)]):
        tensors[f"resize.{i}"] = cv2.resize(source, (width, height)).astype(np.float32)
    tensors["resize.4"] = cv2.resize(source[:, :60], (30, 20)).astype(np.float32)
    boxes = [[3, 4, 50, 4, 50, 30, 3, 30], [2, 10, 55, 2, 58, 25, 5, 33], [10, 2, 28, 3, 27, 38, 9, 37], [0, 0, 60, 1, 59, 39, 1, 36]]
    for i, box in enumerate(boxes):
        tensors[f"crop.{i}.box"] = np.float32([box])
        tensors[f"crop.{i}"] = get_rotate_crop_image(source, np.float32(box).reshape(4, 2)).astype(np.float32)


def box_maps(tensors):
    """Rectangles at several angles, some too weak, too small or at the edge, and two that touch at a corner."""
    rectangles = [((60, 20), (80, 12), 0, 0.9), ((130, 70), (90, 14), 17, 0.8), ((40, 80), (12, 60), 3, 0.95), ((100, 110), (60, 10), -30, 0.9),
                  ((170, 20), (30, 10), 0, 0.4), ((150, 120), (3, 2), 0, 0.9), ((190, 60), (20, 16), 0, 0.9), ((20, 10), (8, 8), 0, 0.9), ((28, 18), (8, 8), 0, 0.9)]
    for k, blur in enumerate((0, 1.2)):
        m = np.zeros((128, 192), np.float32)
        for centre, size, angle, value in rectangles:
            cv2.fillPoly(m, [cv2.boxPoints((centre, size, angle)).astype(np.int32)], value)
        m = (cv2.GaussianBlur(m, (0, 0), blur) if blur else m).astype(np.float16).astype(np.float32)
        boxes, _ = DBPostProcess(thresh=0.3, box_thresh=0.5, unclip_ratio=1.6, use_dilation=True)(m[None, None], (256, 400))
        tensors[f"boxes.{k}.map"], tensors[f"boxes.{k}"] = m, boxes.reshape(len(boxes), 8).astype(np.float32)


def main():
    tensors = {}
    resizes(tensors)
    box_maps(tensors)
    cases = [
        ("det", picture(96, 32, "Ab 12", 24), 96, {"det.stem0": 17, "det.0": 49, "det.1": 92, "det.2": 167, "det.3": 210, "det.p3": 220, "det.p2": 252,
                                                   "det.p1": 254, "det.p0": 256, "det.map": 317}),
        ("rec", picture(44, 48, "Qz", 36), 56, {"rec.stem0": 17, "rec.0": 61, "rec.1": 168, "rec.2": 211, "rec.neck": 225, "rec.mixed": 340, "rec.logits": 344}),
        ("cls", picture(130, 48, "word", 40, True), 192, {"cls.blocks": 239, "cls.probability": 257}),
    ]
    for name, pixels, padded, numbers in cases:
        tensors[f"{name}.pixels"] = pixels.astype(np.float32)
        for key, value in states(name, pixels, padded, numbers).items():
            value = last(value)
            if key == "rec.logits":
                value = value[:1]
            tensors[key] = value.reshape(-1, value.shape[-1])
    convert.write(OUT, tensors)


main()
