#include "decoder.h"

#include <optional>

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

int32_t Decoder::decode() {
  const EngineOptions & options = runtime_.options();
  if (const int32_t pretended = options.fault ? options.fault(++runs_) : 0; pretended != 0) return pretended;
  // A GPU's driver that fails is an assertion on this thread. On the CPU one may fail on any thread, and others would
  // wait for ever for one that has thrown.
  std::optional<AssertsThrow> guard;
  if (runtime_.device().type != "cpu") guard.emplace();
  const int32_t status = llama_decode(runtime_.context(), batch_.raw());
  // The logits may still be on their way from a GPU.
  if (status == 0) llama_synchronize(runtime_.context());
  return status;
}

bool Decoder::run() {
  clearLog();
  int32_t status = 0;
  try {
    status = decode();
  } catch (const std::bad_alloc &) {
    clear();
    throw;
  } catch (const std::exception & error) {
    clear();
    runtime_.stop().check();
    throw Failure(Code::DecodeFailed, std::string("llama_decode failed: ") + error.what());
  }
  clear();
  runtime_.stop().check();
  if (status == 1) return false;
  checkDecode(status, false);
  return true;
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
