"""Golden values for metrics and statistics, from scipy, statsmodels, rouge-score, and the published definitions.

    python make_metrics.py             # writes golden.json (+ features.safetensors) beside itself
"""
import json, pathlib, numpy as np, torch, scipy, scipy.linalg, scipy.stats as st
from safetensors.torch import save_file
OUT = pathlib.Path(__file__).parent; rng = np.random.default_rng(0); gold = {"scipy": scipy.__version__}
# image features: Frechet distance, kernel distance (degree-3 polynomial), improved precision/recall and density/coverage with k=3
A, B = rng.normal(size=(400, 12)), rng.normal(0.3, 1.2, size=(300, 12)) @ (np.eye(12) + 0.1 * rng.normal(size=(12, 12)))
save_file({"a": torch.tensor(A), "b": torch.tensor(B)}, str(OUT / "features.safetensors"))
def frechet(a, b):
    m, n, S, T = a.mean(0), b.mean(0), np.cov(a, rowvar=False), np.cov(b, rowvar=False)
    return float(((m - n) ** 2).sum() + np.trace(S + T - 2 * scipy.linalg.sqrtm(S @ T).real))
def kid(a, b):
    k = lambda x, y: (x @ y.T / x.shape[1] + 1) ** 3; m, n = len(a), len(b); kaa, kbb, kab = k(a, a), k(b, b), k(a, b)
    return float((kaa.sum() - np.trace(kaa)) / (m * (m - 1)) + (kbb.sum() - np.trace(kbb)) / (n * (n - 1)) - 2 * kab.mean())
def manifold(real, fake, k=3):
    D = lambda x, y: np.sqrt(np.maximum((x**2).sum(1)[:, None] + (y**2).sum(1)[None] - 2 * x @ y.T, 0)); rr, ff, rf = D(real, real), D(fake, fake), D(real, fake)
    rad_r, rad_f = np.sort(rr, 1)[:, k], np.sort(ff, 1)[:, k]
    return dict(precision=float((rf <= rad_r[:, None]).any(0).mean()), recall=float((rf <= rad_f[None]).any(1).mean()),
                density=float((rf < rad_r[:, None]).sum(0).mean() / k), coverage=float((rf.min(1) < rad_r).mean()))
gold["features"] = dict(frechet=frechet(A, B), kid=kid(A, B), **manifold(A, B))
# paired tests and intervals
x, y = (rng.random(200) < 0.7).astype(int), (rng.random(200) < 0.6).astype(int)
n01, n10 = int(((x == 0) & (y == 1)).sum()), int(((x == 1) & (y == 0)).sum())
gold["mcnemar"] = dict(x=x.tolist(), y=y.tolist(), n01=n01, n10=n10, exact_p=float(st.binomtest(min(n01, n10), n01 + n10, 0.5).pvalue))
from statsmodels.stats.proportion import proportion_confint
gold["proportion"] = [dict(k=k, n=n, wilson=list(proportion_confint(k, n, 0.05, "wilson")), clopper_pearson=list(proportion_confint(k, n, 0.05, "beta"))) for k, n in ((0, 20), (5, 20), (250, 1000), (1987, 1987))]
t1, t2 = rng.gamma(2, 1, 80), rng.gamma(2.3, 1, 90)
ks = st.ks_2samp(t1, t2); gold["ks"] = dict(a=t1.tolist(), b=t2.tolist(), statistic=float(ks.statistic), pvalue=float(ks.pvalue))
s, l = rng.normal(size=120), (rng.random(120) < 0.4).astype(int); s = s + 0.6 * l
gold["auc"] = dict(score=s.tolist(), label=l.tolist(), auc=float(st.mannwhitneyu(s[l == 1], s[l == 0]).statistic / (l.sum() * (1 - l).sum())))
r1, r2 = rng.normal(size=30), rng.normal(size=30); gold["spearman"] = dict(a=r1.tolist(), b=(r1 + r2).tolist(), rho=float(st.spearmanr(r1, r1 + r2).statistic))
# text overlap
from rouge_score import rouge_scorer
sc = rouge_scorer.RougeScorer(["rouge1", "rougeL"], use_stemmer=True)
pairs = [("The capital of France is Paris.", "Paris is the capital of France"), ("He was running quickly", "he runs quick"), ("", "something"), ("same text here", "same text here"), ("日本語 text", "日本語 words")]
gold["rouge"] = [dict(reference=a, prediction=b, **{f"{k}_{f}": getattr(v, f) for k, v in sc.score(a, b).items() for f in ("precision", "recall", "fmeasure")}) for a, b in pairs]
# entropy and membership-inference scores on a stored logit table
lg = rng.normal(size=(6, 9, 30)); y = rng.integers(0, 30, size=(6, 9)); lp = lg - scipy.special.logsumexp(lg, -1, keepdims=True); tok = np.take_along_axis(lp, y[..., None], -1)[..., 0]
mu, sd = (np.exp(lp) * lp).sum(-1), np.sqrt((np.exp(lp) * lp**2).sum(-1) - (np.exp(lp) * lp).sum(-1) ** 2); z = (tok - mu) / sd; kk = int(9 * 0.4)
gold["token_scores"] = dict(logits=lg.tolist(), labels=y.tolist(), loss=(-tok.mean(1)).tolist(), min_k_40=(np.sort(tok, 1)[:, :kk].mean(1)).tolist(), min_k_plus_plus_40=(np.sort(z, 1)[:, :kk].mean(1)).tolist(), probability=np.exp(tok.mean(1)).tolist())
(OUT / "golden.json").write_text(json.dumps(gold)); print({k: (v if not isinstance(v, (dict, list)) or len(str(v)) < 200 else "...") for k, v in gold.items()})
