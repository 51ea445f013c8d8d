"""Golden values of modules: initial values, outputs and gradients of torch.nn, drawn from torch.manual_seed(7).

    /usr/bin/python3 make_modules.py     # writes golden.safetensors beside this script; needs torch (1.13.1 was used) and numpy

For each module: <name>.init.<parameter> (values right after construction, the generator seeded with 7), <name>.input (drawn from seed 11),
<name>.output, <name>.grad.input and <name>.grad.<parameter> of sum(output * weights) with weights = cos(0, 1, 2, ...) in the output's shape.
"""
import json, math, pathlib, struct
import torch
from torch import nn

gold = {}


def record(name, make, shape, call=None, integers=False):
    torch.manual_seed(7)
    module = make()
    for key, value in module.state_dict().items():
        gold[f"{name}.init.{key}"] = value.clone()
    torch.manual_seed(11)
    x = torch.randint(0, 5, shape) if integers else torch.randn(shape)
    gold[f"{name}.input"] = x.clone()
    x.requires_grad_(not integers)
    y = call(module, x) if call else module(x)
    gold[f"{name}.output"] = y.detach().clone()
    weights = torch.cos(torch.arange(y.numel(), dtype=torch.float32)).reshape(y.shape)
    (y * weights).sum().backward()
    if not integers:
        gold[f"{name}.grad.input"] = x.grad
    for key, value in module.named_parameters():
        gold[f"{name}.grad.{key}"] = value.grad
    for key, value in module.named_buffers():
        gold[f"{name}.after.{key}"] = value.clone()


record("linear", lambda: nn.Linear(4, 3), (2, 4))
record("conv", lambda: nn.Conv2d(4, 6, 3, stride=2, padding=1, groups=2), (2, 4, 5, 5))
record("batchnorm", lambda: nn.BatchNorm2d(3), (4, 3, 2, 2))
record("layernorm", lambda: nn.LayerNorm(6), (3, 6))
record("groupnorm", lambda: nn.GroupNorm(2, 4), (2, 4, 3, 3))
record("embedding", lambda: nn.Embedding(5, 3), (2, 4), integers=True)
record("attention", lambda: nn.MultiheadAttention(8, 2, batch_first=True), (2, 5, 8), lambda m, x: m(x, x, x, need_weights=False)[0])
record("causal", lambda: nn.MultiheadAttention(8, 2, batch_first=True), (2, 5, 8),
       lambda m, x: m(x, x, x, need_weights=False, attn_mask=torch.triu(torch.ones(5, 5, dtype=torch.bool), 1))[0])
record("sequential", lambda: nn.Sequential(nn.Conv2d(1, 2, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(8, 3), nn.LayerNorm(3)), (2, 1, 6, 6))

names = {torch.float32: "F32", torch.int64: "I64"}
header, data = {"__metadata__": {"torch": torch.__version__}}, b""
for key in sorted(gold):
    value = gold[key].detach().contiguous()
    raw = value.numpy().tobytes()
    header[key] = {"dtype": names[value.dtype], "shape": list(value.shape), "data_offsets": [len(data), len(data) + len(raw)]}
    data += raw
text = json.dumps(header).encode()
text += b" " * (-len(text) % 8)
path = pathlib.Path(__file__).parent / "golden.safetensors"
path.write_bytes(struct.pack("<Q", len(text)) + text + data)
print(len(gold), "tensors,", path.stat().st_size, "bytes")
