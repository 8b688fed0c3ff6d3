// What the KV cache holds, as token sequences: a radix tree over the sequences ("slots") of the llama.cpp context.
// Pure bookkeeping: it touches no llama.cpp, whoever changes the memory tells it so. One thread.
//
// Each slot holds one path from the root. Slots that share a path share its nodes, as they share its cells in a unified
// KV cache. A slot's path is what it will hold; the first `ready` tokens of it have been computed.
#pragma once

#include <bitset>
#include <cstdint>
#include <memory>
#include <vector>

#include "types.h"

namespace t1 {

// LLAMA_MAX_SEQ of llama.cpp's private headers.
inline constexpr int32_t kMaxSequences = 256;

// Tokens and the weights that their cells come from: the base model (0) before `start`, adapter number `adapter` from it
// on. A cell is only good for the weights that wrote it.
struct Path {
  const Token * tokens = nullptr;
  int32_t length = 0;
  int32_t adapter = 0;
  int32_t start = 0;
  int32_t weights(int32_t position) const { return position < start ? 0 : adapter; }
};

class PrefixCache {
 public:
  // `cuttable`: whether a sequence of this memory can be cut back to a prefix. Recurrent memory cannot: there a slot
  // serves only who continues all that it has computed.
  PrefixCache(int32_t slots, bool cuttable);

  struct Match {
    int32_t slot = -1;        // has computed the most of the path; -1: none
    int32_t ready = 0;        // tokens of the path that `slot` has computed
    int32_t plannedSlot = -1; // will have computed the most of it
    int32_t planned = 0;      // at least `ready`
  };
  // Looks at the path's first `limit` tokens.
  Match find(const Path & path, int32_t limit) const;

  enum class State { Free, Idle, Busy };
  State state(int32_t slot) const { return slots_[slot].state; }
  int32_t size() const { return static_cast<int32_t>(slots_.size()); }
  int32_t length(int32_t slot) const { return slots_[slot].length; }
  int32_t ready(int32_t slot) const { return slots_[slot].ready; }
  // Lowest free slot, -1 if there is none.
  int32_t freeSlot() const;
  int32_t count(State state) const;
  // Idle slot that was used longest ago and is not in `keep`; -1 if there is none.
  int32_t oldestIdle(const std::bitset<kMaxSequences> & keep) const;
  // Distinct cells of all paths, as in a unified KV cache: computed ones, and planned ones.
  int64_t cells() const { return cells_; }
  // Of these slots' paths.
  int64_t cells(const std::bitset<kMaxSequences> & slots) const { return cells(root_, slots); }
  // Cells that no other slot shares beyond the path's first `from` tokens.
  int64_t ownCells(int32_t slot, int32_t from = 0) const;

  // Makes `slot` busy with this path, of which it shares the first `shared` tokens with `source` (computed there), which
  // may be the slot itself; otherwise `slot` must be free.
  void open(int32_t slot, const Path & path, int32_t source, int32_t shared);
  // One more token is planned.
  void append(int32_t slot, Token token, int32_t weights);
  // `count` more planned tokens have been computed.
  void advance(int32_t slot, int32_t count) { slots_[slot].ready += count; }
  // Forgets what is beyond the first `length` tokens.
  void trim(int32_t slot, int32_t length);
  // Kept for others until the place is needed; what is planned but not computed is forgotten.
  void rest(int32_t slot);
  void release(int32_t slot);
  // The free slot `to` takes over all that `from` has.
  void move(int32_t from, int32_t to);
  // Each takes over all that the other has.
  void exchange(int32_t a, int32_t b);
  // Marks as just used.
  void touch(int32_t slot) { slots_[slot].used = ++clock_; }

 private:
  struct Node {
    Node * parent = nullptr;
    int32_t begin = 0;  // position of the first token
    int32_t weights = 0;
    std::vector<Token> tokens;
    std::vector<std::unique_ptr<Node>> children;  // two may begin alike: then both have cells of their own
    std::bitset<kMaxSequences> slots;             // whose paths go through all tokens
    int32_t end() const { return begin + static_cast<int32_t>(tokens.size()); }
  };
  struct Slot {
    State state = State::Free;
    Node * leaf = nullptr;  // null: an empty path
    int32_t length = 0;
    int32_t ready = 0;
    uint64_t used = 0;
  };

  int64_t cells(const Node & node, const std::bitset<kMaxSequences> & slots) const;
  void match(const Node & node, const Path & path, int32_t limit, Match & best) const;
  void consider(const Node & node, int32_t depth, Match & best) const;
  bool easier(const Slot & slot, int32_t other) const;
  Node * addChild(Node * parent, int32_t begin, int32_t weights, int32_t slot);
  void split(Node * node, int32_t position);

  bool cuttable_;
  Node root_;
  std::vector<Slot> slots_;
  int64_t cells_ = 0;
  uint64_t clock_ = 0;
};

}  // namespace t1
