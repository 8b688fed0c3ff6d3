"""Trains the adapter of one role (LoRA) on the frozen base.

    python3 -m training.tiny.adapt --role tool --model RUN/model.pt --own RUN/own.jsonl --run RUN/tool --minutes 6 --half
    python3 -m training.tiny.adapt --role reward --activated --model RUN/model.pt --own RUN/own.jsonl --run RUN/activated --minutes 6 --half

A plain adapter acts on the whole prompt. An activated one acts from the role's request on, so that what the base has
in its cache of the problem and the solution stays valid.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import torch

from .model import Shape, TinyModel
from .train import add_options, begin, fit, mix_of, save

RANK = 8
ALPHA = 16.0
RATE = 3e-3


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_options(parser)
    parser.add_argument("--role", choices=("tool", "reward"), required=True)
    parser.add_argument("--model", type=Path, required=True, help="the base's checkpoint")
    parser.add_argument("--activated", action="store_true", help="acts from the role's request on only")
    options = parser.parse_args()
    device, tokenizer = begin(options)
    stored = torch.load(options.model, map_location=device)
    model = TinyModel(Shape(**stored["shape"])).to(device)
    model.load_state_dict(stored["model"])
    adapted = [layer.to(device) for layer in model.adapt(RANK, ALPHA / RANK)]
    weights = [w for layer in adapted for w in (layer.down, layer.up)]
    print(f"{sum(w.numel() for w in weights)} parameters", flush=True)

    def gate(batch: dict[str, torch.Tensor]) -> None:
        for layer in adapted:
            layer.gate = batch["active"][..., None] if options.activated else None
        if options.activated:
            batch["sound"].fill_(-1)  # labels at the ends of lines lie before the request

    def store(step: int, elapsed: float) -> None:
        pairs = [(layer.down.detach().cpu(), layer.up.detach().cpu()) for layer in adapted]
        save(options.run / "adapter.pt", {"pairs": pairs, "role": options.role, "alpha": ALPHA, "rank": RANK,
                                          "activated": options.activated, "layers": len(model.blocks), "step": step})

    optimizer = torch.optim.AdamW(weights, lr=RATE * options.peak, betas=(0.9, 0.95), weight_decay=0.0)
    signs = (tokenizer.id_of["+"], tokenizer.id_of["-"])
    fit(options, model, [optimizer], weights, mix_of(options, options.role), signs, store, prepare=gate)


if __name__ == "__main__":
    main()
