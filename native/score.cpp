#include "score.h"

#include <algorithm>
#include <atomic>
#include <cmath>

#include "decoder.h"
#include "plan.h"
#include "prefix.h"
#include "sampler.h"

namespace t1 {
namespace {

class Scorer {
 public:
  Scorer(Runtime & runtime, const ScoreJob & job) : runtime_(runtime), job_(job), scratch_(runtime.pool().workers()) {}
  ScoreDone run();

 private:
  void prepare();
  void wave(const std::vector<int32_t> & lanes);
  void feed(const std::vector<int32_t> & lanes, const std::vector<Span> & spans, Decoder & decoder);
  void readOutputs(const std::vector<int32_t> & lanes, const std::vector<Span> & spans, const std::vector<Output> & outputs);

  Runtime & runtime_;
  const ScoreJob & job_;
  ScoreDone done_;
  std::vector<Lane> lanes_;  // longest first
  std::vector<std::vector<std::vector<int32_t>>> rowsAt_;  // [sequence][token index - prefix] rows of its result
  Prefix prefix_;
  std::vector<int32_t> starts_;  // per sequence: first token that the adapter sees
  bool activated_ = false;       // the adapter sees the sequences' ends only
  std::vector<std::vector<float>> scratch_;  // one per pool worker
};

void Scorer::prepare() {
  std::vector<const std::vector<Token> *> sequences;
  int32_t earliest = INT32_MAX;  // logits of the shared prefix itself are never wanted, and no adapter is activated in it
  done_.logprobs.resize(job_.sequences.size());
  starts_.resize(job_.sequences.size());
  const Adapter * adapter = runtime_.adapter(job_.adapter);
  activated_ = adapter && adapter->activated();
  for (int32_t s = 0; s < static_cast<int32_t>(job_.sequences.size()); ++s) {
    const auto & [tokens, positions] = job_.sequences[s];
    done_.logprobs[s].resize(positions.size() * job_.targets.size());
    if (done_.logprobs[s].empty()) continue;
    const int32_t last = *std::max_element(positions.begin(), positions.end());
    earliest = std::min(earliest, *std::min_element(positions.begin(), positions.end()));
    if (last >= runtime_.contextLength()) {
      throw Failure(Code::PromptTooLong, "a sequence of " + std::to_string(last + 1) +
                                             " tokens does not fit into the context of " +
                                             std::to_string(runtime_.contextLength()));
    }
    if (activated_) {
      starts_[s] = std::min(adapter->start(tokens), last + 1);
      earliest = std::min(earliest, starts_[s]);
    }
    sequences.push_back(&tokens);
    lanes_.push_back({s, last + 1});  // what comes after the last position is not read
  }
  if (lanes_.empty()) return;
  prefix_.set(sequences.front()->data(), commonPrefix(sequences, earliest));
  rowsAt_.resize(job_.sequences.size());
  for (const Lane & lane : lanes_) {
    rowsAt_[lane.prompt].resize(static_cast<size_t>(lane.cells - prefix_.length()));
    const auto & positions = job_.sequences[lane.prompt].positions;
    for (size_t row = 0; row < positions.size(); ++row) {
      rowsAt_[lane.prompt][positions[row] - prefix_.length()].push_back(static_cast<int32_t>(row));
    }
  }
  std::stable_sort(lanes_.begin(), lanes_.end(), [](const Lane & a, const Lane & b) { return a.cells > b.cells; });
}

ScoreDone Scorer::run() {
  prepare();
  if (lanes_.empty()) return std::move(done_);
  runtime_.prepareWeights();
  const Plan layout = plan(runtime_, lanes_, prefix_.length());
  runtime_.prepareContext(layout.shape, job_.adapter);
  for (const auto & lanes : layout.waves) wave(lanes);
  return std::move(done_);
}

void Scorer::wave(const std::vector<int32_t> & lanes) {
  Decoder decoder(runtime_);
  if (activated_) runtime_.switchAdapter(false);
  done_.usage.promptTokens += prefix_.share(runtime_, decoder, static_cast<int32_t>(lanes.size()));
  std::vector<Span> unseen;  // by an activated adapter
  std::vector<Span> spans;
  for (size_t i = 0; i < lanes.size(); ++i) {
    const Lane & lane = lanes_[lanes[i]];
    const Token * tokens = job_.sequences[lane.prompt].tokens.data();
    const int32_t start = std::max(prefix_.length(), starts_[lane.prompt]);
    unseen.push_back({static_cast<int32_t>(i), prefix_.length(), tokens + prefix_.length(), start - prefix_.length()});
    spans.push_back({static_cast<int32_t>(i), start, tokens + start, lane.cells - start});
    done_.usage.promptTokens += lane.cells - prefix_.length();
  }
  feed(lanes, unseen, decoder);
  if (activated_) runtime_.switchAdapter(true);
  feed(lanes, spans, decoder);
  done_.usage.decodedTokens += decoder.decodedTokens();
}

// One span for each lane.
void Scorer::feed(const std::vector<int32_t> & lanes, const std::vector<Span> & spans, Decoder & decoder) {
  const auto wanted = [&](int32_t s, int32_t i) {
    return !rowsAt_[lanes_[lanes[s]].prompt][spans[s].position + i - prefix_.length()].empty();
  };
  decoder.feed(spans, wanted, [&](const std::vector<Output> & outputs) { readOutputs(lanes, spans, outputs); });
}

void Scorer::readOutputs(const std::vector<int32_t> & lanes, const std::vector<Span> & spans, const std::vector<Output> & outputs) {
  std::atomic<bool> valid{true};
  runtime_.pool().run(static_cast<int>(outputs.size()), [&](int worker, int i) {
    const Output & output = outputs[i];
    const int32_t sequence = lanes_[lanes[output.span]].prompt;
    const double total = logSumExp(output.logits, runtime_.vocabulary().size(), scratch_[worker]);
    if (std::isnan(total)) valid = false;
    const int32_t at = spans[output.span].position + output.offset - prefix_.length();
    for (const int32_t row : rowsAt_[sequence][at]) {
      float * out = done_.logprobs[sequence].data() + static_cast<size_t>(row) * job_.targets.size();
      for (const Token target : job_.targets) *out++ = static_cast<float>(output.logits[target] - total);
    }
  });
  if (!valid) {
    throw Failure(Code::DecodeFailed, "the logits of " + runtime_.vocabulary().info().name +
                                          " hold no usable number (NaN or infinite): the file is damaged or the device is faulty");
  }
}

}  // namespace

ScoreDone score(Runtime & runtime, const ScoreJob & job) { return Scorer(runtime, job).run(); }

}  // namespace t1
