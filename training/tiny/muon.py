"""Muon: momentum whose step is made orthogonal (K. Jordan et al., 2024), for the weight matrices inside the blocks.

Matrices of one shape are stacked, so that a step is a few batched products.
"""

from __future__ import annotations

import torch

COEFFICIENTS = (3.4445, -4.7750, 2.0315)
ITERATIONS = 5


def orthogonal(stack: torch.Tensor) -> torch.Tensor:
    """Newton-Schulz towards the nearest orthogonal matrices; stack: matrices × rows × columns, rows ≤ columns."""
    a, b, c = COEFFICIENTS
    # bfloat16 is enough: the result need only be roughly orthogonal.
    x = (stack / (stack.norm(dim=(1, 2), keepdim=True) + 1e-7)).bfloat16()
    for _ in range(ITERATIONS):
        gram = x @ x.transpose(1, 2)
        x = a * x + (b * gram + c * gram @ gram) @ x
    return x.to(stack.dtype)


class Muon(torch.optim.Optimizer):
    def __init__(self, weights, lr: float = 0.02, momentum: float = 0.95, weight_decay: float = 0.01):
        super().__init__(list(weights), {"lr": lr, "momentum": momentum, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self) -> None:
        for group in self.param_groups:
            stacks: dict[tuple[int, int], list[tuple[torch.Tensor, bool, torch.Tensor]]] = {}
            for weight in group["params"]:
                state = self.state[weight]
                if not state:
                    state["momentum"] = torch.zeros_like(weight)
                momentum = state["momentum"].lerp_(weight.grad, 1 - group["momentum"])
                update = weight.grad.lerp(momentum, group["momentum"])
                # Fused matrices (query-key-value, gate-up) are several square-ish ones on top of each other.
                pieces = {3: 3, 5: 2}.get(weight.shape[0] // weight.shape[1], 1)
                for part, target in zip(update.chunk(pieces), weight.chunk(pieces)):
                    tall = part.shape[0] > part.shape[1]
                    part = part.t() if tall else part
                    stacks.setdefault(tuple(part.shape), []).append((target, tall, part))
            for entries in stacks.values():
                steps = orthogonal(torch.stack([part for _, _, part in entries]))
                for (target, tall, _), step in zip(entries, steps):
                    step = step.t() if tall else step
                    scale = max(1.0, target.shape[0] / target.shape[1]) ** 0.5
                    target.mul_(1 - group["lr"] * group["weight_decay"]).add_(step, alpha=-group["lr"] * scale)
