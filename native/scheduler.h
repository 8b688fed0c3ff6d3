// The loop of the decode thread: jobs come and end, and step by step lanes get their places (Admission), what they have
// to read is packed (Packing) into a decode (Decoding), in a context that suits them (Sizing). Decode thread only.
#pragma once

#include <list>
#include <memory>
#include <optional>
#include <vector>

#include "decoding.h"
#include "sizing.h"

namespace t1 {

class Scheduler {
 public:
  Scheduler(Runtime & runtime, Observed<Statistics> & statistics)
      : runtime_(runtime),
        statistics_(statistics),
        sizing_(runtime, statistics, jobs_),
        decoding_(runtime, statistics, jobs_) {}

  // Ends the job at once if it cannot be done.
  void add(const std::shared_ptr<Ticket> & ticket);
  // Whether there is a context for what comes next.
  bool ready() const { return context_.has_value(); }
  // Whether there is anything to do.
  bool busy() const { return !jobs_.empty() || !waiting_.empty(); }
  // One decode, and what comes before and after it. Throws nothing: a failure ends the jobs that it concerns.
  void step();
  // Ends all jobs with this failure.
  void endAll(const Failure & failure);

 private:
  void enqueue(std::list<Job> & made);
  void takeAlone();
  void end(Job & job, const Failure * failure = nullptr);
  void endAborted();
  void endComplete();
  void decodeFailed(const std::vector<Entry> & entries, const Failure & failure);
  bool prepareContext();
  void dropContext();

  Runtime & runtime_;
  Observed<Statistics> & statistics_;
  std::list<Job> jobs_;     // in the order in which they are served
  std::list<Job> waiting_;  // reproducible: those whose turn has not come
  Sizing sizing_;
  Decoding decoding_;
  std::optional<Context> context_;
  bool stuck_ = false;  // nothing could be decoded although something waits: then the cache gives way
  int32_t stops_ = 0;   // decodes in a row that ended as if somebody had asked for it
};

}  // namespace t1
