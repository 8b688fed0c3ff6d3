#include "layout.h"

#include <algorithm>

namespace t1 {

double predictedSeconds(const KvCosts & costs, const Workload & work, KvLayout layout, double together) {
  const double rows = work.lanes * (work.fresh > 0 ? work.fresh : work.length);
  const double running = std::max(1.0, std::min(work.lanes, together));
  // On average a sequence is half-way through.
  const double own = work.fresh > 0 ? work.length + work.fresh / 2 : work.length / 2;
  const double all = work.fresh > 0
                         ? std::max(work.length, running * work.length / work.sharing) + running * work.fresh / 2
                         : running * work.length / 2;
  // Prompts go many tokens to a decode: there the fixed part is lost among the rows.
  const double decodes = work.fresh > 0 ? rows / running : work.lanes / running;
  if (layout == KvLayout::Unified) return decodes * costs.decode + rows * (costs.rowUnified + costs.cellUnified * all);
  const double copied = work.sharing > 1 ? work.lanes * work.length : 0;
  return decodes * costs.decode + rows * (costs.rowSplit + costs.cellSplit * own) + copied * costs.copy;
}

KvLayout chooseLayout(const KvCosts & costs, const Workload & work, double splitTogether, double unifiedTogether) {
  if (!known(costs)) {
    const bool crowded = std::min(work.lanes, unifiedTogether) >= 2 * std::min(work.lanes, splitTogether);
    return crowded ? KvLayout::Unified : KvLayout::Split;
  }
  const double split = predictedSeconds(costs, work, KvLayout::Split, splitTogether);
  const double unified = predictedSeconds(costs, work, KvLayout::Unified, unifiedTogether);
  return unified < split ? KvLayout::Unified : KvLayout::Split;
}

}  // namespace t1
