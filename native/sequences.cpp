#include "sequences.h"

namespace t1 {

Sequences::Sequences(Runtime & runtime)
    : runtime_(runtime),
      split_(!runtime.shape().unified),
      cache_(static_cast<int32_t>(llama_n_seq_max(runtime.context())), runtime.cuttable()) {}

int32_t Sequences::open(int32_t slot, const Path & path, int32_t source, int32_t shared) {
  llama_memory_t memory = runtime_.memory();
  if (source == slot && cache_.ready(slot) > shared && !llama_memory_seq_rm(memory, slot, shared, -1)) {
    release(slot);
    shared = 0;
  } else if (shared > 0 && source != slot && !copy(source, slot, shared)) {
    llama_memory_seq_rm(memory, slot, -1, -1);
    shared = 0;
  }
  cache_.open(slot, path, shared > 0 ? source : -1, shared);
  return shared;
}

// Split: every sequence is a stream of its own and is copied as a whole, by the next decode, in the order of these calls.
// Unified: the cells are marked as the other sequence's too.
bool Sequences::copy(int32_t from, int32_t to, int32_t length) {
  llama_memory_t memory = runtime_.memory();
  const bool whole = cache_.ready(from) == length;
  if (!split_ && !whole) {
    llama_memory_seq_cp(memory, from, to, 0, length);
    return true;
  }
  llama_memory_seq_cp(memory, from, to, -1, -1);
  return whole || llama_memory_seq_rm(memory, to, length, -1);
}

void Sequences::release(int32_t slot) {
  llama_memory_seq_rm(runtime_.memory(), slot, -1, -1);
  cache_.release(slot);
}

void Sequences::move(int32_t from, int32_t to) {
  llama_memory_seq_cp(runtime_.memory(), from, to, -1, -1);
  llama_memory_seq_rm(runtime_.memory(), from, -1, -1);
  cache_.move(from, to);
}

// A free slot, if possible not below `atLeast`; the one that was used longest ago if none is free. -1: all are busy.
int32_t Sequences::freeOrEvicted(int32_t atLeast) {
  for (int32_t s = cache_.size() - 1; s >= atLeast; --s) {
    if (cache_.state(s) == PrefixCache::State::Free) return s;
  }
  const int32_t oldest = cache_.oldestIdle({});
  if (oldest >= 0) release(oldest);
  return oldest;
}

// llama.cpp computes only neighbouring sequences of a split KV cache together: each gap between them would cost a graph
// of its own in every further decode.
std::vector<std::pair<int32_t, int32_t>> Sequences::compact() {
  std::vector<std::pair<int32_t, int32_t>> moves;
  if (!split_) return moves;
  const int32_t busy = cache_.count(PrefixCache::State::Busy);
  int32_t gap = 0;
  for (int32_t s = busy; s < cache_.size(); ++s) {
    if (cache_.state(s) != PrefixCache::State::Busy) continue;
    while (cache_.state(gap) == PrefixCache::State::Busy) ++gap;
    if (cache_.state(gap) == PrefixCache::State::Idle) {
      const int32_t place = freeOrEvicted(busy);
      if (cache_.state(gap) == PrefixCache::State::Idle) move(gap, place);
    }
    move(s, gap);
    moves.emplace_back(s, gap);
  }
  return moves;
}

}  // namespace t1
