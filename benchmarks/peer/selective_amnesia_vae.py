"""The loops of Selective Amnesia's published VAE code, written anew from its description, to be timed.

Heng and Soh 2023, arXiv 2305.10120; clear-nus/selective-amnesia, folder vae/. Same model, same losses, same work in every step,
in the same order. Two things are kinder to it than the original: images lie in memory as float tensors (its loader, which converts
every image by itself, is timed apart), and gradients are set to none between steps, as newer versions of PyTorch do by default.

One process times everything at one number of threads; OMP_WAIT_POLICY comes from the environment. Prints one line of JSON.
Needs torch and numpy only.
"""

import argparse
import copy
import gzip
import json
import struct
import time

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F

CONDITIONS, PIXELS, LATENT = 10, 784, 8
BATCH, LEARNING_RATE = 256, 1e-4
LAMBDA, GAMMA, FORGOTTEN, LOG_EVERY = 100.0, 1.0, 0, 200


class OneHotCVAE(nn.Module):
    """784 (+10) - 512 - 256 - 8, (8 + 10) - 256 - 512 - 784; the one-hot condition beside the image and beside the latent."""

    def __init__(self):
        super().__init__()
        self.fc1 = nn.Linear(PIXELS + CONDITIONS, 512)
        self.fc2 = nn.Linear(512, 256)
        self.fc31 = nn.Linear(256, LATENT)
        self.fc32 = nn.Linear(256, LATENT)
        self.fc4 = nn.Linear(LATENT + CONDITIONS, 256)
        self.fc5 = nn.Linear(256, 512)
        self.fc6 = nn.Linear(512, PIXELS)

    def encoder(self, x, c):
        h = F.relu(self.fc1(torch.cat([x, c], 1)))
        h = F.relu(self.fc2(h))
        return self.fc31(h), self.fc32(h)

    def sampling(self, mu, log_var):
        std = torch.exp(0.5 * log_var)
        return torch.randn_like(std) * std + mu

    def decoder(self, z, c):
        h = F.relu(self.fc4(torch.cat([z, c], 1)))
        h = F.relu(self.fc5(h))
        return torch.sigmoid(self.fc6(h))

    def forward(self, x, c):
        mu, log_var = self.encoder(x.view(-1, PIXELS), c)
        return self.decoder(self.sampling(mu, log_var), c), mu, log_var


def negative_elbo(reconstruction, x, mu, log_var):
    """Summed over the batch, as there."""
    bce = F.binary_cross_entropy(reconstruction, x.view(-1, PIXELS), reduction="sum")
    kld = -0.5 * torch.sum(1 + log_var - mu.pow(2) - log_var.exp())
    return bce + kld


class Fisher:
    """calculate_fim.py: one sample at a time; class and latent drawn, decoded, one backward pass, squared."""

    def __init__(self, vae, samples=50_000):
        self.vae, self.samples = vae, samples
        self.sums = {name: torch.zeros_like(p.data) for name, p in vae.named_parameters()}

    def step(self):
        vae = self.vae
        with torch.no_grad():
            z = torch.randn(1, LATENT)
            c = F.one_hot(torch.randint(0, CONDITIONS, (1,)), CONDITIONS)
            vae.eval()
            sample = vae.decoder(z, c)
        vae.train()
        vae.zero_grad(set_to_none=True)
        reconstruction, mu, log_var = vae(sample, c)
        negative_elbo(reconstruction, sample, mu, log_var).backward()
        for name, p in vae.named_parameters():
            if torch.isnan(p.grad.data).any():
                raise ArithmeticError(name)
            self.sums[name] += p.grad.data**2 / self.samples


class Forgetting:
    """train_forget.py: noise under the forgotten class, samples of a frozen clone under the others, two calls, EWC by autograd."""

    def __init__(self, vae, fisher):
        self.vae, self.fisher = vae, fisher
        self.frozen = copy.deepcopy(vae).eval()
        self.anchors = {name: p.data.clone() for name, p in vae.named_parameters()}
        self.optimizer = torch.optim.Adam(vae.parameters(), lr=LEARNING_RATE)
        self.others = [c for c in range(CONDITIONS) if c != FORGOTTEN]
        self.steps = 0
        self.vae.train()
        self.reset()

    def reset(self):
        self.train_loss = self.forgetting_loss = self.ewc_loss = 0

    def step(self):
        vae = self.vae
        c_remember = F.one_hot(torch.from_numpy(np.random.choice(self.others, size=BATCH)), CONDITIONS)
        z_remember = torch.randn(BATCH, LATENT)
        c_forget = F.one_hot(torch.full((BATCH,), FORGOTTEN, dtype=torch.int64), CONDITIONS)
        x_forget = torch.rand(BATCH, 1, 28, 28)
        with torch.no_grad():
            x_remember = self.frozen.decoder(z_remember, c_remember).view(-1, 1, 28, 28)
        self.optimizer.zero_grad(set_to_none=True)
        reconstruction, mu, log_var = vae(x_forget, c_forget)
        loss = negative_elbo(reconstruction, x_forget, mu, log_var)
        reconstruction, mu, log_var = vae(x_remember, c_remember)
        loss = loss + GAMMA * negative_elbo(reconstruction, x_remember, mu, log_var)
        self.forgetting_loss += loss / LOG_EVERY
        for name, p in vae.named_parameters():
            pull = self.fisher[name] * (p - self.anchors[name]) ** 2
            loss = loss + LAMBDA * pull.sum()
            self.ewc_loss += LAMBDA * pull.sum() / LOG_EVERY
        loss.backward()
        self.train_loss += loss.item() / LOG_EVERY
        self.optimizer.step()
        self.steps += 1
        if self.steps % LOG_EVERY == 0:
            self.reset()


class Training:
    """train_cvae.py, on images that are float tensors in memory already."""

    def __init__(self, vae, images, labels):
        self.vae, self.images, self.labels = vae.train(), images, labels
        self.optimizer = torch.optim.Adam(vae.parameters(), lr=LEARNING_RATE)
        self.train_loss = 0
        self.batches = iter(())

    def next_batch(self):
        indexes = next(self.batches, None)
        if indexes is None:
            self.batches = iter(torch.randperm(len(self.images)).split(BATCH))
            indexes = next(self.batches)
        return self.images[indexes], self.labels[indexes]

    def step(self):
        x, label = self.next_batch()
        c = F.one_hot(label, CONDITIONS)
        self.optimizer.zero_grad(set_to_none=True)
        reconstruction, mu, log_var = self.vae(x, c)
        loss = negative_elbo(reconstruction, x, mu, log_var)
        loss.backward()
        self.train_loss += loss.item()
        self.optimizer.step()


class PerImage(torch.utils.data.Dataset):
    """Bytes to a float tensor, one image at a time: the least that torchvision's MNIST with ToTensor does (it makes a PIL image besides)."""

    def __init__(self, pixels, labels):
        self.pixels, self.labels = pixels, labels

    def __len__(self):
        return len(self.pixels)

    def __getitem__(self, index):
        image = torch.from_numpy(self.pixels[index][:, :, None].copy())
        return image.permute(2, 0, 1).contiguous().to(torch.float32).div(255), int(self.labels[index])


class Loader:
    """The original's input pipeline alone: a shuffled DataLoader without workers."""

    def __init__(self, pixels, labels):
        self.loader = torch.utils.data.DataLoader(PerImage(pixels, labels), batch_size=BATCH, shuffle=True)
        self.batches = iter(self.loader)

    def step(self):
        batch = next(self.batches, None)
        if batch is None:
            self.batches = iter(self.loader)
            next(self.batches)


def read_safetensors(path):
    with open(path, "rb") as file:
        (length,) = struct.unpack("<Q", file.read(8))
        header = json.loads(file.read(length))
        data = file.read()
    header.pop("__metadata__", None)
    tensors = {}
    for name, entry in header.items():
        if entry["dtype"] != "F32":
            raise ValueError(f"{path}: {name} is {entry['dtype']}, not F32")
        begin, end = entry["data_offsets"]
        tensors[name] = torch.from_numpy(np.frombuffer(data[begin:end], "<f4").reshape(entry["shape"]).copy())
    return tensors


def read_idx(path):
    with gzip.open(path) as file:
        data = file.read()
    dimensions = data[3]
    shape = struct.unpack(f">{dimensions}I", data[4 : 4 + 4 * dimensions])
    return np.frombuffer(data, np.uint8, offset=4 + 4 * dimensions).reshape(shape)


def timed(loop, steps, warm_up, limit):
    """Seconds a step over all steps, or over those that fit into the limit: a setting that slow is not the best one anyway."""
    begin = time.perf_counter()
    for _ in range(warm_up):
        loop.step()
        if time.perf_counter() - begin > limit:
            break
    start = time.perf_counter()
    for done in range(1, steps + 1):
        loop.step()
        seconds = time.perf_counter() - start
        if seconds > limit:
            break
    return {"seconds": seconds / done, "steps": done}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--threads", type=int, required=True)
    parser.add_argument("--weights", required=True)
    parser.add_argument("--fisher", required=True)
    parser.add_argument("--images", required=True)
    parser.add_argument("--labels", required=True)
    parser.add_argument("--fisher-samples", type=int, required=True)
    parser.add_argument("--steps", type=int, required=True)
    parser.add_argument("--loader-steps", type=int, required=True)
    parser.add_argument("--warm-up", type=int, required=True)
    parser.add_argument("--limit", type=float, required=True)
    options = parser.parse_args()

    torch.set_num_threads(options.threads)
    torch.manual_seed(0)
    np.random.seed(0)
    weights, fisher = read_safetensors(options.weights), read_safetensors(options.fisher)
    pixels, labels = read_idx(options.images), read_idx(options.labels)

    def published():
        vae = OneHotCVAE()
        vae.load_state_dict(weights)
        return vae

    images = torch.from_numpy(pixels.copy()).to(torch.float32).div(255).unsqueeze(1)

    def rate(loop, steps, warm_up=options.warm_up):
        return timed(loop, steps, warm_up, options.limit)

    training = Training(OneHotCVAE(), images, torch.from_numpy(labels.astype(np.int64)))
    print(
        json.dumps(
            {
                "torch": torch.__version__,
                "threads": torch.get_num_threads(),
                "fisher_sample": rate(Fisher(published()), options.fisher_samples),
                "forgetting_step": rate(Forgetting(published(), fisher), options.steps),
                "training_step": rate(training, options.steps),
                "loader_batch": rate(Loader(pixels, labels), options.loader_steps, min(options.warm_up, 5)),
            }
        )
    )


if __name__ == "__main__":
    main()
