// The sequences of the context and what they hold: PrefixCache and llama.cpp's memory, changed together. Decode thread
// only.
#pragma once

#include <vector>

#include "prefix_cache.h"
#include "runtime.h"

namespace t1 {

class Sequences {
 public:
  // Of the runtime's present context, which must be empty.
  explicit Sequences(Runtime & runtime);

  const PrefixCache & cache() const { return cache_; }
  // Cells that a unified KV cache has.
  int64_t capacity() const { return runtime_.shape().cells; }

  // Makes `slot` busy with this path. It shares `shared` tokens with `source`, which may be the slot itself; otherwise
  // the slot must be free. Returns the tokens that are shared, 0 if llama.cpp's memory did not agree.
  int32_t open(int32_t slot, const Path & path, int32_t source, int32_t shared);
  void append(int32_t slot, Token token, int32_t weights) { cache_.append(slot, token, weights); }
  void advance(int32_t slot, int32_t count) { cache_.advance(slot, count); }
  void rest(int32_t slot) { cache_.rest(slot); }
  void release(int32_t slot);
  // Only with a split KV cache: moves what busy slots hold until they are the first. Returns (from, to). If an idle
  // slot has to give way, then one that is not in `keep`, if there is one.
  std::vector<std::pair<int32_t, int32_t>> compact(const std::bitset<kMaxSequences> & keep);
  bool compactable() const;

 private:
  bool copy(int32_t from, int32_t to, int32_t length);
  void move(int32_t from, int32_t to);
  void exchange(int32_t a, int32_t b);
  int32_t freeOrEvicted(int32_t atLeast, const std::bitset<kMaxSequences> & keep);

  Runtime & runtime_;
  const bool split_;
  const int32_t scratch_;  // a stream that no slot uses; -1: there is none
  PrefixCache cache_;
};

}  // namespace t1
