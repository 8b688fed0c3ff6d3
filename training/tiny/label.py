"""Says what is wrong with solutions, by exact computation.

    python3 -m training.tiny.label < solutions.jsonl > faults.jsonl

In: {solution, answer, plan} per line, the plan as `problems.py` prints it. Out, in the same order: {correct, logic,
sums, steps} of `slips.Faults`, or null where the text does not read as a solution.
"""

from __future__ import annotations

import json
import sys
from dataclasses import asdict

from .problems import Step
from .slips import faults_of


def main() -> None:
    for line in sys.stdin:
        record = json.loads(line)
        plan = tuple(Step(*step) for step in record["plan"])
        faults = faults_of(record["solution"], int(record["answer"]), plan)
        print(json.dumps(asdict(faults) if faults else None))


if __name__ == "__main__":
    main()
