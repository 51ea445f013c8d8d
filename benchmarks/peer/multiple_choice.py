"""Multiple choice scored one answer at a time in plain PyTorch, eager, to be timed: for each answer one forward of context and answer.

The model is that of language_model.py. Kinder than lm-evaluation-harness in one thing: the head runs on the answer's positions only, not on the whole text.
Reads requests as JSON: for each set a list of questions, each a list of [context ids, answer ids]. Prints one line of JSON: for each set the seconds and the
log-likelihoods.
"""

import argparse
import json
import pathlib
import time

import torch
import torch.nn.functional as F

from language_model import load


def hidden(model, ids):
    length = ids.shape[1]
    angles = torch.arange(length).float()[:, None] * model.inverse[None]
    angles = torch.cat((angles, angles), dim=-1)
    mask = torch.triu(torch.full((length, length), torch.finfo(torch.float32).min), diagonal=1) if length > 1 else None
    x = model.embed_tokens(ids)
    for layer in model.layers:
        x = layer(x, angles.cos(), angles.sin(), mask, [])
    return x


def score(model, context, answer):
    ids = torch.tensor([(context + answer)[:-1]])
    x = model.norm(hidden(model, ids)[:, -len(answer):])
    logprobs = F.log_softmax(F.linear(x, model.embed_tokens.weight), dim=-1)[0]
    return logprobs.gather(1, torch.tensor(answer)[:, None]).sum().item()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--folder", type=pathlib.Path, required=True)
    parser.add_argument("--requests", type=pathlib.Path, required=True)
    parser.add_argument("--threads", type=int, required=True)
    a = parser.parse_args()
    torch.set_num_threads(a.threads)
    model, _ = load(a.folder)
    sets = {}
    with torch.no_grad():
        for name, questions in json.loads(a.requests.read_text()).items():
            for context, answer in questions[0]:  # warm-up
                score(model, context, answer)
            start = time.perf_counter()
            values = [[score(model, context, answer) for context, answer in question] for question in questions]
            sets[name] = {"seconds": time.perf_counter() - start, "scores": values}
    print(json.dumps({"torch": torch.__version__, "threads": torch.get_num_threads(), "sets": sets}))


if __name__ == "__main__":
    main()
