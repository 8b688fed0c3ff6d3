#include "prefix.h"

namespace t1 {

int32_t Prefix::share(Runtime & runtime, Decoder & decoder, int32_t count) {
  llama_memory_t memory = runtime.memory();
  const bool later = cached_;
  if (later) {
    const auto sequences = static_cast<int32_t>(llama_n_seq_max(runtime.context()));
    for (int32_t s = 1; s < sequences; ++s) llama_memory_seq_rm(memory, s, -1, -1);
    // Recurrent memory cannot be cut back: then the prefix is read again.
    cached_ = length_ > 0 && llama_memory_seq_rm(memory, 0, length_, -1);
    if (!cached_) llama_memory_clear(memory, false);
  }
  int32_t read = 0;
  if (!cached_) {
    decoder.feed({{0, 0, tokens_, length_}}, [this](int32_t, int32_t i) { return i + 1 == length_; },
                 [&](const std::vector<Output> & outputs) {
                   const float * row = outputs.front().logits;
                   logits_.assign(row, row + runtime.vocabulary().size());
                 });
    read = length_;
    cached_ = true;
  }
  if (length_ > 0) {
    for (int32_t s = 1; s < count; ++s) llama_memory_seq_cp(memory, 0, s, -1, -1);
  }
  return read;
}

}  // namespace t1
