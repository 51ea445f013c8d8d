"""RMU as centerforaisafety/wmdp releases it (rmu/unlearn.py), in plain PyTorch on the model of language_model.py, to be timed.

Two whole models in memory; three whole forwards with the head a step (updated on forget, updated and frozen on retain); gradients stay enabled for every parameter of the updated model, and only
the optimizer's are cleared; hidden states are caught by a hook; both losses are means over all positions. One process times everything at one number of threads. Batches are rows of one
length, so that there is no padding; their tokens and the control vector follow from formulas that both sides know. Writes the edited matrices as .npy and prints one line of JSON.
"""

import argparse
import json
import pathlib
import statistics
import threading
import time

import numpy as np
import torch
import torch.nn.functional as F

from language_model import load


def anonymous():
    for line in open("/proc/self/status"):
        if line.startswith("RssAnon:"):
            return 1024 * int(line.split()[1])


class Peak:
    """The most anonymous memory seen, looked at every two milliseconds."""

    def __enter__(self):
        self.bytes, self.stop = 0, False
        self.thread = threading.Thread(target=self.watch, daemon=True)
        self.thread.start()
        return self

    def watch(self):
        while not self.stop:
            self.bytes = max(self.bytes, anonymous())
            time.sleep(0.002)

    def __exit__(self, *_):
        self.stop = True
        self.thread.join()


def forward(model, ids):
    """Every layer and the head at every position, as model(**inputs) of the library."""
    length = ids.shape[1]
    angles = torch.arange(length).float()[:, None] * model.inverse[None]
    angles = torch.cat((angles, angles), dim=-1)
    mask = torch.triu(torch.full((length, length), torch.finfo(torch.float32).min), diagonal=1)
    x = model.embed_tokens(ids)
    for layer in model.layers:
        x = layer(x, angles.cos(), angles.sin(), mask, [])
    return F.linear(model.norm(x), model.embed_tokens.weight)


def forward_with_cache(model, ids, layer, no_grad):
    cache = []
    handle = model.layers[layer].register_forward_hook(lambda module, given, output: cache.append(output))
    if no_grad:
        with torch.no_grad():
            forward(model, ids)
    else:
        forward(model, ids)
    handle.remove()
    return cache[0]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--folder", type=pathlib.Path, required=True)
    parser.add_argument("--out", type=pathlib.Path, required=True)
    for name in ("threads", "rows", "length", "batches", "epochs", "layer", "first", "stride"):
        parser.add_argument("--" + name, type=int, required=True)
    for name in ("steering", "alpha", "rate"):
        parser.add_argument("--" + name, type=float, required=True)
    a = parser.parse_args()
    torch.set_num_threads(a.threads)
    empty = anonymous()
    with Peak() as peak:
        updated, c = load(a.folder)
        frozen, _ = load(a.folder)
        updated.train()
        tokens = lambda kind, batch: torch.tensor([[(3 + kind + ((batch * a.rows + row) * a.length + k) * a.stride) % c["vocab_size"] for k in range(a.length)] for row in range(a.rows)])
        direction = torch.tensor([(k * a.stride % 1000) / 1000 for k in range(c["hidden_size"])])
        control = direction / direction.norm() * a.steering
        edited = [updated.layers[layer].mlp.down_proj.weight for layer in range(a.first, a.layer + 1)]
        optimizer = torch.optim.AdamW(edited, lr=a.rate, weight_decay=0.0)
        seconds, losses = [], []
        for epoch in range(a.epochs):
            for batch in range(a.batches):
                forget, retain = tokens(0, batch), tokens(1, batch)
                start = time.perf_counter()
                steered = forward_with_cache(updated, forget, a.layer, False)
                unlearn = F.mse_loss(steered, control.expand_as(steered))
                kept = forward_with_cache(updated, retain, a.layer, False)
                held = F.mse_loss(kept, forward_with_cache(frozen, retain, a.layer, True)) * a.alpha
                loss = unlearn + held
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
                seconds.append(time.perf_counter() - start)
                losses.append([unlearn.item(), held.item()])
    for layer, weight in zip(range(a.first, a.layer + 1), edited):
        np.save(a.out / f"layer{layer}.npy", weight.detach().numpy())
    # The first step warms up.
    print(json.dumps({"torch": torch.__version__, "threads": a.threads, "step": statistics.median(seconds[1:]), "losses": losses, "empty_bytes": empty, "peak_bytes": peak.bytes}))


if __name__ == "__main__":
    main()
