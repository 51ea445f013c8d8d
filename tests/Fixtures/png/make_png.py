"""Writes PNG images of every kind that Lethe reads, and their samples as golden.json. Made with Pillow 9.4.0, Python 3.11 (rows and chunks that Pillow does not write are put together here)."""
import json
import os
import struct
import zlib

import numpy as np
from PIL import Image

HERE = os.path.dirname(os.path.abspath(__file__))
rng = np.random.default_rng(0)
H, W = 9, 13
golden = {}


def smooth(channels):
    y, x = np.mgrid[0:H, 0:W]
    planes = [(x * (7 + c) + y * (11 - c) + 40 * c) % 256 for c in range(channels)]
    noise = rng.integers(0, 9, (H, W, channels))
    return np.clip(np.stack(planes, -1) + noise, 0, 255).astype(np.uint8)


def record(name, samples):
    samples = np.asarray(samples)
    if samples.ndim == 2:
        samples = samples[..., None]
    golden[name] = {"height": samples.shape[0], "width": samples.shape[1], "channels": samples.shape[2], "hex": samples.astype(np.uint8).tobytes().hex()}


def chunk(kind, body):
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def raw(name, depth, colour, rows, *extra):
    """A file from unfiltered rows of bytes."""
    header = struct.pack(">IIBBBBB", W, H, depth, colour, 0, 0, 0)
    data = zlib.compress(b"".join(b"\0" + row for row in rows))
    with open(os.path.join(HERE, name), "wb") as out:
        out.write(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + b"".join(extra) + chunk(b"IDAT", data[:20]) + chunk(b"IDAT", data[20:]) + chunk(b"IEND", b""))


for mode, channels in (("L", 1), ("LA", 2), ("RGB", 3), ("RGBA", 4)):
    samples = smooth(channels)
    Image.fromarray(samples[..., 0] if channels == 1 else samples, mode).save(os.path.join(HERE, f"{mode}.png"))
    record(f"{mode}.png", samples)

palette = Image.fromarray(smooth(3), "RGB").quantize(17)
palette.save(os.path.join(HERE, "palette.png"))
record("palette.png", np.asarray(palette.convert("RGB")))
palette.info["transparency"] = bytes([0, 128])
palette.save(os.path.join(HERE, "palette_alpha.png"), transparency=bytes([0, 128]))
record("palette_alpha.png", np.asarray(Image.open(os.path.join(HERE, "palette_alpha.png")).convert("RGBA")))

for depth in (1, 2, 4):
    values = rng.integers(0, 2**depth, (H, W))
    rows = []
    for row in values:
        bits = "".join(format(v, f"0{depth}b") for v in row)
        bits += "0" * (-len(bits) % 8)
        rows.append(int(bits, 2).to_bytes(len(bits) // 8, "big"))
    raw(f"grey{depth}.png", depth, 0, rows)
    record(f"grey{depth}.png", values * 255 // (2**depth - 1))

wide = rng.integers(0, 65536, (H, W))
raw("grey16.png", 16, 0, [row.astype(">u2").tobytes() for row in wide])
record("grey16.png", (wide * 255 + 32767) // 65535)
wide = rng.integers(0, 65536, (H, W, 4))
raw("RGBA16.png", 16, 6, [row.astype(">u2").tobytes() for row in wide])
record("RGBA16.png", (wide * 255 + 32767) // 65535)

grey = smooth(1)[..., 0]
key = int(grey[4, 5])
raw("grey_key.png", 8, 0, [row.tobytes() for row in grey], chunk(b"tRNS", struct.pack(">H", key)))
record("grey_key.png", np.stack([grey, np.where(grey == key, 0, 255)], -1))
rgb = smooth(3)
colour = rgb[4, 5]
raw("RGB_key.png", 8, 2, [row.tobytes() for row in rgb], chunk(b"tRNS", struct.pack(">HHH", *map(int, colour))), chunk(b"tEXt", b"Comment\0made here"))
record("RGB_key.png", np.concatenate([rgb, np.where((rgb == colour).all(-1, keepdims=True), 0, 255)], -1))

# Every filter in turn, by the specification's formulas.
rows, above = [], np.zeros(W * 3, int)
for y, row in enumerate(rgb.reshape(H, -1).astype(int)):
    left = np.concatenate([np.zeros(3, int), row[:-3]])
    corner = np.concatenate([np.zeros(3, int), above[:-3]])
    estimate = left + above - corner
    distances = np.stack([abs(estimate - left), abs(estimate - above), abs(estimate - corner)])
    paeth = np.choose(distances.argmin(0), [left, above, corner])
    prediction = [np.zeros_like(row), left, above, (left + above) // 2, paeth][y % 5]
    rows.append(bytes([y % 5]) + ((row - prediction) % 256).astype(np.uint8).tobytes())
    above = row
header = struct.pack(">IIBBBBB", W, H, 8, 2, 0, 0, 0)
with open(os.path.join(HERE, "filters.png"), "wb") as out:
    out.write(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"".join(rows))) + chunk(b"IEND", b""))
record("filters.png", rgb)
assert (np.asarray(Image.open(os.path.join(HERE, "filters.png"))) == rgb).all()
record("luma", np.asarray(Image.fromarray(rgb, "RGB").convert("L")))

with open(os.path.join(HERE, "golden.json"), "w") as out:
    json.dump(golden, out, indent=1, sort_keys=True)
    out.write("\n")
