// One sequence on its way through the model, and what a job's prompts or sequences are. Decode thread only; the pool
// draws for lanes, each of which one thread has.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "error.h"
#include "grammar.h"
#include "sampler.h"
#include "text.h"
#include "top_logprobs.h"
#include "types.h"

namespace t1 {

// A prompt and its samples, or a sequence to be scored or classified.
struct Item {
  const std::vector<Token> * tokens;
  int32_t length;             // tokens to be read
  int32_t start;              // first token that the adapter sees
  int32_t shareable;          // tokens that may come from the cache: logits are wanted of the one after them
  int32_t lanes = 1;          // samples
  int32_t begun = 0;          // of them
  std::vector<float> logits;  // [vocabulary] after the last token, while lanes are to begin from them; else empty
  std::vector<std::pair<int32_t, int32_t>> rows;  // scoring: (position, row of the result), ascending

  int32_t unbegun() const { return lanes - begun; }
  // One of its lanes reads the prompt, and others are to begin where that ends.
  bool reading() const { return begun > 0 && unbegun() > 0 && logits.empty(); }
};

// A lane is in one of these states; only its own functions below change it.
//
//               place(slot)                      finish()
//            ┌────────────────▶  Reading  ──────────────────┐
//            │   ┌── lose() ────  │ ▲ ▲                     ▼
//            │   ▼                └─┘ │                  Finished
//   new ──▶ Waiting            read() │ read()              ▲
//            │   ▲                    │                     │
//            │   └── lose() ────  Drawing  ─────────────────┘
//            └────────────────▶                  finish()
//               place(slot, logits)
//
// Waiting: no sequence of the context is its own. Reading: its sequence holds the first of its tokens, the others wait
// for a decode. Drawing: its sequence holds all of its tokens, and the first one that follows is drawn within this
// step. Finished: it is taken off its job before the step ends.
class Lane {
 public:
  enum class State { Waiting, Reading, Drawing, Finished };

  Lane(int32_t item, int32_t index) : item(item), index(index) {}

  State state() const { return state_; }
  // Reading or drawing: it has a sequence.
  bool placed() const { return state_ == State::Reading || state_ == State::Drawing; }
  // Its sequence in the KV cache; -1 where it has none.
  int32_t slot() const { return slot_; }
  // Drawing: [vocabulary] the logits to draw from, its item's; else null.
  const float * logits() const { return logits_; }

  void place(int32_t slot, const float * logits = nullptr) {
    expect(state_ == State::Waiting, "get a place");
    state_ = logits ? State::Drawing : State::Reading;
    slot_ = slot;
    logits_ = logits;
  }
  // A token was drawn and added to its own; it is read next.
  void read() {
    expect(placed(), "read");
    state_ = State::Reading;
    logits_ = nullptr;
  }
  // Its sequence is another one now, with the same content.
  void move(int32_t slot) {
    expect(placed(), "move");
    slot_ = slot;
  }
  // Both return the slot that it has left.
  int32_t lose() {
    expect(placed(), "lose its place");
    return leave(State::Waiting);
  }
  int32_t finish() {
    expect(placed(), "finish");
    return leave(State::Finished);
  }

  const int32_t item;
  const int32_t index;        // into the prompt's seeds
  std::vector<Token> tokens;  // to be read: the item's, then what was sampled
  int64_t turn = 0;           // its last decode
  // Of samples.
  std::optional<Random> random;
  std::optional<Text> text;
  std::optional<Grammar> grammar;
  std::vector<float> logprobs;
  TopLogprobs top;  // a row for each that was drawn, an end-of-generation token included

 private:
  void expect(bool possible, const char * what) const {
    if (!possible) {
      throw Failure(Code::Internal,
                    std::string("a lane in state ") + std::to_string(static_cast<int>(state_)) + " was to " + what);
    }
  }
  int32_t leave(State state) {
    state_ = state;
    logits_ = nullptr;
    return std::exchange(slot_, -1);
  }

  State state_ = State::Waiting;
  int32_t slot_ = -1;
  const float * logits_ = nullptr;
};

}  // namespace t1
