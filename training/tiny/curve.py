"""Draws the training log as a picture for the model card. Needs matplotlib.

    python3 -m training.tiny.curve --out training/tiny/curve.svg RUN/stage1/log.jsonl RUN/stage2/log.jsonl
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import matplotlib

matplotlib.use("svg")
import matplotlib.pyplot as plt  # noqa: E402  (the backend comes first)

LOSSES = ("loss", "verdict loss", "process loss")
SHARES = ("tokens right", "verdicts right", "steps right")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("logs", type=Path, nargs="+", help="log.jsonl of each stage, in order")
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    records, ends, last = [], [], 0.0
    for log in options.logs:
        # A resumed run repeats the steps since its last checkpoint: the later record counts.
        stage = {record["step"]: record for record in map(json.loads, log.read_text().splitlines())}
        records += [record | {"minutes": last + record["minutes"]} for record in stage.values()]
        last = records[-1]["minutes"]
        ends.append(last)
    plt.rcParams["svg.hashsalt"] = "t1"
    figure, axes = plt.subplots(1, 2, figsize=(9, 3), layout="constrained")
    minutes = [record["minutes"] for record in records]
    for axis, names, title in zip(axes, (LOSSES, SHARES), ("loss", "share right, training data")):
        for name in names:
            axis.plot(minutes, [record[name] for record in records], label=name, linewidth=1)
        for end in ends[:-1]:
            axis.axvline(end, color="grey", linewidth=0.6, linestyle="--")
        axis.set(title=title, xlabel="minutes")
        axis.legend(fontsize="small")
        axis.grid(alpha=0.3)
    axes[0].set_yscale("log")
    figure.savefig(options.out, metadata={"Date": None})


if __name__ == "__main__":
    main()
