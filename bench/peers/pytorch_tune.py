"""pytorch_tune - training the last blocks of both towers by PyTorch, from what enters them: the work of bench/tune.c."""
import torch
import torch.nn.functional as F

from peers.host import timed

PAIRS, TOKENS, LONGEST = 64, 50, 20


class Peer:
    """float32, or bfloat16 by autocast. Texts of 8 to 20 tokens are padded to 20, as a tokenizer does for a batch."""

    def __init__(self, model, precision, depth, threads=0, **_):
        from transformers import AutoModel
        if threads:
            torch.set_num_threads(threads)
        m = AutoModel.from_pretrained(model, dtype=torch.float32, attn_implementation="sdpa").train()
        self.towers = [(m.vision_model.encoder.layers[-depth:], m.vision_model.post_layernorm, m.visual_projection),
                       (m.text_model.encoder.layers[-depth:], m.text_model.final_layer_norm, m.text_projection)]
        self.bf16 = precision == "bf16"
        trained = [p for layers, *rest in self.towers for part in (*layers, *rest) for p in part.parameters()]
        self.trained = trained
        self.optimiser = torch.optim.AdamW(trained, lr=1e-5, betas=(0.9, 0.98), weight_decay=0.1)
        g = torch.Generator().manual_seed(1)
        self.pictures = torch.randn(PAIRS, TOKENS, m.config.vision_config.hidden_size, generator=g)
        self.texts = torch.randn(PAIRS, LONGEST, m.config.text_config.hidden_size, generator=g)
        self.last = torch.arange(PAIRS) % (LONGEST - 7) + 7
        self.mask = torch.full((1, 1, LONGEST, LONGEST), float("-inf")).triu(1)
        timed(self.step, 0)

    @staticmethod
    def through(layers, x, mask):
        for layer in layers:
            y = layer(x, attention_mask=mask)
            x = y[0] if isinstance(y, tuple) else y
        return x

    def loss(self):
        (layers, norm, projection), (text_layers, text_norm, text_projection) = self.towers
        v = projection(norm(self.through(layers, self.pictures, None)[:, 0]))
        x = self.through(text_layers, self.texts, self.mask)
        u = text_projection(text_norm(x[torch.arange(PAIRS), self.last]))
        logits = 10 * F.normalize(u.float(), dim=1) @ F.normalize(v.float(), dim=1).T
        target = torch.arange(PAIRS)
        return (F.cross_entropy(logits, target) + F.cross_entropy(logits.T, target)) / 2

    def step(self):
        self.optimiser.zero_grad()
        with torch.autocast("cpu", torch.bfloat16, enabled=self.bf16):
            loss = self.loss()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.trained, 1.0)
        self.optimiser.step()

    def milliseconds(self, seconds, **_):
        return timed(self.step, seconds)
