"""Trains the tiny model; a run can be stopped at any time and resumed with the same command.

    python3 -m models.tiny.train --run RUN_FOLDER --minutes 60
    python3 -m models.tiny.train --run RUN_FOLDER/stage2 --from RUN_FOLDER/model.pt --own own.jsonl --minutes 10 --peak 0.3
"""

from __future__ import annotations

import argparse
import json
import os
import time
from pathlib import Path

import torch
import torch.nn.functional as F

from .batches import ROW_TOKENS, Batches, Mix
from .model import Shape, TinyModel
from .muon import Muon
from .problems import HELDOUT_SEED_FROM
from .tokenizer import Tokenizer

EMBEDDING_RATE = 3e-3
MATRIX_RATE = 0.02
WARMUP_STEPS = 100
DECAY_SHARE = 0.4  # of the time, at the end, over which the rates fall to zero
PROBE_WEIGHT = 0.3
SAVE_EVERY_SECONDS = 60


def rate_at(step: int, done: float) -> float:
    """Share of the peak rate. `done` is the share of the time that has passed."""
    return min(1.0, (step + 1) / WARMUP_STEPS) * min(1.0, max(0.02, (1 - done) / DECAY_SHARE))


def save(path: Path, state: dict) -> None:
    """Atomic: a killed run leaves the last whole checkpoint."""
    unfinished = path.with_suffix(".part")
    torch.save(state, unfinished)
    os.replace(unfinished, path)


def loss_of(model: TinyModel, trunk, batch: dict[str, torch.Tensor], half: bool):
    device = batch["tokens"].device
    with torch.autocast(device.type, torch.bfloat16, enabled=half):
        states, before_last = trunk(batch["tokens"], batch["positions"], batch["mask"])
    # Logits only where there is a target: most of a row is context.
    trained = batch["weights"] > 0
    logits = model.logits(states[trained].float())
    weights = batch["weights"][trained]
    each = F.cross_entropy(logits, batch["targets"][trained], reduction="none")
    language = (each * weights).sum() / weights.sum()
    labelled = batch["sound"] >= 0
    probe = F.binary_cross_entropy_with_logits(
        model.sound_probe(before_last[labelled].float())[:, 0], batch["sound"][labelled])
    verdict = weights == 3.0
    return language + PROBE_WEIGHT * probe, language.detach(), each.detach()[verdict].sum() / verdict.sum().clamp(min=1), probe.detach()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--run", type=Path, required=True, help="folder of checkpoints")
    parser.add_argument("--minutes", type=float, required=True, help="of training in all, resumed runs included")
    parser.add_argument("--from", dest="start", type=Path, help="model to start from (a second stage)")
    parser.add_argument("--own", type=Path, help="the model's own solutions, from sample_own.py")
    parser.add_argument("--own-share", type=float, default=0.7, help="share of trees made of them")
    parser.add_argument("--peak", type=float, default=1.0, help="factor on the peak rates")
    parser.add_argument("--rows", type=int, default=16, help="rows of 320 tokens per step")
    parser.add_argument("--drills", type=float, default=0.1, help="chance at each place in a row to fill up with drills")
    parser.add_argument("--light", type=float, default=0.0, help="share of trees that train no verdicts")
    parser.add_argument("--seed", type=int, default=42)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--half", action="store_true", help="bfloat16 products")
    parser.add_argument("--compile", action="store_true", help="torch.compile (torch 2 and a C++ compiler)")
    parser.add_argument("--steps", type=int, default=0, help="stop after so many steps (to measure speed)")
    options = parser.parse_args()
    if options.seed >= HELDOUT_SEED_FROM:
        parser.error("seeds from 1000000 on are held out")

    torch.set_num_threads(options.threads)
    torch.set_flush_denormal(True)
    torch.manual_seed(options.seed)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    tokenizer = Tokenizer.load()
    model = TinyModel(Shape(len(tokenizer.tokens))).to(device)
    model.start_numbers(tokenizer)
    matrices = [w for name, w in model.blocks.named_parameters() if w.dim() == 2]
    others = [w for w in model.parameters() if all(w is not m for m in matrices)]
    optimizers = [
        Muon(matrices, lr=MATRIX_RATE * options.peak),
        torch.optim.AdamW(others, lr=EMBEDDING_RATE * options.peak, betas=(0.9, 0.95), weight_decay=0.0),
    ]
    for optimizer in optimizers:
        for group in optimizer.param_groups:
            group["peak"] = group["lr"]

    options.run.mkdir(parents=True, exist_ok=True)
    checkpoint = options.run / "checkpoint.pt"
    step, elapsed = 0, 0.0
    if checkpoint.exists():
        state = torch.load(checkpoint, map_location=device)
        model.load_state_dict(state["model"])
        for optimizer, stored in zip(optimizers, state["optimizers"]):
            optimizer.load_state_dict(stored)
        step, elapsed = state["step"], state["elapsed"]
    elif options.start:
        model.load_state_dict(torch.load(options.start, map_location=device)["model"])
    print(f"{sum(w.numel() for w in model.parameters())} parameters, from step {step}", flush=True)

    trunk = torch.compile(model.trunk) if options.compile else model.trunk
    # A resumed run must not see the same problems again, hence the step in the seed.
    own = [json.loads(line) for line in options.own.read_text().splitlines()] if options.own else []
    batches = Batches((options.seed * 7919 + step) % HELDOUT_SEED_FROM, options.rows,
                      Mix(options.drills, options.light, own, options.own_share))
    loader = torch.utils.data.DataLoader(batches, batch_size=None, num_workers=1, prefetch_factor=8)

    def store() -> None:
        save(checkpoint, {"model": model.state_dict(), "optimizers": [o.state_dict() for o in optimizers],
                          "step": step, "elapsed": elapsed})
        save(options.run / "model.pt", {"model": model.state_dict(), "shape": model.shape.as_dict(), "step": step})

    clock = saved = time.time()
    first_step, begun = step, clock
    shown = torch.zeros(3)
    for batch in loader:
        done = elapsed / (60 * options.minutes)
        if done >= 1 or (options.steps and step - first_step >= options.steps):
            break
        batch = {name: value.to(device) for name, value in batch.items()}
        for optimizer in optimizers:
            optimizer.zero_grad(set_to_none=True)
            for group in optimizer.param_groups:
                group["lr"] = group["peak"] * rate_at(step, done)
        total, *parts = loss_of(model, trunk, batch, options.half)
        total.backward()
        torch.nn.utils.clip_grad_norm_(others, 1.0)
        for optimizer in optimizers:
            optimizer.step()
        step += 1
        now = time.time()
        elapsed, clock = elapsed + now - clock, now
        if step - first_step == 5:
            begun, counted_from = now, step  # without compiling
        shown = shown.lerp(torch.stack(parts).cpu(), 1.0 if step == first_step + 1 else 0.03)
        if step % 50 == 0:
            speed = (step - counted_from) * options.rows * ROW_TOKENS / (now - begun + 1e-9)
            print(f"step {step} {elapsed / 60:.1f} min loss {shown[0]:.4f} verdict {shown[1]:.4f} "
                  f"probe {shown[2]:.4f} {speed:.0f} tok/s", flush=True)
        if now - saved > SAVE_EVERY_SECONDS:
            store()
            saved = now
    store()
    print(f"done at step {step}, {elapsed / 60:.1f} min", flush=True)


if __name__ == "__main__":
    main()
