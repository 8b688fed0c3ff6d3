"""Prints the log-probabilities after 100 prompts, to compare with the engine's.

    python3 -m models.tiny.agreement --model RUN/model.pt | node models/tiny/agreement.mjs RUN/f32.gguf

The GGUF is one of the same checkpoint; in F32 the two differ by what the F16 cache of the engine costs, in other types also by what
the type costs.
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


@torch.no_grad()
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, required=True)
    model, tokenizer, rng = load(parser.parse_args().model), Tokenizer.load(), random.Random(2)
    mix = Mix(drills=0.1, knowledge=0.2, arithmetic=0.2, light=0.5)
    for _ in range(PROMPTS):
        ids = tokenizer.encode(all_text(make_tree(rng, mix)))[:rng.randint(8, LONGEST)]
        causal = torch.ones(len(ids), len(ids), dtype=torch.bool).tril()
        states, _ = model.trunk(torch.tensor([ids]), torch.arange(len(ids))[None], causal[None, None])
        logprobs = torch.log_softmax(model.logits(states[0, -1]), -1)
        print(json.dumps({"ids": ids, "logprobs": [round(value, 6) for value in logprobs.tolist()]}))


if __name__ == "__main__":
    main()
