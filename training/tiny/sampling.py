"""Batched sampling with a key-value cache, and scores, in torch."""

from __future__ import annotations

from pathlib import Path

import torch

from .model import LayerCache, Shape, TinyModel
from .tokenizer import Tokenizer

ROWS_AT_ONCE = 512


def load(path: Path, device: str = "cpu") -> TinyModel:
    stored = torch.load(path, map_location=device)
    model = TinyModel(Shape(**stored["shape"])).to(device)
    model.load_state_dict(stored["model"])
    return model.eval()


def left_padded(prompts: list[list[int]]):
    """tokens, positions (rows × longest) and how many fillers each row starts with."""
    longest = max(map(len, prompts))
    fillers = torch.tensor([longest - len(prompt) for prompt in prompts])
    tokens = torch.tensor([[0] * (longest - len(prompt)) + prompt for prompt in prompts])
    positions = (torch.arange(longest)[None] - fillers[:, None]).clamp(min=0)
    return tokens, positions, fillers


def prompt_mask(fillers: torch.Tensor, longest: int) -> torch.Tensor:
    causal = torch.ones(longest, longest, dtype=torch.bool).tril()
    real = torch.arange(longest)[None] >= fillers[:, None]
    # A filler sees itself: a row of the softmax must not be empty.
    return ((causal[None] & real[:, None, :]) | torch.eye(longest, dtype=torch.bool)[None])[:, None]


@torch.no_grad()
def sample_chunk(model, tokenizer, prompts, temperature, limit, generator) -> list[str]:
    tokens, positions, fillers = left_padded(prompts)
    rows, longest = tokens.shape
    caches = [LayerCache(rows, model.shape, longest + limit, "cpu") for _ in model.blocks]
    states, _ = model.trunk(tokens, positions, prompt_mask(fillers, longest), caches)
    state = states[:, -1:]
    written = torch.full((rows, limit), tokenizer.end_of_turn)
    going = torch.ones(rows, dtype=torch.bool)
    for place in range(limit):
        logits = model.logits(state[:, 0])
        if temperature > 0:
            chosen = torch.multinomial(torch.softmax(logits / temperature, -1), 1, generator=generator)[:, 0]
        else:
            chosen = logits.argmax(-1)
        written[:, place] = torch.where(going, chosen, tokenizer.end_of_turn)
        going &= chosen != tokenizer.end_of_turn
        if not going.any():
            break
        seen = torch.arange(longest + place + 1)[None] >= fillers[:, None]
        position = (longest + place - fillers)[:, None]
        states, _ = model.trunk(chosen[:, None], position, seen[:, None, None], caches)
        state = states
    texts = []
    for row in written.tolist():
        end = row.index(tokenizer.end_of_turn) if tokenizer.end_of_turn in row else len(row)
        texts.append(tokenizer.decode(row[:end]))
    return texts


def by_length(prompts: list[list[int]]):
    """Chunks of indices whose prompts are about equally long."""
    order = sorted(range(len(prompts)), key=lambda index: len(prompts[index]))
    for start in range(0, len(order), ROWS_AT_ONCE):
        yield order[start:start + ROWS_AT_ONCE]


def sample(model: TinyModel, tokenizer: Tokenizer, texts: list[str], temperature: float, limit: int,
           seed: int = 0) -> list[str]:
    """One continuation per prompt, up to the end of the turn. Greedy at temperature 0."""
    generator = torch.Generator().manual_seed(seed)
    prompts = [tokenizer.encode(text) for text in texts]
    result = [""] * len(prompts)
    for indices in by_length(prompts):
        chunk = [prompts[index] for index in indices]
        for index, text in zip(indices, sample_chunk(model, tokenizer, chunk, temperature, limit, generator)):
            result[index] = text
    return result


@torch.no_grad()
def scores(model: TinyModel, tokenizer: Tokenizer, texts: list[str], good: str, bad: str) -> list[float]:
    """P(good) / (P(good) + P(bad)) after each text."""
    ids = [tokenizer.encode(word)[0] for word in (good, bad)]
    prompts = [tokenizer.encode(text) for text in texts]
    result = [0.0] * len(prompts)
    for indices in by_length(prompts):
        tokens, positions, fillers = left_padded([prompts[index] for index in indices])
        states, _ = model.trunk(tokens, positions, prompt_mask(fillers, tokens.shape[1]))
        logits = model.logits(states[:, -1])
        for index, value in zip(indices, torch.sigmoid(logits[:, ids[0]] - logits[:, ids[1]]).tolist()):
            result[index] = value
    return result
