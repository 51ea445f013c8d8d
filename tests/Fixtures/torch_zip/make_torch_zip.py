"""Writes small checkpoints with torch.save and what they hold as golden.json. Made with torch 1.13.1 (Debian 12's python3-torch), Python 3.11."""
import collections
import json
import os

import torch

HERE = os.path.dirname(os.path.abspath(__file__))
torch.manual_seed(0)
golden = {}


def describe(prefix, value, out):
    if isinstance(value, torch.Tensor):
        raw = value.detach().contiguous().reshape(-1)
        data = bytes(raw.view(torch.uint8).tolist()) if raw.numel() else b""
        out[prefix] = {"dtype": str(value.dtype), "shape": list(value.shape), "hex": data.hex()}
    elif isinstance(value, dict):
        for key, item in value.items():
            describe(f"{prefix}.{key}" if prefix else str(key), item, out)
    elif isinstance(value, (list, tuple)):
        for i, item in enumerate(value):
            describe(f"{prefix}.{i}" if prefix else str(i), item, out)


def save(name, value, **options):
    torch.save(value, os.path.join(HERE, name), **options)
    golden[name] = {}
    describe("", value, golden[name])


model = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.BatchNorm1d(4), torch.nn.Linear(4, 2))
save("state_dict.pt", model.state_dict())
save("state_dict_protocol4.pt", model.state_dict(), pickle_protocol=4)

types = {}
for dtype in (torch.float32, torch.float64, torch.float16, torch.bfloat16, torch.int64, torch.int32, torch.int16, torch.int8, torch.uint8):
    types[str(dtype).split(".")[1]] = torch.arange(-3, 4).to(dtype).reshape(7)
types["bool"] = torch.tensor([True, False, True])
types["scalar"] = torch.tensor(2.5)
types["empty"] = torch.zeros(0, 3)
save("types.pt", types)

base = torch.arange(24, dtype=torch.float32).reshape(4, 6)
save("views.pt", {
    "base": base,
    "transposed": base.t(),
    "slice": base[1:3, 2:5],
    "strided": base[::2, ::3],
    "permuted": base.reshape(2, 3, 4).permute(2, 0, 1),
    "again": base,
})

parameter = torch.nn.Parameter(torch.ones(2, 2))
optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
model(torch.randn(5, 3)).sum().backward()
optimizer.step()
save("nested.pt", {
    "epoch": 3,
    "best": 0.125,
    "note": "größer als 漢字",
    "done": True,
    "nothing": None,
    "seed": 2**63 + 5,
    "negative": -70000,
    "size": torch.Size([2, 3]),
    "parameter": parameter,
    "state_dict": collections.OrderedDict(model.state_dict()),
    "optimizer": optimizer.state_dict(),
    "list": [torch.tensor([1, 2]), {"deep": torch.tensor([3.0])}, (torch.tensor(4), 5)],
})

# A whole module: refused, because its pickle names classes.
torch.save(torch.nn.Linear(1, 1), os.path.join(HERE, "whole_module.pt"))
# The format before torch 1.6: refused.
torch.save({"w": torch.ones(2)}, os.path.join(HERE, "legacy.pt"), _use_new_zipfile_serialization=False)
# A TorchScript program: refused.
torch.jit.save(torch.jit.script(torch.nn.Linear(1, 1)), os.path.join(HERE, "script.pt"))

with open(os.path.join(HERE, "golden.json"), "w") as out:
    json.dump(golden, out, indent=1, sort_keys=True)
    out.write("\n")
