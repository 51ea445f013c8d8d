"""Golden values for the bootstrap: the same draws (SplitMix64, upper half of a 128-bit product), with everything after them written anew in plain Python.

    python make_bootstrap.py             # writes bootstrap.json; Python 3.11, no packages
"""
import json, math, pathlib
from statistics import NormalDist, stdev
MASK = (1 << 64) - 1


def split_mix(seed):
    while True:
        seed = (seed + 0x9E3779B97F4A7C15) & MASK
        z = seed
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & MASK
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK
        yield z ^ (z >> 31)


def quantile(ordered, level):
    place = level * (len(ordered) - 1)
    below = math.floor(place)
    return ordered[below] if below + 1 == len(ordered) else ordered[below] * (1 - (place - below)) + ordered[below + 1] * (place - below)


def bootstrap(items, statistic, resamples, seed, confidence):
    bits, n, normal = split_mix(seed), len(items), NormalDist()
    draws = sorted(statistic([items[(next(bits) * n) >> 64] for _ in range(n)]) for _ in range(resamples))
    value, tail = statistic(items), (1 - confidence) / 2
    z0 = normal.inv_cdf((sum(d < value for d in draws) + sum(d == value for d in draws) / 2) / resamples)
    left = [statistic(items[:i] + items[i + 1:]) for i in range(n)]
    deviations = [sum(left) / n - x for x in left]
    a = sum(d**3 for d in deviations) / (6 * sum(d**2 for d in deviations) ** 1.5)
    level = lambda alpha: normal.cdf(z0 + (z0 + normal.inv_cdf(alpha)) / (1 - a * (z0 + normal.inv_cdf(alpha))))
    return dict(value=value, standard_error=stdev(draws), percentile=[quantile(draws, tail), quantile(draws, 1 - tail)],
                bca=[quantile(draws, level(tail)), quantile(draws, level(1 - tail))])


items = [round(math.exp(NormalDist().inv_cdf((i + 0.5) / 40)), 6) for i in range(40)]  # log-normal quantiles: skewed
variance = lambda x: sum((v - sum(x) / len(x)) ** 2 for v in x) / len(x)
out = dict(items=items, resamples=500, seed=7, confidence=0.9, **bootstrap(items, variance, 500, 7, 0.9))
(pathlib.Path(__file__).parent / "bootstrap.json").write_text(json.dumps(out)); print(out)
