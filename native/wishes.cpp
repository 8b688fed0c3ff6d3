#include "wishes.h"

#include <algorithm>

namespace t1 {

// Items that are looked up: more would take longer than they are worth.
constexpr int32_t kMostWishes = 512;

Wishes::Wishes(const std::list<Job> & jobs, const PrefixCache & cache)
    : depths_(static_cast<size_t>(cache.size())), earliest_(static_cast<size_t>(cache.size())) {
  int32_t seen = 0;
  for (const Job & job : jobs) {
    for (const Item & item : job.items()) {
      if (item.unbegun() == 0) continue;
      if (seen++ == kMostWishes) return;
      const PrefixCache::Match match = cache.find(job.path(item), item.logits.empty() ? item.shareable : item.length);
      if (match.slot < 0) continue;
      const auto slot = static_cast<size_t>(match.slot);
      slots_.set(slot);
      depths_[slot] = std::max(depths_[slot], match.ready);
      if (!earliest_[slot]) earliest_[slot] = &job;
    }
  }
}

std::bitset<kMaxSequences> Wishes::keptFrom(const Job & job) const {
  std::bitset<kMaxSequences> kept;
  for (size_t s = 0; s < earliest_.size(); ++s) kept[s] = earliest_[s] && !earlierRank(job, *earliest_[s]);
  return kept;
}

}  // namespace t1
