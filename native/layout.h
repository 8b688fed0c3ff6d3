// Which layout of the KV cache is the faster one for some work, from what a decode was measured to cost in each. Pure.
#pragma once

#include "types.h"

namespace t1 {

// Sequences that are to be computed, alike: `length` tokens of a prompt each, which `sharing` sequences have in common,
// and `fresh` tokens one after the other (0: only prompts are read).
struct Workload {
  double lanes = 0;
  double length = 0;
  double sharing = 1;
  double fresh = 0;
};

// Seconds that the work takes if `together` sequences are computed at a time.
double predictedSeconds(const KvCosts & costs, const Workload & work, KvLayout layout, double together);

// Split or Unified. `splitTogether`, `unifiedTogether`: sequences for which the memory budget has room in each.
// Without costs: split, which reads no other sequence's cells, unless unified lets twice as many run.
KvLayout chooseLayout(const KvCosts & costs, const Workload & work, double splitTogether, double unifiedTogether);

inline bool known(const KvCosts & costs) { return costs.decode > 0; }

}  // namespace t1
