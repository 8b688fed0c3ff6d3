#include "plan.h"

#include <algorithm>

namespace t1 {

int32_t commonPrefix(const std::vector<const std::vector<Token> *> & sequences, int32_t limit) {
  int32_t length = limit;
  const std::vector<Token> & first = *sequences.front();
  for (const auto * sequence : sequences) {
    length = std::min(length, static_cast<int32_t>(std::min(first.size(), sequence->size())));
    length = static_cast<int32_t>(std::mismatch(first.begin(), first.begin() + length, sequence->begin()).first - first.begin());
  }
  return length;
}

namespace {

// Lanes of a wave share a buffer of `budget` cells; each stores what it has beyond the prefix.
Plan planUnified(const std::vector<Lane> & lanes, int32_t prefix, double budget) {
  Plan plan;
  double used = 0;
  double most = 0;
  for (size_t i = 0; i < lanes.size(); ++i) {
    const double own = lanes[i].cells - prefix;
    const bool fits = !plan.waves.empty() && plan.waves.back().size() < kMaxSequences && used + own <= budget;
    if (!fits) {
      plan.waves.emplace_back();
      used = prefix;
    }
    used += own;
    most = std::max(most, used);
    plan.waves.back().push_back(static_cast<int32_t>(i));
  }
  plan.shape.cells = static_cast<uint32_t>(most);
  return plan;
}

// Each lane has a stream of its own, all as long as the longest lane.
Plan planSplit(const std::vector<Lane> & lanes, int32_t longest, double budget) {
  Plan plan;
  plan.shape.cells = static_cast<uint32_t>(longest);
  const auto fit = static_cast<size_t>(std::clamp(budget / longest, 1.0, 1.0 * kMaxSequences));
  // Waves of equal size: a last wave of one row would cost as many decodes as a full one.
  const size_t count = (lanes.size() + fit - 1) / fit;
  const size_t size = (lanes.size() + count - 1) / count;
  for (size_t i = 0; i < lanes.size(); ++i) {
    if (i % size == 0) plan.waves.emplace_back();
    plan.waves.back().push_back(static_cast<int32_t>(i));
  }
  return plan;
}

}  // namespace

Plan plan(const Runtime & runtime, const std::vector<Lane> & lanes, int32_t prefix) {
  int32_t longest = 0;
  for (const Lane & lane : lanes) longest = std::max(longest, lane.cells);
  longest = (longest + 255) / 256 * 256;  // as llama.cpp rounds
  const double budget = runtime.cellBudget();
  if (longest > budget) {
    throw Failure(Code::OutOfMemory, "one sequence of " + std::to_string(longest) + " tokens needs " +
                                         mebibytes(longest * runtime.bytesPerCell()) + " of KV cache, the budget is " +
                                         mebibytes(runtime.memoryBudget()) + ": lower max tokens or raise the memory budget");
  }
  Plan plan = runtime.options().unified ? planUnified(lanes, prefix, budget) : planSplit(lanes, longest, budget);
  size_t widest = 0;
  for (const auto & wave : plan.waves) widest = std::max(widest, wave.size());
  plan.shape.sequences = static_cast<uint32_t>(widest);
  return plan;
}

}  // namespace t1
