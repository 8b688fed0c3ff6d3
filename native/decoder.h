// Fills a batch, decodes it, and hands out its logits. Decode thread only.
#pragma once

#include <functional>
#include <vector>

#include "handles.h"
#include "runtime.h"

namespace t1 {

// Consecutive tokens of one sequence.
struct Span {
  int32_t sequence;
  int32_t position;  // of the first token
  const Token * tokens;
  int32_t count;
};

// A token whose logits were asked for.
struct Output {
  int32_t span;          // index into the spans
  int32_t offset;        // index into that span's tokens
  const float * logits;  // [vocabulary], valid until the next decode
};

class Decoder {
 public:
  explicit Decoder(Runtime & runtime);

  // Returns the index for logits().
  int32_t add(Token token, int32_t position, int32_t sequence, bool output);
  bool full() const { return batch_.full() || outputs_ == maxOutputs_; }
  // Throws Failure. The batch is empty afterwards, its logits can be read.
  void run();
  const float * logits(int32_t index) const;

  // Decodes all spans, many per batch. Spans must have ascending sequences and descending counts: with a split
  // KV cache llama.cpp computes only neighbouring sequences together. `onOutputs` is called after each decode.
  void feed(const std::vector<Span> & spans, const std::function<bool(int32_t span, int32_t offset)> & wanted,
            const std::function<void(const std::vector<Output> &)> & onOutputs);

  int64_t decodedTokens() const { return decoded_; }

 private:
  Runtime & runtime_;
  int32_t maxOutputs_;
  Batch batch_;
  int32_t outputs_ = 0;
  int64_t decoded_ = 0;
};

}  // namespace t1
