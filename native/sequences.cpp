#include "sequences.h"

namespace t1 {

Sequences::Sequences(Runtime & runtime)
    : runtime_(runtime),
      split_(!runtime.shape().unified),
      scratch_(runtime.shape().scratch ? static_cast<int32_t>(runtime.shape().sequences) : -1),
      cache_(static_cast<int32_t>(runtime.shape().sequences), runtime.cuttable()) {}

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

// Split: every sequence is a stream of its own and is copied as a whole, by the next decode, in the order of these
// calls. Unified: the cells are marked as the other sequence's too.
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

// As copies of whole streams are done in the order of these calls.
void Sequences::exchange(int32_t a, int32_t b) {
  llama_memory_t memory = runtime_.memory();
  for (const auto & [from, to] : {std::pair(a, scratch_), std::pair(b, a), std::pair(scratch_, b)}) {
    llama_memory_seq_cp(memory, from, to, -1, -1);
    llama_memory_seq_rm(memory, from, -1, -1);
  }
  cache_.exchange(a, b);
}

// A free slot, if possible not below `atLeast`; the one that was used longest ago if none is free. -1: all are busy.
int32_t Sequences::freeOrEvicted(int32_t atLeast, const std::bitset<kMaxSequences> & keep) {
  for (int32_t s = cache_.size() - 1; s >= atLeast; --s) {
    if (cache_.state(s) == PrefixCache::State::Free) return s;
  }
  int32_t oldest = cache_.oldestIdle(keep);
  if (oldest < 0) oldest = cache_.oldestIdle({});
  if (oldest >= 0) release(oldest);
  return oldest;
}

bool Sequences::compactable() const {
  if (!split_) return false;
  const int32_t busy = cache_.count(PrefixCache::State::Busy);
  for (int32_t s = busy; s < cache_.size(); ++s) {
    if (cache_.state(s) == PrefixCache::State::Busy) return true;
  }
  return false;
}

// llama.cpp computes only neighbouring sequences of a split KV cache together: each gap between them would cost a graph
// of its own in every further decode.
std::vector<std::pair<int32_t, int32_t>> Sequences::compact(const std::bitset<kMaxSequences> & keep) {
  std::vector<std::pair<int32_t, int32_t>> moves;
  if (!split_) return moves;
  const int32_t busy = cache_.count(PrefixCache::State::Busy);
  int32_t gap = 0;
  for (int32_t s = busy; s < cache_.size(); ++s) {
    if (cache_.state(s) != PrefixCache::State::Busy) continue;
    while (cache_.state(gap) == PrefixCache::State::Busy) ++gap;
    moves.emplace_back(s, gap);
    if (cache_.state(gap) == PrefixCache::State::Idle && cache_.count(PrefixCache::State::Free) == 0 && scratch_ >= 0) {
      exchange(s, gap);
      continue;
    }
    if (cache_.state(gap) == PrefixCache::State::Idle) {
      const int32_t place = freeOrEvicted(busy, keep);
      if (cache_.state(gap) == PrefixCache::State::Idle) move(gap, place);
    }
    move(s, gap);
  }
  return moves;
}

}  // namespace t1
