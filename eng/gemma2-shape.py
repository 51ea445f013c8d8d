#!/usr/bin/env python3
"""Writes a Hugging Face directory in the shape of Gemma-2-2B: 2.6 billion random bfloat16 numbers (5.2 GB) in shards, without a tokenizer. For measuring
memory and time where the real weights are not at hand; what such a model computes means nothing.

    eng/gemma2-shape.py FOLDER

Needs Python alone.
"""
import json
import os
import pathlib
import struct
import sys

# google/gemma-2-2b, config.json
CONFIG = {
    "architectures": ["Gemma2ForCausalLM"], "model_type": "gemma2", "hidden_size": 2304, "intermediate_size": 9216, "num_hidden_layers": 26,
    "num_attention_heads": 8, "num_key_value_heads": 4, "head_dim": 256, "vocab_size": 256000, "max_position_embeddings": 8192, "rms_norm_eps": 1e-06,
    "rope_theta": 10000.0, "sliding_window": 4096, "query_pre_attn_scalar": 256, "attn_logit_softcapping": 50.0, "final_logit_softcapping": 30.0,
    "hidden_activation": "gelu_pytorch_tanh", "attention_bias": False, "tie_word_embeddings": True, "bos_token_id": 2, "eos_token_id": 1, "pad_token_id": 0,
    "torch_dtype": "bfloat16",
}
SHARD = 2_000_000_000  # bytes
BLOCK = 16 << 20  # random bytes, written again and again


def tensors():
    d, inner = CONFIG["hidden_size"], CONFIG["intermediate_size"]
    q, kv = (CONFIG[key] * CONFIG["head_dim"] for key in ("num_attention_heads", "num_key_value_heads"))
    yield "model.embed_tokens.weight", [CONFIG["vocab_size"], d]
    for layer in range(CONFIG["num_hidden_layers"]):
        for name, shape in (
            ("input_layernorm", [d]), ("mlp.down_proj", [d, inner]), ("mlp.gate_proj", [inner, d]), ("mlp.up_proj", [inner, d]),
            ("post_attention_layernorm", [d]), ("post_feedforward_layernorm", [d]), ("pre_feedforward_layernorm", [d]),
            ("self_attn.k_proj", [kv, d]), ("self_attn.o_proj", [d, q]), ("self_attn.q_proj", [q, d]), ("self_attn.v_proj", [kv, d]),
        ):
            yield f"model.layers.{layer}.{name}.weight", shape
    yield "model.norm.weight", [d]


def bytes_of(shape):
    size = 2
    for length in shape:
        size *= length
    return size


def block():
    """bfloat16 numbers of either sign between 2^-7 and 2^-5: the upper byte holds sign and exponent."""
    numbers = bytearray(os.urandom(BLOCK))
    numbers[1::2] = os.urandom(BLOCK // 2).translate(bytes(0x3C if byte < 128 else 0xBC for byte in range(256)))
    return memoryview(bytes(numbers))


def main(folder):
    folder.mkdir(parents=True, exist_ok=True)
    if any(folder.iterdir()):
        sys.exit(f"{folder} is not empty.")
    shards, used = [[]], 0
    for name, shape in tensors():
        if used and used + bytes_of(shape) > SHARD:
            shards.append([])
            used = 0
        shards[-1].append((name, shape))
        used += bytes_of(shape)
    random, index, total = block(), {}, 0
    for number, shard in enumerate(shards, 1):
        file = f"model-{number:05d}-of-{len(shards):05d}.safetensors"
        header, end = {"__metadata__": {"format": "pt"}}, 0
        for name, shape in shard:
            header[name] = {"dtype": "BF16", "shape": shape, "data_offsets": [end, end + bytes_of(shape)]}
            end += bytes_of(shape)
            index[name] = file
        text = json.dumps(header, separators=(",", ":")).encode()
        text += b" " * (-len(text) % 8)
        with open(folder / file, "wb") as out:
            out.write(struct.pack("<Q", len(text)) + text)
            for left in range(end, 0, -BLOCK):
                out.write(random[: min(left, BLOCK)])
        total += end
    (folder / "model.safetensors.index.json").write_text(json.dumps({"metadata": {"total_size": total}, "weight_map": index}, indent=2))
    (folder / "config.json").write_text(json.dumps(CONFIG, indent=2))
    print(f"{folder}: {total // 2:,} parameters in {len(shards)} shards")


if __name__ == "__main__":
    if len(sys.argv) != 2 or sys.argv[1].startswith("-"):
        sys.exit(__doc__)
    main(pathlib.Path(sys.argv[1]))
