"""Prefill and decode of a Llama model in plain PyTorch, eager, as transformers' modeling_llama.py computes it, to be timed.

Reads a Hugging Face directory with float32 safetensors, so that both sides have the same weights. One process times everything at one number of
threads; OMP_WAIT_POLICY comes from the environment. Keys and values of a text grow by concatenation, as in the library's default cache; the head
runs on the last position only, as in the library's generate. Prints one line of JSON. Needs torch and numpy only.
"""

import argparse
import json
import pathlib
import struct
import time

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F


def read_safetensors(path):
    with open(path, "rb") as file:
        (size,) = struct.unpack("<Q", file.read(8))
        header = json.loads(file.read(size))
    data = np.memmap(path, dtype=np.uint8, mode="r", offset=8 + size)
    for name, entry in header.items():
        if name == "__metadata__":
            continue
        assert entry["dtype"] == "F32", f"{name} is {entry['dtype']}"
        start, end = entry["data_offsets"]
        yield name, torch.from_numpy(np.array(data[start:end]).view(np.float32).reshape(entry["shape"]))


class RMSNorm(nn.Module):
    def __init__(self, size, eps):
        super().__init__()
        self.weight, self.eps = nn.Parameter(torch.ones(size)), eps

    def forward(self, x):
        variance = x.pow(2).mean(-1, keepdim=True)
        return self.weight * (x * torch.rsqrt(variance + self.eps))


def rotate_half(x):
    half = x.shape[-1] // 2
    return torch.cat((-x[..., half:], x[..., :half]), dim=-1)


def repeat_kv(x, times):
    if times == 1:
        return x
    batch, heads, length, size = x.shape
    return x[:, :, None].expand(batch, heads, times, length, size).reshape(batch, heads * times, length, size)


class Attention(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.heads, self.shared, self.size = c["num_attention_heads"], c["num_key_value_heads"], c["head_dim"]
        width = c["hidden_size"]
        self.q_proj = nn.Linear(width, self.heads * self.size, bias=False)
        self.k_proj = nn.Linear(width, self.shared * self.size, bias=False)
        self.v_proj = nn.Linear(width, self.shared * self.size, bias=False)
        self.o_proj = nn.Linear(self.heads * self.size, width, bias=False)

    def forward(self, x, cos, sin, mask, cache):
        batch, length, _ = x.shape
        q = self.q_proj(x).view(batch, length, self.heads, self.size).transpose(1, 2)
        k = self.k_proj(x).view(batch, length, self.shared, self.size).transpose(1, 2)
        v = self.v_proj(x).view(batch, length, self.shared, self.size).transpose(1, 2)
        q, k = q * cos + rotate_half(q) * sin, k * cos + rotate_half(k) * sin
        if cache:
            k, v = torch.cat((cache[0], k), dim=2), torch.cat((cache[1], v), dim=2)
        cache[:] = [k, v]
        k, v = repeat_kv(k, self.heads // self.shared), repeat_kv(v, self.heads // self.shared)
        scores = torch.matmul(q, k.transpose(2, 3)) * self.size**-0.5
        if mask is not None:
            scores = scores + mask
        weights = F.softmax(scores, dim=-1, dtype=torch.float32)
        return self.o_proj(torch.matmul(weights, v).transpose(1, 2).reshape(batch, length, -1))


class MLP(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.gate_proj = nn.Linear(c["hidden_size"], c["intermediate_size"], bias=False)
        self.up_proj = nn.Linear(c["hidden_size"], c["intermediate_size"], bias=False)
        self.down_proj = nn.Linear(c["intermediate_size"], c["hidden_size"], bias=False)

    def forward(self, x):
        return self.down_proj(F.silu(self.gate_proj(x)) * self.up_proj(x))


class Layer(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.input_layernorm = RMSNorm(c["hidden_size"], c["rms_norm_eps"])
        self.self_attn = Attention(c)
        self.post_attention_layernorm = RMSNorm(c["hidden_size"], c["rms_norm_eps"])
        self.mlp = MLP(c)

    def forward(self, x, cos, sin, mask, cache):
        x = x + self.self_attn(self.input_layernorm(x), cos, sin, mask, cache)
        return x + self.mlp(self.post_attention_layernorm(x))


class Llama(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.embed_tokens = nn.Embedding(c["vocab_size"], c["hidden_size"])
        self.layers = nn.ModuleList(Layer(c) for _ in range(c["num_hidden_layers"]))
        self.norm = RMSNorm(c["hidden_size"], c["rms_norm_eps"])
        size = c["head_dim"]
        self.inverse = 1.0 / (c["rope_theta"] ** (torch.arange(0, size, 2).float() / size))

    def forward(self, ids, caches):
        past = caches[0][0].shape[2] if caches[0] else 0
        length = ids.shape[1]
        angles = torch.arange(past, past + length).float()[:, None] * self.inverse[None]
        angles = torch.cat((angles, angles), dim=-1)
        mask = None
        if length > 1:
            mask = torch.triu(torch.full((length, past + length), torch.finfo(torch.float32).min), diagonal=past + 1)
        x = self.embed_tokens(ids)
        for layer, cache in zip(self.layers, caches):
            x = layer(x, angles.cos(), angles.sin(), mask, cache)
        return F.linear(self.norm(x[:, -1:]), self.embed_tokens.weight)


def load(folder):
    c = json.loads((folder / "config.json").read_text())
    c.setdefault("head_dim", c["hidden_size"] // c["num_attention_heads"])
    c["rope_theta"] = c.get("rope_theta") or c["rope_parameters"]["rope_theta"]
    assert c["model_type"] == "llama" and c["tie_word_embeddings"]
    with torch.no_grad():
        # Nothing is drawn at random, and each tensor is there once.
        init, nn.Linear.reset_parameters = nn.Linear.reset_parameters, lambda self: None
        model = Llama(c)
        nn.Linear.reset_parameters = init
        parameters = dict(model.named_parameters())
        for name, value in read_safetensors(folder / "model.safetensors"):
            parameters.pop(name.removeprefix("model.")).copy_(value)
    assert not parameters, sorted(parameters)
    return model.eval(), c


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--folder", type=pathlib.Path, required=True)
    parser.add_argument("--threads", type=int, required=True)
    parser.add_argument("--prompt", type=int, required=True)
    parser.add_argument("--tokens", type=int, required=True)
    parser.add_argument("--rounds", type=int, required=True)
    parser.add_argument("--stride", type=int, required=True)
    a = parser.parse_args()
    torch.set_num_threads(a.threads)
    model, c = load(a.folder)
    ids = torch.tensor([[(3 + k * a.stride) % c["vocab_size"] for k in range(a.prompt)]])
    prefill, decode = [], []
    with torch.no_grad():
        for _ in range(a.rounds + 1):
            caches = [[] for _ in range(c["num_hidden_layers"])]
            start = time.perf_counter()
            made = [int(model(ids, caches)[0, -1].argmax())]
            middle = time.perf_counter()
            while len(made) < a.tokens:
                made.append(int(model(torch.tensor([[made[-1]]]), caches)[0, -1].argmax()))
            prefill.append(middle - start)
            decode.append((time.perf_counter() - middle) / (a.tokens - 1))
    # The first round warms up.
    print(json.dumps({"torch": torch.__version__, "threads": torch.get_num_threads(), "prefill": min(prefill[1:]), "decode": min(decode[1:]), "tokens": made}))


if __name__ == "__main__":
    main()
