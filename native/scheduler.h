// Packs every decode with what is ready, of all jobs: tokens that samples go on with, and chunks of prompts. Decode
// thread only.
#pragma once

#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <vector>

#include "decoder.h"
#include "job.h"
#include "layout.h"
#include "observed.h"
#include "sequences.h"

namespace t1 {

class Scheduler {
 public:
  Scheduler(Runtime & runtime, Observed<Statistics> & statistics) : runtime_(runtime), statistics_(statistics) {}

  // Ends the job at once if it cannot be done.
  void add(const std::shared_ptr<Ticket> & ticket);
  // Whether there is anything to do.
  // Whether there is a context for what comes next.
  bool ready() const { return sequences_.has_value(); }
  bool busy() const { return !jobs_.empty() || !waiting_.empty(); }
  // One decode, and what comes before and after it. Throws nothing: a failure ends the jobs that it concerns.
  void step();
  // Ends all jobs with this failure.
  void endAll(const Failure & failure);

 private:
  // A lane's part of a decode.
  struct Entry {
    Job * job;
    Lane * lane;
    int32_t count;  // tokens
  };
  // A token whose logits were asked for.
  struct Output {
    Job * job;
    Lane * lane;
    int32_t position;
    const float * logits;
    Draw draw = {};
    bool valid = true;
    std::exception_ptr error = nullptr;  // instead
  };
  // What prompts that are being read will need for their other samples.
  struct Promises {
    int64_t places = 0;
    int64_t cells = 0;
  };
  enum class Placed { Yes, NoRoom, Computed };  // Computed: what it can share is still being computed
  // What items that wait can share with the sequences that there are.
  struct Wishes {
    std::bitset<kMaxSequences> slots;
    std::vector<int32_t> depths;        // [slots] most tokens
    std::vector<const Job *> earliest;  // [slots] of the jobs that wish for it; null: none
    // Those that such a job may not take away: what only later ranks wish for, it may.
    std::bitset<kMaxSequences> keptFrom(const Job & job) const;
  };

  void end(Job & job, const Failure * failure = nullptr);
  void endAborted();
  void endComplete();
  void decodeFailed(const std::vector<Entry> & entries, const Failure & failure);

  void fit(const Job & job);
  void enqueue(std::list<Job> & made);
  void takeAlone();
  Workload workload() const;
  KvLayout layout();
  Shape wantedShape(KvLayout layout) const;
  bool replaceable(const Shape & wanted);
  bool fitsContext(const Job & job) const;
  bool longerAtOnce();
  int64_t heldCells();
  bool prepareContext();
  void dropContext();

  void admit();
  Placed admitLanes(Job & job);
  void admitItems(Job & job);
  int64_t places() const;
  int32_t evictable(const Job & job, const std::bitset<kMaxSequences> & besides, bool last);
  bool hasPlace(const Job & job, const Item & item) const;
  Placed place(Job & job, Item & item, Lane * lane);
  Placed tryToPlace(Job & job, Item & item, Lane * lane);
  int32_t findSlot(const Job & job, const PrefixCache::Match & match, bool last);
  bool findCells(const Job & job, const PrefixCache::Match & match, int32_t slot, int64_t need, bool last);
  bool park(const Job & job);
  void release(Lane & lane);
  const Wishes & wishes();
  int64_t reserved() const;
  Entry laneOf(int32_t slot);

  std::vector<Entry> pack();
  int32_t chooseAdapter(const std::vector<Entry> & ready);
  void decode(std::vector<Entry> & entries);
  void countDecode(const std::vector<Entry> & entries, bool adapterChanged);
  void giveWay();
  void drawFresh();
  void evaluate(std::vector<Output> & outputs);
  void accept(std::vector<Output> & outputs);

  Runtime & runtime_;
  Observed<Statistics> & statistics_;
  std::list<Job> jobs_;     // in the order in which they are served
  std::list<Job> waiting_;  // reproducible: those whose turn has not come
  std::optional<Sequences> sequences_;  // while there is a context
  std::optional<Decoder> decoder_;
  std::optional<Wishes> wishes_;  // of this admission
  Promises promised_;             // likewise
  Promises earlier_;              // of them, those to jobs of earlier rank than the one that is being admitted
  bool full_ = false;             // that one, or another of its rank, has found no room
  bool stuck_ = false;            // nothing could be decoded although something waits: then the cache gives way
  int64_t decodes_ = 0;           // that have begun
  int32_t adapter_ = 0;           // of the last decode, as Job::kind() has it
  int32_t stayed_ = 0;            // decodes in a row with it
  bool calibrated_ = false;       // or tried
  int32_t stops_ = 0;             // decodes in a row that ended so
  int32_t most_ = kMaxSequences;  // that run at a time in this context
  int32_t waited_ = 0;            // decodes that jobs which are too long for the context have waited
};

}  // namespace t1
