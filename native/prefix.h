// The tokens that all sequences of a job begin with: read once, then copied. Decode thread only.
#pragma once

#include <vector>

#include "decoder.h"

namespace t1 {

class Prefix {
 public:
  // Of `length` tokens; `tokens` must outlive this.
  void set(const Token * tokens, int32_t length) {
    tokens_ = tokens;
    length_ = length;
  }
  int32_t length() const { return length_; }

  // Leaves the prefix, and nothing else, in sequences 0 … count-1. The memory must be empty at the first call, and
  // sequence 0 must still begin with the prefix at those after it (one per wave). Returns the tokens it had to read.
  int32_t share(Runtime & runtime, Decoder & decoder, int32_t count);

  // [vocabulary] after the last token of the prefix.
  const float * logits() const { return logits_.data(); }

 private:
  const Token * tokens_ = nullptr;
  int32_t length_ = 0;
  bool cached_ = false;
  std::vector<float> logits_;
};

}  // namespace t1
