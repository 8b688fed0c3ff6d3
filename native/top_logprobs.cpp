#include "top_logprobs.h"

#include <algorithm>
#include <functional>

#include "logits.h"

namespace t1 {

// The k-th largest block maximum is a lower bound of the k-th largest logit: k logits reach it.
const std::vector<Candidate> & TopTokens::find(const float * logits, int32_t n, int32_t k) {
  blockMaxima(logits, static_cast<size_t>(n), maxima_);
  float bound = -INFINITY;
  if (static_cast<size_t>(k) < maxima_.size()) {
    sorted_ = maxima_;
    std::nth_element(sorted_.begin(), sorted_.begin() + (k - 1), sorted_.end(), std::greater<>());
    bound = sorted_[static_cast<size_t>(k - 1)];
  }
  candidates_.clear();
  for (size_t b = 0; b < maxima_.size(); ++b) {
    if (maxima_[b] < bound) continue;
    const auto begin = static_cast<Token>(b * kBlock);
    const Token end = std::min(n, begin + static_cast<Token>(kBlock));
    for (Token t = begin; t < end; ++t) {
      if (logits[t] >= bound) candidates_.push_back({t, logits[t]});
    }
  }
  const auto last = candidates_.begin() + std::min<ptrdiff_t>(k, std::ssize(candidates_));
  std::partial_sort(candidates_.begin(), last, candidates_.end(), better);
  candidates_.erase(last, candidates_.end());
  return candidates_;
}

}  // namespace t1
