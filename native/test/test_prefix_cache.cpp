// The prefix cache without a model.
#include <random>

#include "check.h"
#include "prefix_cache.h"

using namespace t1;
using State = PrefixCache::State;

namespace {

using Tokens = std::vector<Token>;

Path path(const Tokens & tokens, int32_t adapter = 0, int32_t start = 0) {
  return {tokens.data(), static_cast<int32_t>(tokens.size()), adapter, start};
}

// As a lane that reads all of it does.
void read(PrefixCache & cache, int32_t slot, const Path & p, int32_t source = -1, int32_t shared = 0) {
  cache.open(slot, p, source, shared);
  cache.advance(slot, p.length - shared);
}

void testTree() {
  PrefixCache cache(4, true);
  const Tokens problem{1, 2, 3};
  const Tokens first{1, 2, 3, 4, 5};
  const Tokens second{1, 2, 3, 6};
  CHECK(cache.find(path(problem), 3).slot == -1);
  cache.open(0, path(first), -1, 0);
  // Planned, not computed.
  auto match = cache.find(path(second), 3);
  CHECK(match.slot == -1 && match.planned == 3 && match.plannedSlot == 0);
  cache.advance(0, 2);
  match = cache.find(path(second), 3);
  CHECK(match.slot == 0 && match.ready == 2 && match.planned == 3);
  cache.advance(0, 3);
  read(cache, 1, path(second), 0, 3);
  CHECK(cache.cells() == 6 && cache.ownCells(0) == 2 && cache.ownCells(1) == 1 && cache.ownCells(0, 4) == 1);
  CHECK(cache.find(path(second), 4).slot == 1 && cache.find(path(first), 4).ready == 4);
  // Continued, then cut back.
  cache.append(1, 7, 0);
  CHECK(cache.cells() == 7 && cache.length(1) == 5 && cache.ready(1) == 4);
  cache.rest(1);
  CHECK(cache.cells() == 6 && cache.state(1) == State::Idle && cache.length(1) == 4);
  // The prefix outlives whoever read it.
  cache.release(0);
  CHECK(cache.cells() == 4 && cache.find(path(first), 5).ready == 3);
  cache.trim(1, 2);
  CHECK(cache.cells() == 2 && cache.find(path(first), 5).ready == 2);
  cache.move(1, 3);
  CHECK(cache.state(1) == State::Free && cache.find(path(first), 5).slot == 3);
  cache.release(3);
  CHECK(cache.cells() == 0 && cache.find(path(first), 5).slot == -1);
}

void testExchange() {
  PrefixCache cache(3, true);
  const Tokens a{1, 2, 3};
  const Tokens b{1, 2, 4, 5};
  const Tokens c{7};
  read(cache, 0, path(a));
  read(cache, 1, path(b), 0, 2);
  read(cache, 2, path(c));
  cache.rest(1);
  cache.exchange(0, 1);
  CHECK(cache.state(0) == State::Idle && cache.length(0) == 4 && cache.state(1) == State::Busy && cache.length(1) == 3);
  CHECK(cache.find(path(b), 4).slot == 0 && cache.find(path(b), 4).ready == 4);
  CHECK(cache.find(path(a), 3).slot == 1 && cache.find(path(a), 3).ready == 3);
  CHECK(cache.cells() == 6 && cache.ownCells(0) == 2 && cache.ownCells(1) == 1);
  CHECK(cache.cells(0b001) == 4 && cache.cells(0b011) == 5 && cache.cells(0b100) == 1 && cache.cells(0) == 0);
  cache.exchange(1, 2);
  CHECK(cache.find(path(a), 3).slot == 2 && cache.find(path(c), 1).slot == 1);
  cache.release(2);
  CHECK(cache.cells() == 5 && cache.find(path(a), 3).ready == 2);
}

void testAdapters() {
  PrefixCache cache(4, true);
  const Tokens tokens{1, 2, 3, 4};
  read(cache, 0, path(tokens));
  CHECK(cache.find(path(tokens, 1), 4).ready == 0);     // plain: none of the base's cells
  CHECK(cache.find(path(tokens, 1, 3), 4).ready == 3);  // activated: up to its invocation
  read(cache, 1, path(tokens, 1, 3), 0, 3);
  CHECK(cache.cells() == 5);
  CHECK(cache.find(path(tokens), 4).slot == 0 && cache.find(path(tokens, 1, 3), 4).slot == 1);
  CHECK(cache.find(path(tokens, 2, 3), 4).ready == 3 && cache.find(path(tokens, 1, 2), 4).ready == 2);
}

void testEviction() {
  PrefixCache cache(3, true);
  const Tokens a{1, 2};
  const Tokens b{1, 3};
  const Tokens c{4};
  read(cache, 0, path(a));
  read(cache, 1, path(b), 0, 1);
  read(cache, 2, path(c));
  CHECK(cache.freeSlot() == -1 && cache.oldestIdle({}) == -1);
  cache.rest(1);
  cache.rest(0);
  cache.rest(2);
  CHECK(cache.oldestIdle({}) == 1 && cache.oldestIdle(2) == 0 && cache.oldestIdle(7) == -1);
  cache.touch(1);
  CHECK(cache.oldestIdle({}) == 0);
  // Taken over where it lies.
  cache.open(0, path(b), 0, 1);
  CHECK(cache.state(0) == State::Busy && cache.length(0) == 2 && cache.ready(0) == 1 && cache.cells() == 4);
}

void testUncuttable() {
  PrefixCache cache(2, false);
  const Tokens whole{1, 2, 3};
  const Tokens longer{1, 2, 3, 4};
  read(cache, 0, path(whole));
  CHECK(cache.find(path(longer), 4).ready == 3);
  CHECK(cache.find(path(whole), 2).ready == 0 && cache.find(path(whole), 2).planned == 0);
  cache.append(0, 9, 0);
  CHECK(cache.find(path(longer), 4).ready == 3);  // not computed yet
  cache.advance(0, 1);
  CHECK(cache.find(path(longer), 4).ready == 0);
}

// Against the plainest of models: a vector of tokens for each slot.
void testRandom() {
  std::mt19937 random(1);
  const auto below = [&](int n) { return static_cast<int32_t>(random() % static_cast<unsigned>(n)); };
  PrefixCache cache(8, true);
  std::vector<Tokens> model(8);
  for (int step = 0; step < 20000; ++step) {
    const int32_t slot = below(8);
    if (cache.state(slot) == State::Free) {
      Tokens tokens(static_cast<size_t>(1 + below(6)));
      for (Token & token : tokens) token = below(2);
      const auto match = cache.find(path(tokens), static_cast<int32_t>(tokens.size()) - 1);
      size_t best = 0;
      for (const Tokens & other : model) {
        size_t same = 0;
        while (same < other.size() && same + 1 < tokens.size() && other[same] == tokens[same]) ++same;
        best = std::max(best, same);
      }
      CHECK(match.ready == static_cast<int32_t>(best) && match.planned == match.ready);
      read(cache, slot, path(tokens), match.slot, match.ready);
      model[slot] = tokens;
    } else if (below(3) == 0) {
      cache.release(slot);
      model[slot].clear();
    } else if (below(2) == 0) {
      const int32_t length = 1 + below(cache.length(slot));
      cache.trim(slot, length);
      model[slot].resize(static_cast<size_t>(length));
    } else {
      model[slot].push_back(below(2));
      cache.append(slot, model[slot].back(), 0);
      cache.advance(slot, 1);
    }
    for (int32_t s = 0; s < 8; ++s) {
      CHECK(cache.length(s) == static_cast<int32_t>(model[s].size()) && cache.ready(s) == cache.length(s));
    }
  }
  for (int32_t s = 0; s < 8; ++s) cache.release(s);
  CHECK(cache.cells() == 0);
}

}  // namespace

int main() {
  testTree();
  testExchange();
  testAdapters();
  testEviction();
  testUncuttable();
  testRandom();
}
