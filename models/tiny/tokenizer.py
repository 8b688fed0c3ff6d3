"""Byte-level BPE that gives llama.cpp's ids for `tokenizer.ggml.model = gpt2`, `pre = llama-bpe`.

Numbers 10..999 are single tokens: with digits as tokens so small a model does
not learn to copy operands. One trap: for `llama-bpe` llama.cpp ignores merges
for a word that is itself a token; `encode_word` does the same.

    python3 -m models.tiny.tokenizer        # writes models/tiny/tokenizer.json
"""

from __future__ import annotations

import collections
import json
import random
import re
from pathlib import Path

TOKENIZER_FILE = Path(__file__).with_name("tokenizer.json")
SPECIAL_TOKENS = ("<|endoftext|>", "<|im_start|>", "<|im_end|>")
ROUND_TO = 32

# llama-bpe's pattern in Python's dialect; exact for ASCII, close elsewhere.
WORD = re.compile(
    r"'(?:[sStTmMdD]|[rR][eE]|[vV][eE]|[lL][lL])"
    r"|(?:[^\w\r\n]|_)?[^\W\d_]+"
    r"|\d{1,3}"
    r"| ?(?:[^\s\w]|_)+[\r\n]*"
    r"|\s*[\r\n]+|\s+(?!\S)|\s+"
)
SPECIAL = re.compile("(" + "|".join(re.escape(token) for token in SPECIAL_TOKENS) + ")")


def byte_alphabet() -> list[str]:
    """GPT-2's printable stand-in for each byte."""
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    stand_in = {byte: chr(byte) for byte in printable}
    extra = 0
    for byte in range(256):
        if byte not in stand_in:
            stand_in[byte] = chr(256 + extra)
            extra += 1
    return [stand_in[byte] for byte in range(256)]


BYTES = byte_alphabet()
BYTE_OF = {character: byte for byte, character in enumerate(BYTES)}


def split_words(text: str) -> list[str]:
    return ["".join(BYTES[byte] for byte in word.encode()) for word in WORD.findall(text)]


def merge_pair(symbols: list[str], pair: tuple[str, str]) -> list[str]:
    merged, index = [], 0
    while index < len(symbols):
        if tuple(symbols[index:index + 2]) == pair:
            merged.append(symbols[index] + symbols[index + 1])
            index += 2
        else:
            merged.append(symbols[index])
            index += 1
    return merged


class Tokenizer:
    def __init__(self, tokens: list[str], merges: list[tuple[str, str]]):
        self.tokens = tokens
        self.merges = merges
        self.id_of = {token: index for index, token in enumerate(tokens)}
        self.rank_of = {pair: rank for rank, pair in enumerate(merges)}
        self.known_words: dict[str, list[int]] = {}
        self.end_of_turn = self.id_of["<|im_end|>"]

    @classmethod
    def load(cls, path: Path = TOKENIZER_FILE) -> "Tokenizer":
        stored = json.loads(path.read_text())
        return cls(stored["tokens"], [tuple(pair.split(" ")) for pair in stored["merges"]])

    def save(self, path: Path = TOKENIZER_FILE) -> None:
        stored = {"tokens": self.tokens, "merges": [" ".join(pair) for pair in self.merges]}
        path.write_text(json.dumps(stored, ensure_ascii=True, separators=(",", ":")) + "\n")

    def encode_word(self, word: str) -> list[int]:
        if word in self.id_of:
            return [self.id_of[word]]
        if word not in self.known_words:
            symbols = list(word)
            while len(symbols) > 1:
                pairs = [pair for pair in zip(symbols, symbols[1:]) if pair in self.rank_of]
                if not pairs:
                    break
                symbols = merge_pair(symbols, min(pairs, key=self.rank_of.__getitem__))
            self.known_words[word] = [self.id_of[symbol] for symbol in symbols]
        return self.known_words[word]

    def encode(self, text: str) -> list[int]:
        ids: list[int] = []
        for piece in SPECIAL.split(text):
            if piece in SPECIAL_TOKENS:
                ids.append(self.id_of[piece])
            else:
                for word in split_words(piece):
                    ids += self.encode_word(word)
        return ids

    def decode(self, ids: list[int]) -> str:
        out = b""
        for index in ids:
            token = self.tokens[index]
            out += token.encode() if token.startswith("<|") else bytes(BYTE_OF[character] for character in token)
        return out.decode(errors="replace")


def train(texts: list[str]) -> Tokenizer:
    """Numbers first, then merges by frequency until every word of the corpus is one token."""
    tokens, merges = list(BYTES), []
    for value in range(10, 1000):
        text = str(value)
        merges.append((text[:-1], text[-1]))
        tokens.append(text)
    counts: collections.Counter[str] = collections.Counter()
    for text in texts:
        for piece in SPECIAL.split(text):
            if piece not in SPECIAL_TOKENS:
                counts.update(word for word in split_words(piece) if not word.isdigit())
    words = {word: list(word) for word in counts}
    while True:
        pairs: collections.Counter[tuple[str, str]] = collections.Counter()
        for word, symbols in words.items():
            for pair in zip(symbols, symbols[1:]):
                pairs[pair] += counts[word]
        if not pairs:
            break
        best = max(pairs, key=lambda pair: (pairs[pair], pair))
        merges.append(best)
        tokens.append("".join(best))
        words = {word: merge_pair(symbols, best) for word, symbols in words.items()}
    tokens += SPECIAL_TOKENS
    tokens += [f"<|unused{i}|>" for i in range(-len(tokens) % ROUND_TO)]
    return Tokenizer(tokens, merges)


def main() -> None:
    from .dialogue import all_text, synthetic_tree

    rng = random.Random(0)
    tokenizer = train([all_text(synthetic_tree(rng)) for _ in range(4000)])
    tokenizer.save()
    print(len(tokenizer.tokens), "tokens,", len(tokenizer.merges), "merges")


if __name__ == "__main__":
    main()
