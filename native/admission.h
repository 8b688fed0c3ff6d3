// Which lanes have a sequence of the context, and which give theirs up. Of one context; decode thread only.
#pragma once

#include <list>
#include <optional>
#include <utility>

#include "sequences.h"
#include "wishes.h"

namespace t1 {

class Admission {
 public:
  // `jobs`: in the order in which they are served.
  Admission(const Runtime & runtime, std::list<Job> & jobs, Sequences & sequences)
      : runtime_(runtime), jobs_(jobs), sequences_(sequences) {}

  // Gives places to what waits, by rank. `stuck`: in the last step nothing could be decoded although something waits.
  void admit(bool stuck);
  // Whether the job's longest sequence fits into the context.
  bool fits(const Job & job) const;
  // Takes the lane's place, and what its sequence holds with it, if it has one.
  void release(Lane & lane);
  // The lane is finished; what its sequence holds stays for others until the place is needed.
  void rest(Lane & lane);
  // Takes all places of the job's and forgets its lanes.
  void release(Job & job);
  // llama.cpp had no cells although by our count there are. Throws Failure (OUT_OF_MEMORY) if one lane alone finds
  // none.
  void giveWay();
  // Lets lanes be neighbours in a split KV cache: llama.cpp computes those together.
  void compact();
  // Cells that would have to be computed again without the context.
  int64_t heldCells();
  bool idle() const { return busy() == 0; }

 private:
  // What prompts that are being read will need for their other samples.
  struct Promises {
    int64_t places = 0;
    int64_t cells = 0;
  };
  enum class Placed { Yes, NoRoom, Computed };  // Computed: what it can share is still being computed

  Placed admitLanes(Job & job);
  void admitItems(Job & job);
  bool continues(const Job & job, const Item & item) const;
  Placed place(Job & job, Item & item, Lane * lane);
  Placed tryToPlace(Job & job, Item & item, Lane * lane);
  int32_t findSlot(const Job & job, const PrefixCache::Match & match, bool last);
  bool findCells(const Job & job, const PrefixCache::Match & match, int32_t slot, int64_t need, bool last);
  int64_t freeCells(const PrefixCache::Match & match, int32_t slot) const;
  int32_t evictable(const Job & job, const std::bitset<kMaxSequences> & besides, bool last);
  bool releaseIdle();
  bool park(const Job & job);
  const Wishes & wishes();
  int64_t reserved() const;
  std::pair<Job *, Lane *> at(int32_t slot) const;
  int32_t busy() const { return sequences_.cache().count(PrefixCache::State::Busy); }
  int64_t places() const { return sequences_.cache().size() - busy(); }

  const Runtime & runtime_;
  std::list<Job> & jobs_;
  Sequences & sequences_;
  int32_t most_ = kMaxSequences;  // that run at a time in this context
  // Of one admission.
  std::optional<Wishes> wishes_;
  Promises promised_;
  Promises earlier_;   // of them, those to jobs of earlier rank than the one that is being admitted
  bool full_ = false;  // that one, or another of its rank, has found no room
  bool stuck_ = false;
};

}  // namespace t1
