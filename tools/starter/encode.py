"""encode.py - run a text encoder over many texts, short ones together."""
import torch


def batches(lengths, batch_tokens):
    """Indices sorted by length, cut so that a padded batch holds at most batch_tokens."""
    order = sorted(range(len(lengths)), key=lambda i: lengths[i])
    chunk = []
    for i in order:
        if chunk and (len(chunk) + 1) * lengths[i] > batch_tokens:
            yield chunk
            chunk = []
        chunk.append(i)
    if chunk:
        yield chunk


def pad(rows, pad_id):
    """Lists of ids -> (ids, mask) tensors [B, T]."""
    width = max(len(r) for r in rows)
    ids = torch.tensor([r + [pad_id] * (width - len(r)) for r in rows])
    mask = torch.tensor([[1] * len(r) + [0] * (width - len(r)) for r in rows])
    return ids, mask


@torch.no_grad()
def encode(model, tokenizer, texts, pad_id, batch_tokens=8192):
    """Mean-pooled vectors [N, W] in float32, computed in bfloat16."""
    rows = [e.ids for e in tokenizer.encode_batch(texts)]
    out = None
    for chunk in batches([len(r) for r in rows], batch_tokens):
        ids, mask = pad([rows[i] for i in chunk], pad_id)
        with torch.autocast("cpu", torch.bfloat16):
            x = model(ids, mask).float()
        if out is None:
            out = torch.zeros(len(texts), x.shape[1])
        out[chunk] = x
    return out
