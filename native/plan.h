// How a job's sequences are laid into the KV cache: the shared prefix, and waves where not all fit at once.
#pragma once

#include <vector>

#include "runtime.h"

namespace t1 {

// LLAMA_MAX_SEQ of llama.cpp's private headers.
inline constexpr int32_t kMaxSequences = 256;

// One sequence of a job, for planning.
struct Lane {
  int32_t prompt;  // index of the token sequence it starts from
  int32_t cells;   // tokens it may come to hold, prefix included
};

struct Plan {
  Shape shape;
  std::vector<std::vector<int32_t>> waves;  // indices of lanes, all of which fit together
};

// Length of the longest common prefix of all sequences, at most `limit`.
int32_t commonPrefix(const std::vector<const std::vector<Token> *> & sequences, int32_t limit);

// Throws Failure (OUT_OF_MEMORY) if the budget does not hold a single lane.
Plan plan(const Runtime & runtime, const std::vector<Lane> & lanes, int32_t prefix);

}  // namespace t1
