// Fills a batch, decodes it, and hands out its logits. Decode thread only.
#pragma once

#include <cstdint>

#include "handles.h"
#include "runtime.h"

namespace t1 {

class Decoder {
 public:
  explicit Decoder(Runtime & runtime);

  // Returns the index for logits().
  int32_t add(Token token, int32_t position, int32_t sequence, bool output);
  // Tokens, and tokens with logits, that still fit.
  int32_t room() const { return batch_.room(); }
  int32_t outputRoom() const { return maxOutputs_ - outputs_; }
  void clear();
  // Throws Failure. The batch is empty afterwards in either case, its logits can be read. False: there were no cells
  // for it, and nothing has changed.
  bool run();
  const float * logits(int32_t index) const;
  // [classes] what the classification head gave for this sequence.
  const float * classes(int32_t sequence) const;

 private:
  Runtime & runtime_;
  int32_t maxOutputs_;
  Batch batch_;
  int32_t outputs_ = 0;
  int64_t runs_ = 0;

  int32_t decode();
};

}  // namespace t1
