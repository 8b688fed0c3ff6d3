#include "decoder.h"

#include "log.h"

namespace t1 {

Decoder::Decoder(Runtime & runtime)
    : runtime_(runtime),
      maxOutputs_(runtime.maxOutputs()),
      batch_(static_cast<int32_t>(llama_n_batch(runtime.context()))) {}

int32_t Decoder::add(Token token, int32_t position, int32_t sequence, bool output) {
  if (room() == 0 || outputRoom() < (output ? 1 : 0)) throw Failure(Code::Internal, "batch overflow");
  if (token < 0 || token >= runtime_.vocabulary().size()) throw Failure(Code::Usage, "token id out of range");
  outputs_ += output ? 1 : 0;
  return batch_.add(token, position, sequence, output);
}

void Decoder::clear() {
  batch_.clear();
  outputs_ = 0;
}

void Decoder::run() {
  clearLog();
  const int32_t status = llama_decode(runtime_.context(), batch_.raw());
  // The logits may still be on their way from a GPU.
  if (status == 0) llama_synchronize(runtime_.context());
  clear();
  runtime_.stop().check();
  checkDecode(status, false);
}

const float * Decoder::logits(int32_t index) const {
  const float * row = llama_get_logits_ith(runtime_.context(), index);
  if (row == nullptr) throw Failure(Code::DecodeFailed, "llama.cpp returned no logits");
  return row;
}

const float * Decoder::classes(int32_t sequence) const {
  const float * row = llama_get_embeddings_seq(runtime_.context(), sequence);
  if (row == nullptr) throw Failure(Code::DecodeFailed, "llama.cpp returned nothing from the classification head");
  return row;
}

}  // namespace t1
