"""pillow - decode, bicubic to 224, centre crop, to bytes; bound to one processor."""
import os

from PIL import Image

from harness.material import SIZE
from peers.host import timed


class Peer:
    def __init__(self, names, draft, processor):
        os.sched_setaffinity(0, {processor})
        self.names, self.draft = names, draft
        self.once()

    def once(self):
        for name in self.names:
            im = Image.open(name)
            w, h = im.size
            tw, th = (SIZE, SIZE * h // w) if w < h else (SIZE * w // h, SIZE)
            if self.draft:
                im.draft("RGB", (2 * tw, 2 * th))
            im = im.convert("RGB").resize((tw, th), Image.Resampling.BICUBIC)
            x, y = (tw - SIZE) // 2, (th - SIZE) // 2
            im.crop((x, y, x + SIZE, y + SIZE)).tobytes()

    def milliseconds(self, seconds):
        return timed(self.once, seconds, least=1)
