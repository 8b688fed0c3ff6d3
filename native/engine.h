// Jobs in, events out. ONE thread, started here, loads the weights, owns the context and decodes; every other
// thread only queues jobs, flips stop flags and reads the vocabulary.
#pragma once

#include <condition_variable>
#include <map>
#include <mutex>
#include <thread>

#include "adapter.h"
#include "grammar.h"
#include "job.h"
#include "observed.h"
#include "runtime.h"
#include "scheduler.h"

namespace t1 {

class Engine {
 public:
  // Reads vocabulary and metadata, and the headers of the adapters. Throws Failure.
  explicit Engine(const EngineOptions & options);
  // Closes and joins.
  ~Engine();
  Engine(const Engine &) = delete;
  Engine & operator=(const Engine &) = delete;

  const ModelInfo & info() const { return vocabulary_.info(); }
  const Vocabulary & vocabulary() const { return vocabulary_; }

  // Checks the job (throws Failure: USAGE, QUEUE_FULL, DISPOSED) and queues it. `sink` is called on the decode thread,
  // or, for a job ended before it started, on the thread that ended it; always exactly once with a final event.
  uint64_t submit(Work work, Sink sink);
  // Ends the job with ABORTED; nothing happens if it is over.
  void abort(uint64_t id);
  Statistics statistics() const { return statistics_.read(); }
  // Costs that were measured before: nothing is calibrated then.
  void useCosts(const KvCosts & costs);
  // Ends all jobs with DISPOSED and takes no more. Does not wait.
  void close();
  // Waits for the decode thread and frees weights and context. After close(), from any thread.
  void join();

 private:
  void check(const Work & work) const;
  void loop();
  bool take(bool wait, bool gather, std::vector<std::shared_ptr<Ticket>> & taken);
  void forget();

  const EngineOptions options_;
  Vocabulary vocabulary_;
  const std::vector<Adapter> adapters_;
  Stop stop_;
  std::mutex mutex_;  // guards what follows
  std::condition_variable wake_;
  std::map<uint64_t, std::shared_ptr<Ticket>> queue_;    // by id, so in order
  std::map<uint64_t, std::shared_ptr<Ticket>> running_;  // the scheduler's
  uint64_t lastId_ = 0;
  std::mutex joining_;
  std::unique_ptr<Runtime> runtime_;  // decode thread only
  Observed<Statistics> statistics_;
  std::thread thread_;
};

}  // namespace t1
