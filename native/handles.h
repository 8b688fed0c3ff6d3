// RAII for every handle of llama.cpp; nothing else calls a free function.
#pragma once

#include <memory>

#include "llama_api.h"

namespace t1 {

struct ModelDeleter {
  void operator()(llama_model * model) const { llama_model_free(model); }
};
using ModelHandle = std::unique_ptr<llama_model, ModelDeleter>;

// Must go before its model: the model frees the adapters that are left.
struct AdapterDeleter {
  void operator()(llama_adapter_lora * adapter) const { llama_adapter_lora_free(adapter); }
};
using AdapterHandle = std::unique_ptr<llama_adapter_lora, AdapterDeleter>;

struct ContextDeleter {
  void operator()(llama_context * context) const { llama_free(context); }
};
using ContextHandle = std::unique_ptr<llama_context, ContextDeleter>;

struct GgufDeleter {
  void operator()(gguf_context * file) const { gguf_free(file); }
};
using GgufHandle = std::unique_ptr<gguf_context, GgufDeleter>;

// [capacity] tokens, each of exactly one sequence.
class Batch {
 public:
  explicit Batch(int32_t capacity) : raw_(llama_batch_init(capacity, 0, 1)), capacity_(capacity) {}
  ~Batch() { llama_batch_free(raw_); }
  Batch(const Batch &) = delete;
  Batch & operator=(const Batch &) = delete;

  // Returns the index to ask logits for.
  int32_t add(llama_token token, llama_pos position, llama_seq_id sequence, bool output) {
    const int32_t i = raw_.n_tokens++;
    raw_.token[i] = token;
    raw_.pos[i] = position;
    raw_.n_seq_id[i] = 1;
    raw_.seq_id[i][0] = sequence;
    raw_.logits[i] = output ? 1 : 0;
    return i;
  }
  void clear() { raw_.n_tokens = 0; }
  int32_t size() const { return raw_.n_tokens; }
  int32_t room() const { return capacity_ - raw_.n_tokens; }
  const llama_batch & raw() const { return raw_; }

 private:
  llama_batch raw_;
  int32_t capacity_;
};

}  // namespace t1
