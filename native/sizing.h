// Which context the jobs get: its layout, its sequences and cells, and when a larger one is worth all that this one
// holds. Decode thread only.
#pragma once

#include <list>

#include "admission.h"
#include "job.h"
#include "layout.h"
#include "observed.h"

namespace t1 {

class Sizing {
 public:
  // `jobs`: those that run now.
  Sizing(Runtime & runtime, Observed<Statistics> & statistics, const std::list<Job> & jobs)
      : runtime_(runtime), statistics_(statistics), jobs_(jobs) {}

  // Throws Failure (OUT_OF_MEMORY) if the budget does not hold the job's longest sequence.
  void check(const Job & job) const;
  // What the jobs would like; at most what the memory budget holds. Without a layout: of whichever is faster for them,
  // which is measured first where that has not been done and the work is worth it; no context may be there then.
  Shape wanted();
  // Whether the jobs get another context than the present one, for which that admits.
  bool outgrown(Admission & admission);
  // There is another context, or none.
  void replaced() { waited_ = 0; }

 private:
  Workload workload() const;
  KvLayout layout();
  Shape wanted(KvLayout layout) const;
  Shape unified() const;
  Shape split() const;
  bool longerAtOnce(Admission & admission);
  bool worthIt(const Shape & wanted, Admission & admission) const;
  // Of all jobs together.
  struct Needs {
    int64_t waiting = 0;  // lanes that are unfinished
    int64_t lanes = 0;    // that, or what is reserved if that is more, at most what a context can have
    int64_t cells = 0;
    int64_t longest = 0;
    Reserve reserve;
  };
  Needs needs() const;

  Runtime & runtime_;
  Observed<Statistics> & statistics_;
  const std::list<Job> & jobs_;
  bool calibrated_ = false;  // or tried
  int32_t waited_ = 0;       // decodes that jobs which are too long for the context have waited
};

}  // namespace t1
