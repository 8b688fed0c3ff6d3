// Scores against a reference that shares no code with the engine: llama.cpp called directly, and log-softmax as its
// formula says.
#include <algorithm>
#include <cmath>
#include <future>
#include <limits>
#include <random>
#include <vector>

#include "backend.h"
#include "check.h"
#include "engine.h"
#include "handles.h"

using namespace t1;

namespace {

using Row = std::vector<float>;

// log P(target), over raw logits [vocabulary].
long double reference(const Row & logits, Token target) {
  long double highest = -std::numeric_limits<long double>::infinity();
  for (const float logit : logits) highest = std::max(highest, static_cast<long double>(logit));
  long double sum = 0;
  for (const float logit : logits) sum += std::exp(static_cast<long double>(logit) - highest);
  return static_cast<long double>(logits[target]) - highest - std::log(sum);
}

// [tokens] raw logits after each of them, from a context of its own.
std::vector<Row> rawLogits(llama_model * model, const std::vector<Token> & tokens) {
  llama_context_params params = llama_context_default_params();
  params.n_ctx = 512;
  params.n_batch = 512;
  params.n_threads = params.n_threads_batch = 1;
  params.swa_full = true;
  const ContextHandle context(llama_init_from_model(model, params));
  CHECK(context != nullptr);
  Batch batch(static_cast<int32_t>(tokens.size()));
  for (size_t i = 0; i < tokens.size(); ++i) batch.add(tokens[i], static_cast<llama_pos>(i), 0, true);
  CHECK(llama_decode(context.get(), batch.raw()) == 0);
  const int32_t vocabulary = llama_vocab_n_tokens(llama_model_get_vocab(model));
  std::vector<Row> rows;
  for (size_t i = 0; i < tokens.size(); ++i) {
    const float * logits = llama_get_logits_ith(context.get(), static_cast<int32_t>(i));
    rows.emplace_back(logits, logits + vocabulary);
  }
  return rows;
}

ScoreDone score(Engine & engine, const ScoreJob & job) {
  std::promise<Event> end;
  engine.submit(job, [&](Event event) { end.set_value(std::move(event)); });
  const Event event = end.get_future().get();
  CHECK(std::holds_alternative<ScoreDone>(event));
  return std::get<ScoreDone>(event);
}

EngineOptions options(bool unified) {
  EngineOptions o;
  o.path = tinyModel();
  o.threads = 1;
  o.kv = unified ? KvLayout::Unified : KvLayout::Split;
  o.gpuLayers = 0;
  o.memoryBytes = 64 << 20;
  return o;
}

// Every token of the vocabulary at many positions of many sequences.
void testLogSoftmax(llama_model * model, bool unified) {
  std::mt19937 random(unified ? 2 : 1);
  const int32_t vocabulary = llama_vocab_n_tokens(llama_model_get_vocab(model));
  ScoreJob all;
  for (Token t = 0; t < vocabulary; ++t) all.targets.push_back(t);
  std::vector<std::vector<Row>> rows;
  double worst = 0;
  for (int s = 0; s < 6; ++s) {
    ScoreSequence sequence;
    for (uint32_t left = 5 + random() % 60; left > 0; --left) {
      sequence.tokens.push_back(static_cast<Token>(random() % static_cast<uint32_t>(vocabulary)));
    }
    if (s > 0) std::copy_n(all.sequences[0].tokens.begin(), 4, sequence.tokens.begin());  // a prefix that all share
    for (size_t i = 0; i < sequence.tokens.size(); ++i) {
      if (random() % 3 > 0 || i == 0) sequence.positions.push_back(static_cast<int32_t>(i));
    }
    std::shuffle(sequence.positions.begin(), sequence.positions.end(), random);
    rows.push_back(rawLogits(model, sequence.tokens));

    // Alone in a new engine it is read as the reference read it, so the logits are the same, and only the log-softmax
    // is compared.
    Engine engine(options(unified));
    const ScoreDone done = score(engine, {{sequence}, all.targets, "", Priority::Batch});
    for (size_t row = 0; row < sequence.positions.size(); ++row) {
      for (const Token target : all.targets) {
        const float ours = done.logprobs[0][row * all.targets.size() + static_cast<size_t>(target)];
        worst = std::max(worst,
                         std::abs(static_cast<double>(ours - reference(rows.back()[sequence.positions[row]], target))));
      }
    }
    all.sequences.push_back(std::move(sequence));
  }
  if (!(worst < 2e-5)) std::fprintf(stderr, "log-softmax differs by %g\n", worst);
  CHECK(worst < 2e-5);

  // All in one job: prefixes are shared, chunks are others, so F16 keys and values are summed in another order.
  Engine engine(options(unified));
  const ScoreDone done = score(engine, all);
  worst = 0;
  for (size_t s = 0; s < all.sequences.size(); ++s) {
    for (size_t row = 0; row < all.sequences[s].positions.size(); ++row) {
      for (const Token target : all.targets) {
        const float ours = done.logprobs[s][row * all.targets.size() + static_cast<size_t>(target)];
        worst = std::max(
            worst, std::abs(static_cast<double>(ours - reference(rows[s][all.sequences[s].positions[row]], target))));
      }
    }
  }
  if (!(worst < 0.05)) std::fprintf(stderr, "scores of one job differ by %g\n", worst);
  CHECK(worst < 0.05);
}

}  // namespace

int main() {
  initBackend();
  llama_model_params params = llama_model_default_params();
  params.n_gpu_layers = 0;
  const ModelHandle model(llama_model_load_from_file(tinyModel().c_str(), params));
  CHECK(model != nullptr);
  testLogSoftmax(model.get(), false);
  testLogSoftmax(model.get(), true);
}
