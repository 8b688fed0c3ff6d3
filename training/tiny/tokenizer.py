"""Byte-level BPE that gives llama.cpp's ids for `tokenizer.ggml.model = gpt2`, `pre = llama-bpe`.

Numbers 10..999 are single tokens: with digits as tokens so small a model does
not learn to copy operands. For `llama-bpe` llama.cpp ignores merges for a word
that is itself a token; `encode_word` does the same, and the vocabulary is
mostly such words.

    python3 -m training.tiny.tokenizer                # writes training/tiny/tokenizer.json
    python3 -m training.tiny.tokenizer --ids 10000    # prints texts with their ids, to compare with llama.cpp
"""

from __future__ import annotations

import argparse
import collections
import json
import random
import re
from pathlib import Path

TOKENIZER_FILE = Path(__file__).with_name("tokenizer.json")
SPECIAL_TOKENS = ("<|endoftext|>", "<|im_start|>", "<|im_end|>")
ROUND_TO = 32
RARE = 3  # texts that a word must be in
MERGES = 400

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
    """Bytes, numbers, then every word that is in at least three texts; merges are for spelling out all others.

    A known word needs no merges: `encode_word` and llama.cpp look it up first.
    """
    tokens = list(BYTES) + [str(value) for value in range(10, 1000)]
    texts_with: collections.Counter[str] = collections.Counter()
    for text in texts:
        pieces = [piece for piece in SPECIAL.split(text) if piece not in SPECIAL_TOKENS]
        texts_with.update({word for piece in pieces for word in split_words(piece) if not word.isdigit()})
    known = sorted(word for word, count in texts_with.items() if count >= RARE and len(word) > 1)
    tokens += known
    merges: list[tuple[str, str]] = []
    words = {word: list(word) for word in known}
    while len(merges) < MERGES:
        pairs: collections.Counter[tuple[str, str]] = collections.Counter()
        for symbols in words.values():
            pairs.update(zip(symbols, symbols[1:]))
        best = max(pairs, key=lambda pair: (pairs[pair], pair))
        merges.append(best)
        words = {word: merge_pair(symbols, best) for word, symbols in words.items()}
    present = set(tokens)
    tokens += list(dict.fromkeys("".join(pair) for pair in merges if "".join(pair) not in present))
    tokens += SPECIAL_TOKENS
    tokens += [f"<|unused{i}|>" for i in range(-len(tokens) % ROUND_TO)]
    return Tokenizer(tokens, merges)


def corpus(rng: random.Random) -> list[str]:
    """Every word that training can show, by way of many trees."""
    from . import knowledge, words
    from .dialogue import all_text
    from .mix import Mix, make_tree

    mix = Mix(drills=0.0, knowledge=0.1, arithmetic=0.1, light=0.0)
    texts = [all_text(make_tree(rng, mix)) for _ in range(8000)]
    for name, values in vars(words).items():
        if name.isupper():
            texts += [f" {word}\n{word}" for word in values] * RARE
    for country in knowledge.countries():
        for attribute in knowledge.ATTRIBUTES:
            texts += [knowledge.passage(country, attribute)] * RARE
            texts += ["{" + answer + "} is " + answer for answer in knowledge.truths(country, attribute)] * RARE
    return texts


def hostile(rng: random.Random) -> str:
    """Text that training never shows: odd white space, symbols, numbers of any length, words in capitals."""
    pieces = ("  ", "\n", "\n\n", " \n ", "\t", "_", "'s", "'LL", "don't", "!?", "...", "$5", "3.14", "1234567", "007", "a_b", "x=1",
              "HELLO", "naive", "(ok)", "[1,2]", "#", "<|im_start|>", "<|im_end|>", " 12 ", "12a", "\r\n", "--", "eggs", " Paris")
    return "".join(rng.choice(pieces) for _ in range(rng.randint(1, 20)))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--ids", type=int, default=0, help="print so many texts as JSON lines instead")
    count = parser.parse_args().ids
    if count == 0:
        tokenizer = train(corpus(random.Random(0)))
        tokenizer.save()
        print(len(tokenizer.tokens), "tokens,", len(tokenizer.merges), "merges")
        return
    from .dialogue import all_text
    from .mix import Mix, make_tree

    rng, tokenizer = random.Random(1), Tokenizer.load()
    mix = Mix(drills=0.05, knowledge=0.15, arithmetic=0.1, light=0.5)
    for index in range(count):
        text = hostile(rng) if index % 5 == 0 else all_text(make_tree(rng, mix))
        print(json.dumps({"text": text, "ids": tokenizer.encode(text)}))


if __name__ == "__main__":
    main()
