"""How long a call of a small operator takes from Python; prints JSON, seconds by name. Started by the benchmark call-overhead."""
import json
import time

import torch

torch.set_num_threads(1)
CALLS, ROUNDS = 20_000, 15


def best(action):
    for _ in range(CALLS):
        action()
    result = float("inf")
    for _ in range(ROUNDS):
        start = time.perf_counter()
        for _ in range(CALLS):
            action()
        result = min(result, (time.perf_counter() - start) / CALLS)
    return result


a, b = torch.ones(1), torch.ones(1)
g = torch.ones(1, requires_grad=True)
square, tall = torch.ones(4, 4), torch.ones(4, 1)
with torch.no_grad():
    times = {
        "add": best(lambda: torch.add(a, b)),
        "mul by a number": best(lambda: torch.mul(a, 2.0)),
        "add in place": best(lambda: a.add_(b)),
        "sum over a dimension": best(lambda: torch.sum(square, 1)),
        "matrix product 4x4": best(lambda: torch.matmul(square, square)),
        "view": best(lambda: square.view(16)),
        "cat of two": best(lambda: torch.cat([square, tall], 1)),
    }
times["add, recorded"] = best(lambda: torch.add(g, b))


def step():
    g.grad = None
    torch.mul(g, g).sum().backward()


times["mul, sum, backward"] = best(step)
print(json.dumps({"torch": torch.__version__, "threads": torch.get_num_threads(), "times": times}))
