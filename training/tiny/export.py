"""Writes a checkpoint, or an adapter, as GGUF (llama architecture), with llama.cpp's own gguf-py.

    python3 -m training.tiny.export --gguf-py LLAMA_CPP/gguf-py --model RUN/model.pt --out models/t1-tiny.gguf
    python3 -m training.tiny.export --gguf-py LLAMA_CPP/gguf-py --adapter RUN/tool/adapter.pt --out models/t1-tiny-tool.gguf
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import torch

from .dialogue import REWARD_REQUEST
from .model import NORM_EPSILON, ROPE_BASE
from .tokenizer import SPECIAL_TOKENS, Tokenizer

CHAT_TEMPLATE = (
    "{% for message in messages %}"
    "{{ '<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>\n' }}"
    "{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)
DESCRIPTION = "Solves small word problems, writes Python that checks a solution, judges solutions, their steps and claims."


def token_types(tokens: list[str], gguf) -> list[int]:
    kinds = gguf.TokenType
    return [
        int(kinds.CONTROL) if token in SPECIAL_TOKENS else int(kinds.UNUSED) if token.startswith("<|unused") else
        int(kinds.NORMAL) for token in tokens
    ]


def tensors(weights: dict[str, torch.Tensor], layers: int):
    """(GGUF name, tensor, keep in F32) of every weight; the output matrix is the embedding, so it is left out."""
    yield "token_embd.weight", weights["embedding.weight"], False
    yield "output_norm.weight", weights["final_norm"], True
    for layer in range(layers):
        source, target = f"blocks.{layer}.", f"blk.{layer}."
        query, key, value = weights[source + "query_key_value.weight"].chunk(3)
        gate, up = weights[source + "gate_up.weight"].chunk(2)
        yield target + "attn_norm.weight", weights[source + "attention_norm"], True
        yield target + "ffn_norm.weight", weights[source + "hidden_norm"], True
        yield target + "attn_q.weight", query, False
        yield target + "attn_k.weight", key, False
        yield target + "attn_v.weight", value, False
        yield target + "attn_output.weight", weights[source + "attention_out.weight"], False
        yield target + "ffn_gate.weight", gate, False
        yield target + "ffn_up.weight", up, False
        yield target + "ffn_down.weight", weights[source + "down.weight"], False


def write(writer) -> None:
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def export_model(options: argparse.Namespace, gguf) -> int:
    stored = torch.load(options.model, map_location="cpu")
    shape, tokenizer = stored["shape"], Tokenizer.load()
    writer = gguf.GGUFWriter(str(options.out), "llama")
    writer.add_name("T1 tiny")
    writer.add_description(DESCRIPTION)
    writer.add_license("mit")
    writer.add_string("t1.profile", "tiny")
    file_types = {"f32": gguf.LlamaFileType.ALL_F32, "f16": gguf.LlamaFileType.MOSTLY_F16, "q8_0": gguf.LlamaFileType.MOSTLY_Q8_0}
    writer.add_file_type(int(file_types[options.type]))
    writer.add_block_count(shape["layers"])
    writer.add_context_length(shape["context"])
    writer.add_embedding_length(shape["width"])
    writer.add_feed_forward_length(shape["hidden"])
    writer.add_head_count(shape["heads"])
    writer.add_head_count_kv(shape["heads"])
    writer.add_layer_norm_rms_eps(NORM_EPSILON)
    writer.add_rope_freq_base(ROPE_BASE)
    writer.add_rope_dimension_count(shape["width"] // shape["heads"])
    writer.add_vocab_size(shape["vocabulary"])
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("llama-bpe")
    writer.add_token_list(tokenizer.tokens)
    writer.add_token_types(token_types(tokenizer.tokens, gguf))
    writer.add_token_merges([" ".join(pair) for pair in tokenizer.merges])
    writer.add_bos_token_id(tokenizer.id_of["<|endoftext|>"])
    writer.add_eos_token_id(tokenizer.end_of_turn)
    writer.add_add_bos_token(False)
    writer.add_chat_template(CHAT_TEMPLATE)
    kinds = gguf.GGMLQuantizationType
    kind = {"f32": kinds.F32, "f16": kinds.F16, "q8_0": kinds.Q8_0}[options.type]
    for name, tensor, keep in tensors(stored["model"], shape["layers"]):
        values = tensor.float().contiguous().numpy()
        if keep:
            writer.add_tensor(name, values)
        else:
            writer.add_tensor(name, gguf.quants.quantize(values, kind), raw_dtype=kind)
    write(writer)
    return stored["step"]


def adapter_tensors(pairs: list[tuple[torch.Tensor, torch.Tensor]], layers: int):
    """(GGUF name of the matrix, A, B): fused matrices share A and split B."""
    for layer in range(layers):
        fused = pairs[4 * layer:4 * layer + 4]
        for names, (down, up) in zip((("attn_q", "attn_k", "attn_v"), ("attn_output",), ("ffn_gate", "ffn_up"), ("ffn_down",)), fused):
            for name, part in zip(names, up.chunk(len(names))):
                yield f"blk.{layer}.{name}.weight", down, part


def export_adapter(options: argparse.Namespace, gguf) -> int:
    stored = torch.load(options.adapter, map_location="cpu")
    writer = gguf.GGUFWriter(str(options.out), "llama")
    writer.add_type("adapter")
    writer.add_string("adapter.type", "lora")
    writer.add_float32("adapter.lora.alpha", stored["alpha"])
    writer.add_name(f"T1 tiny, {'activated ' if stored['activated'] else ''}adapter of the {stored['role']} role")
    writer.add_license("mit")
    if stored["activated"]:
        ids = Tokenizer.load().encode(REWARD_REQUEST)
        writer.add_key_value("adapter.alora.invocation_tokens", ids, gguf.GGUFValueType.ARRAY, gguf.GGUFValueType.UINT32)
    for name, down, up in adapter_tensors(stored["pairs"], stored["layers"]):
        for suffix, tensor in (("lora_a", down), ("lora_b", up)):
            writer.add_tensor(f"{name}.{suffix}", tensor.half().contiguous().numpy())
    write(writer)
    return stored["step"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--gguf-py", required=True, help="gguf-py folder of llama.cpp's source")
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--model", type=Path)
    source.add_argument("--adapter", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--type", choices=("f32", "f16", "q8_0"), default="f16", help="of the model's matrices")
    options = parser.parse_args()
    sys.path.insert(0, options.gguf_py)
    import gguf
    import gguf.quants

    step = export_model(options, gguf) if options.model else export_adapter(options, gguf)
    print(options.out, options.out.stat().st_size, "bytes, step", step)


if __name__ == "__main__":
    main()
