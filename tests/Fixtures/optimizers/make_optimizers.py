"""Golden trajectories of optimizers and schedules: a fixed quadratic-plus-quartic problem whose gradients depend on the parameters.

    python make_optimizers.py          # writes golden.safetensors beside this script

loss(p) = sum_i a_i p_i^2 / 2 + sum_i p_i^4 / 12 for two tensors w (3, 4) and b (5); 'a' is stored. For each optimizer the parameters after
steps 1, 2, 10 and 50 are stored as <optimizer>.<tensor>.<step>. Settings are in the metadata.
"""
import pathlib, json, torch
from safetensors.torch import save_file
OUT = pathlib.Path(__file__).parent
SETTINGS = {
    "sgd": (torch.optim.SGD, dict(lr=0.05)),
    "sgd_momentum": (torch.optim.SGD, dict(lr=0.05, momentum=0.9, nesterov=True, weight_decay=0.01)),
    "adam": (torch.optim.Adam, dict(lr=0.02, betas=(0.9, 0.999), eps=1e-8)),
    "adam_l2_amsgrad": (torch.optim.Adam, dict(lr=0.02, weight_decay=0.1, amsgrad=True)),
    "adamw": (torch.optim.AdamW, dict(lr=0.02, betas=(0.9, 0.95), weight_decay=0.1)),
}
g = torch.Generator().manual_seed(3)
w0, b0 = torch.randn(3, 4, generator=g), torch.randn(5, generator=g)
aw, ab = torch.rand(3, 4, generator=g) + 0.1, torch.rand(5, generator=g) + 0.1
gold = {"w.0": w0, "b.0": b0, "a.w": aw, "a.b": ab}
def loss(w, b): return (aw * w**2).sum() / 2 + (ab * b**2).sum() / 2 + (w**4).sum() / 12 + (b**4).sum() / 12
for name, (cls, kw) in SETTINGS.items():
    w, b = w0.clone().requires_grad_(), b0.clone().requires_grad_()
    opt = cls([w, b], **kw)
    for step in range(1, 51):
        opt.zero_grad(); loss(w, b).backward(); opt.step()
        if step in (1, 2, 10, 50): gold[f"{name}.w.{step}"], gold[f"{name}.b.{step}"] = w.detach().clone(), b.detach().clone()
w, b = w0.clone().requires_grad_(), b0.clone().requires_grad_()
(loss(w, b) * 10).backward(); gold["clip.norm"] = torch.nn.utils.clip_grad_norm_([w, b], 1.0).detach().reshape(1)
gold["clip.w.grad"], gold["clip.b.grad"] = w.grad.clone(), b.grad.clone()
p = torch.zeros(1, requires_grad=True); opt = torch.optim.SGD([p], lr=1.0)
cos = torch.optim.lr_scheduler.LambdaLR(opt, lambda s: s / 10 if s < 10 else 0.5 * (1 + torch.cos(torch.tensor((s - 10) / 90 * 3.141592653589793)).item()))
lrs = []
for _ in range(100): lrs.append(opt.param_groups[0]["lr"]); opt.step(); cos.step()
gold["schedule.warmup10_cosine100"] = torch.tensor(lrs)
save_file(gold, str(OUT / "golden.safetensors"), metadata={"torch": torch.__version__, "settings": json.dumps({k: v[1] for k, v in SETTINGS.items()})})
print(len(gold), "tensors")
