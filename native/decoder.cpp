#include "decoder.h"

#include <algorithm>

#include "log.h"

namespace t1 {
namespace {

struct Pending {
  int32_t span;
  int32_t offset;
  int32_t index;
};

}  // namespace

Decoder::Decoder(Runtime & runtime)
    : runtime_(runtime),
      maxOutputs_(runtime.maxOutputs()),
      batch_(static_cast<int32_t>(llama_n_batch(runtime.context()))) {}

int32_t Decoder::add(Token token, int32_t position, int32_t sequence, bool output) {
  if (full()) throw Failure(Code::Internal, "batch overflow");
  if (token < 0 || token >= runtime_.vocabulary().size()) throw Failure(Code::Usage, "token id out of range");
  outputs_ += output ? 1 : 0;
  return batch_.add(token, position, sequence, output);
}

void Decoder::run() {
  runtime_.stop().check();
  clearLog();
  const int32_t status = llama_decode(runtime_.context(), batch_.raw());
  // The logits may still be on their way from a GPU.
  if (status == 0) llama_synchronize(runtime_.context());
  runtime_.stop().check();
  checkDecode(status, false);
  decoded_ += batch_.size();
  batch_.clear();
  outputs_ = 0;
}

const float * Decoder::logits(int32_t index) const {
  const float * row = llama_get_logits_ith(runtime_.context(), index);
  if (row == nullptr) throw Failure(Code::DecodeFailed, "llama.cpp returned no logits");
  return row;
}

void Decoder::feed(const std::vector<Span> & spans, const std::function<bool(int32_t, int32_t)> & wanted,
                   const std::function<void(const std::vector<Output> &)> & onOutputs) {
  std::vector<Pending> pending;
  std::vector<Output> outputs;
  const auto flush = [&] {
    run();
    outputs.clear();
    for (const Pending & p : pending) outputs.push_back({p.span, p.offset, logits(p.index)});
    pending.clear();
    if (!outputs.empty()) onOutputs(outputs);
  };
  for (int32_t s = 0; s < static_cast<int32_t>(spans.size()); ++s) {
    const Span & span = spans[s];
    for (int32_t i = 0; i < span.count; ++i) {
      if (full()) flush();
      const bool output = wanted(s, i);
      const int32_t index = add(span.tokens[i], span.position + i, span.sequence, output);
      if (output) pending.push_back({s, i, index});
    }
  }
  if (batch_.size() > 0) flush();
}

}  // namespace t1
