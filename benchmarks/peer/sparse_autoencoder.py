"""Trains a TopK sparse autoencoder on one site of a Llama model in plain PyTorch, as SAELens does, to be timed.

The model is that of language_model.py; its forward ends after the site's layer. Activations pass through SAELens's mixing buffer (half of it stays when
it is refilled) and are scaled to a mean norm of sqrt(D). Latents are dense, gradients are autograd's; the loss is the squared error and the auxiliary loss
of dead latents; decoder rows have norm 1, as in SAELens up to version 5. Reads token ids as JSON: "train" and "held", lists of contexts; the first
position of each is left out. Prints one line of JSON: seconds of training without loading, the fastest of several, and the explained variance on "held".
"""

import argparse
import json
import pathlib
import time

import torch

from language_model import load


class Slice:
    """The model up to a site: "residual" after a layer, or what its MLP gives ("mlp")."""

    def __init__(self, model, layer, kind):
        self.model, self.layer, self.kind = model, layer, kind

    @torch.no_grad()
    def __call__(self, ids):
        model, length = self.model, ids.shape[1]
        angles = torch.arange(length).float()[:, None] * model.inverse[None]
        angles = torch.cat((angles, angles), dim=-1)
        mask = torch.triu(torch.full((length, length), torch.finfo(torch.float32).min), diagonal=1)
        x, cos, sin = model.embed_tokens(ids), angles.cos(), angles.sin()
        for layer in model.layers[: self.layer]:
            x = layer(x, cos, sin, mask, [])
        last = model.layers[self.layer]
        x = x + last.self_attn(last.input_layernorm(x), cos, sin, mask, [])
        out = last.mlp(last.post_attention_layernorm(x))
        if self.kind == "residual":
            out = x + out
        return out[:, 1:].reshape(-1, out.shape[-1])


def mixing_buffer(batches, size, batch):
    held, count = [], 0
    for values in batches:
        held.append(values)
        count += values.shape[0]
        if count >= size:
            mixed = torch.cat(held)[torch.randperm(count)]
            served = max(1, (count - size // 2) // batch) * batch
            for start in range(0, served, batch):
                yield mixed[start:start + batch]
            held, count = [mixed[served:]], count - served
    if count >= batch:
        mixed = torch.cat(held)[torch.randperm(count)]
        for start in range(0, count - batch + 1, batch):
            yield mixed[start:start + batch]


class TopK(torch.nn.Module):
    def __init__(self, inputs, width, active):
        super().__init__()
        directions = torch.randn(width, inputs)
        directions /= directions.norm(dim=1, keepdim=True)
        self.W_enc = torch.nn.Parameter(directions.t().clone())
        self.W_dec = torch.nn.Parameter(directions)
        self.b_enc = torch.nn.Parameter(torch.zeros(width))
        self.b_dec = torch.nn.Parameter(torch.zeros(inputs))
        self.active = active

    def encode(self, x):
        pre = (x - self.b_dec) @ self.W_enc + self.b_enc
        values, indices = pre.topk(self.active, dim=-1)
        return pre, torch.zeros_like(pre).scatter(-1, indices, values.relu())

    def decode(self, z):
        return z @ self.W_dec + self.b_dec


def auxiliary(sae, x, recovered, pre, dead, weight):
    count = int(dead.sum())
    if count == 0:
        return 0.0
    residual, most = (x - recovered).detach(), x.shape[-1] // 2
    values, indices = torch.where(dead, pre, torch.tensor(-torch.inf)).topk(min(most, count), dim=-1)
    z = torch.zeros_like(pre).scatter(-1, indices, values.relu())
    return weight * min(count / most, 1.0) * (z @ sae.W_dec - residual).pow(2).sum(-1).mean()


def train(model_slice, contexts, a):
    batches = (model_slice(contexts[start:start + a.rows]) for start in range(0, len(contexts), a.rows))
    sae = optimizer = scale = since = None
    steps = len(contexts) * (contexts.shape[1] - 1) // a.batch
    falling = steps // 5
    for step, x in enumerate(mixing_buffer(batches, a.buffer, a.batch), 1):
        if sae is None:
            scale = x.shape[-1] ** 0.5 / x.norm(dim=1).mean()
            sae = TopK(x.shape[-1], a.width, a.active)
            sae.b_dec.data = x.mean(0) * scale
            optimizer = torch.optim.Adam(sae.parameters(), lr=a.rate)
            since = torch.zeros(a.width, dtype=torch.int64)
        optimizer.param_groups[0]["lr"] = a.rate * min(1.0, step / a.warm_up, (steps + 1 - step) / (falling + 1))
        x = x * scale
        pre, z = sae.encode(x)
        recovered = sae.decode(z)
        loss = (recovered - x).pow(2).sum(-1).mean() + auxiliary(sae, x, recovered, pre, since >= a.dead_after, 1 / 32)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        with torch.no_grad():
            gradient = sae.W_dec.grad
            gradient -= (gradient * sae.W_dec).sum(1, keepdim=True) * sae.W_dec
            optimizer.step()
            sae.W_dec /= sae.W_dec.norm(dim=1, keepdim=True)
            since += x.shape[0]
            since[(z > 0).any(0)] = 0
    return sae, scale, steps


@torch.no_grad()
def explained_variance(model_slice, sae, scale, contexts, rows):
    x = torch.cat([model_slice(contexts[start:start + rows]) for start in range(0, len(contexts), rows)])
    recovered = sae.decode(sae.encode(x * scale)[1]) / scale
    x, recovered = x.double(), recovered.double()
    return 1 - ((x - recovered).pow(2).sum() / (x - x.mean(0)).pow(2).sum()).item()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--folder", type=pathlib.Path, required=True)
    parser.add_argument("--tokens", type=pathlib.Path, required=True)
    parser.add_argument("--kind", choices=["residual", "mlp"], required=True)
    for name in ["threads", "layer", "width", "active", "rows", "batch", "buffer", "rounds", "warm-up", "dead-after"]:
        parser.add_argument("--" + name, type=int, required=True)
    parser.add_argument("--rate", type=float, required=True)
    a = parser.parse_args()
    torch.set_num_threads(a.threads)
    torch.manual_seed(0)
    model, _ = load(a.folder)
    ids = json.loads(a.tokens.read_text())
    contexts, held = torch.tensor(ids["train"]), torch.tensor(ids["held"])
    model_slice = Slice(model, a.layer, a.kind)
    train(model_slice, contexts[:a.rows], a)  # warm-up
    seconds = float("inf")
    for _ in range(a.rounds):
        start = time.perf_counter()
        sae, scale, steps = train(model_slice, contexts, a)
        seconds = min(seconds, time.perf_counter() - start)
    variance = explained_variance(model_slice, sae, scale, held, a.rows)
    print(json.dumps({"torch": torch.__version__, "seconds": seconds, "tokens": steps * a.batch, "explained_variance": variance}))


if __name__ == "__main__":
    main()
