"""Trains the tiny model; a run can be stopped at any time and resumed with the same command.

    python3 -m training.tiny.train --run RUN/stage1 --minutes 70 --half --compile
    python3 -m training.tiny.train --run RUN/stage2 --from RUN/stage1/model.pt --own RUN/own1.jsonl --minutes 15 --peak 0.3 --half --compile
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
from .dialogue import VERDICT_WEIGHT
from .model import Shape, TinyModel
from .muon import Muon
from .problems import HELDOUT_SEED_FROM
from .tokenizer import Tokenizer

EMBEDDING_RATE = 3e-3
MATRIX_RATE = 0.02
WARMUP_STEPS = 100
DECAY_SHARE = 0.4  # of the time, at the end, over which the rates fall to zero
PROBE_WEIGHT, PROCESS_WEIGHT = 0.2, 0.4
SAVE_EVERY_SECONDS = 60
LOG_EVERY_STEPS = 50
SHOWN = ("loss", "verdict loss", "process loss", "tokens right", "verdicts right", "steps right")


def rate_at(step: int, done: float) -> float:
    """Share of the peak rate. `done` is the share of the time that has passed."""
    return min(1.0, (step + 1) / WARMUP_STEPS) * min(1.0, max(0.02, (1 - done) / DECAY_SHARE))


def save(path: Path, state: dict) -> None:
    """Atomic: a killed run leaves the last whole checkpoint."""
    unfinished = path.with_suffix(".part")
    torch.save(state, unfinished)
    os.replace(unfinished, path)


def loss_of(model: TinyModel, trunk, batch: dict[str, torch.Tensor], half: bool, signs: tuple[int, int]):
    """Total loss, and the SHOWN figures for the log. `signs`: ids of "+" and "-"."""
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
    sound = batch["sound"][labelled]
    probe = label_loss(model.sound_probe(before_last[labelled].float())[:, 0], sound)
    good, bad = model.table()[list(signs)]
    judged = states[labelled].float() @ (good - bad)
    process = label_loss(judged, sound)
    with torch.no_grad():
        verdict = weights == VERDICT_WEIGHT
        hit = (logits.argmax(-1) == batch["targets"][trained]).float()
        shown = torch.stack([language, mean_of(each, verdict), process, mean_of(hit, ~verdict), mean_of(hit, verdict),
                             mean_of(((judged > 0) == (sound > 0.5)).float(), sound >= 0)])
    return language + PROBE_WEIGHT * probe + PROCESS_WEIGHT * process, shown


def label_loss(logits: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """Zero, not NaN, for a batch without labels: the tool's adapter has none."""
    return F.binary_cross_entropy_with_logits(logits, labels, reduction="sum") / max(1, len(labels))


def mean_of(values: torch.Tensor, chosen: torch.Tensor) -> torch.Tensor:
    return values[chosen].sum() / chosen.sum().clamp(min=1)


def add_options(parser: argparse.ArgumentParser) -> None:
    """What training the base and training an adapter have in common."""
    parser.add_argument("--run", type=Path, required=True, help="folder of checkpoints")
    parser.add_argument("--minutes", type=float, required=True, help="of training in all, resumed runs included")
    parser.add_argument("--own", type=Path, help="the model's own solutions, from sample_own.py")
    parser.add_argument("--own-share", type=float, default=0.7, help="share of the problems with verdicts made of them")
    parser.add_argument("--peak", type=float, default=1.0, help="factor on the peak rates")
    parser.add_argument("--rows", type=int, default=12, help=f"rows of {ROW_TOKENS} tokens per step")
    parser.add_argument("--drills", type=float, default=0.12, help="share of the trees that are arithmetic drills")
    parser.add_argument("--knowledge", type=float, default=0.15, help="share of the trees that are about countries")
    parser.add_argument("--arithmetic", type=float, default=0.08, help="share of the trees that are claims about sums")
    parser.add_argument("--light", type=float, default=0.4, help="share of the problems without verdicts")
    parser.add_argument("--seed", type=int, default=42)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--half", action="store_true", help="bfloat16 products")
    parser.add_argument("--compile", action="store_true", help="torch.compile (needs a C++ compiler)")


def mix_of(options: argparse.Namespace, role: str | None = None) -> Mix:
    own = [json.loads(line) for line in options.own.read_text().splitlines()] if options.own else []
    return Mix(options.drills, options.knowledge, options.arithmetic, options.light, own, options.own_share, role)


def begin(options: argparse.Namespace) -> tuple[torch.device, Tokenizer]:
    if options.seed >= HELDOUT_SEED_FROM:
        raise SystemExit(f"seeds from {HELDOUT_SEED_FROM} on are held out")
    torch.set_num_threads(options.threads)
    torch.set_flush_denormal(True)
    torch.manual_seed(options.seed)
    options.run.mkdir(parents=True, exist_ok=True)
    return torch.device("cuda" if torch.cuda.is_available() else "cpu"), Tokenizer.load()


def fit(options, model, optimizers, clipped, mix, signs, store, step=0, elapsed=0.0, prepare=lambda batch: None) -> None:
    """Trains until the time is over. `store(step, elapsed)` keeps a checkpoint; `prepare` sees each batch first."""
    for optimizer in optimizers:
        for group in optimizer.param_groups:
            group.setdefault("peak", group["lr"])
    trunk = torch.compile(model.trunk) if options.compile else model.trunk
    device = model.embedding.weight.device
    # A resumed run must not see the same problems again, hence the step in the seed.
    batches = Batches((options.seed * 7919 + step) % HELDOUT_SEED_FROM, options.rows, mix)
    loader = torch.utils.data.DataLoader(batches, batch_size=None, num_workers=1, prefetch_factor=8)
    clock = saved = begun = time.time()
    first_step = counted_from = step
    shown = torch.zeros(len(SHOWN))
    for batch in loader:
        done = elapsed / (60 * options.minutes)
        if done >= 1:
            break
        batch = {name: value.to(device) for name, value in batch.items()}
        prepare(batch)
        for optimizer in optimizers:
            optimizer.zero_grad(set_to_none=True)
            for group in optimizer.param_groups:
                group["lr"] = group["peak"] * rate_at(step, done)
        total, parts = loss_of(model, trunk, batch, options.half, signs)
        total.backward()
        torch.nn.utils.clip_grad_norm_(clipped, 1.0)
        for optimizer in optimizers:
            optimizer.step()
        step += 1
        now = time.time()
        elapsed, clock = elapsed + now - clock, now
        if step - first_step == 5:
            begun, counted_from = now, step  # without compiling
        shown = shown.lerp(parts.cpu(), 1.0 if step == first_step + 1 else 0.03)
        if step % LOG_EVERY_STEPS == 0:
            speed = (step - counted_from) * options.rows * ROW_TOKENS / (now - begun + 1e-9)
            record = {"step": step, "minutes": round(elapsed / 60, 2), "tokens per second": round(speed),
                      **{name: round(value, 4) for name, value in zip(SHOWN, shown.tolist())}}
            print(json.dumps(record), flush=True)
            with (options.run / "log.jsonl").open("a") as log:
                log.write(json.dumps(record) + "\n")
        if now - saved > SAVE_EVERY_SECONDS:
            store(step, elapsed)
            saved = now
    store(step, elapsed)
    print(f"done at step {step}, {elapsed / 60:.1f} min", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_options(parser)
    parser.add_argument("--from", dest="start", type=Path, help="model to start from (a later stage)")
    options = parser.parse_args()
    device, tokenizer = begin(options)
    model = TinyModel(Shape(len(tokenizer.tokens))).to(device)
    model.set_number_features(tokenizer)
    signs = (tokenizer.id_of["+"], tokenizer.id_of["-"])
    matrices = [w for name, w in model.blocks.named_parameters() if w.dim() == 2]
    others = [w for w in model.parameters() if all(w is not m for m in matrices)]
    optimizers = [
        Muon(matrices, lr=MATRIX_RATE * options.peak),
        torch.optim.AdamW(others, lr=EMBEDDING_RATE * options.peak, betas=(0.9, 0.95), weight_decay=0.0),
    ]
    for optimizer in optimizers:
        for group in optimizer.param_groups:
            group["peak"] = group["lr"]
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

    def store(step: int, elapsed: float) -> None:
        save(checkpoint, {"model": model.state_dict(), "optimizers": [o.state_dict() for o in optimizers],
                          "step": step, "elapsed": elapsed})
        # Every number's row written out, as a model without training needs it; `number_map` is for the next stage.
        weights = model.state_dict() | {"embedding.weight": model.table().detach()}
        save(options.run / "model.pt", {"model": weights, "shape": model.shape.as_dict(), "step": step})

    fit(options, model, optimizers, others, mix_of(options), signs, store, step, elapsed)


if __name__ == "__main__":
    main()
