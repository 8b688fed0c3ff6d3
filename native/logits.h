// Passes over one row of raw logits, written so that the compiler vectorises them.
#pragma once

#include <cstddef>
#include <vector>

namespace t1 {

// Logits are summarised in blocks of this many; the last block may be shorter.
inline constexpr size_t kBlock = 64;

// [ceil(n / kBlock)] the largest logit of each block.
// Returns false if any logit is NaN or +inf, or if all are -inf: such a row has no distribution.
bool blockMaxima(const float * logits, size_t n, std::vector<float> & maxima);

// [ceil(n / kBlock)] Σ exp((logit - max) * scale) of each block. Returns the total.
double blockExpSums(const float * logits, size_t n, float max, float scale, std::vector<float> & sums);

}  // namespace t1
