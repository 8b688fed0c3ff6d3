// What items that wait can share with the sequences that the context holds, so that these stay. Pure; decode thread.
#pragma once

#include <bitset>
#include <list>
#include <vector>

#include "job.h"
#include "prefix_cache.h"

namespace t1 {

class Wishes {
 public:
  Wishes(const std::list<Job> & jobs, const PrefixCache & cache);

  // That somebody wishes for.
  const std::bitset<kMaxSequences> & slots() const { return slots_; }
  // Most tokens that somebody wishes for of this one; 0: nobody.
  int32_t depth(int32_t slot) const { return depths_[static_cast<size_t>(slot)]; }
  // Those that such a job may not take away: what only later ranks wish for, it may.
  std::bitset<kMaxSequences> keptFrom(const Job & job) const;

 private:
  std::bitset<kMaxSequences> slots_;
  std::vector<int32_t> depths_;        // [slots]
  std::vector<const Job *> earliest_;  // [slots] of the jobs that wish for it; null: none
};

}  // namespace t1
