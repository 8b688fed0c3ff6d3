// The most likely tokens of a row of logits, and how likely they are.
#pragma once

#include <cmath>
#include <vector>

#include "sampler.h"

namespace t1 {

// Scratch of one thread.
class TopTokens {
 public:
  // [min(k, n)] best first, among equals the lower id; until the next call. `logits` [n] hold a distribution.
  const std::vector<Candidate> & find(const float * logits, int32_t n, int32_t k);

 private:
  std::vector<float> maxima_;
  std::vector<float> sorted_;
  std::vector<Candidate> candidates_;
};

}  // namespace t1
