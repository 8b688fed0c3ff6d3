"""Prints the log-probabilities after 100 prompts, to compare with the engine's.

    python3 -m training.tiny.agreement --model RUN/model.pt | node training/tiny/agreement.mjs RUN/f32.gguf
    python3 -m training.tiny.agreement --model RUN/model.pt --half-cache | node training/tiny/agreement.mjs RUN/f32.gguf

The GGUF is one of the same checkpoint. With --half-cache PyTorch rounds keys and values to F16, as the engine's cache does.
"""

from __future__ import annotations

import argparse
import json
import random
from pathlib import Path

import torch

from .dialogue import all_text
from .mix import Mix, make_tree
from .sampling import load
from .tokenizer import Tokenizer

PROMPTS = 100
LONGEST = 400


class HalfCache:
    """Of one layer, for prompts read at once."""

    def extend(self, key: torch.Tensor, value: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        return key.half().float(), value.half().float()


@torch.no_grad()
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--half-cache", action="store_true", help="keys and values in F16")
    options = parser.parse_args()
    model, tokenizer, rng = load(options.model), Tokenizer.load(), random.Random(2)
    caches = [HalfCache() for _ in model.blocks] if options.half_cache else None
    mix = Mix(drills=0.1, knowledge=0.2, arithmetic=0.2, light=0.5)
    for _ in range(PROMPTS):
        ids = tokenizer.encode(all_text(make_tree(rng, mix)))[:rng.randint(8, LONGEST)]
        causal = torch.ones(len(ids), len(ids), dtype=torch.bool).tril()
        states, _ = model.trunk(torch.tensor([ids]), torch.arange(len(ids))[None], causal[None, None], caches)
        logprobs = torch.log_softmax(model.logits(states[0, -1]), -1)
        print(json.dumps({"ids": ids, "logprobs": [round(value, 6) for value in logprobs.tolist()]}))


if __name__ == "__main__":
    main()
