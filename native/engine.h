// Jobs in, events out. ONE thread, started here, loads the weights, owns the context and decodes; every other
// thread only queues jobs, flips stop flags and reads the vocabulary.
#pragma once

#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>
#include <variant>

#include "adapter.h"
#include "runtime.h"

namespace t1 {

using Work = std::variant<SampleJob, ScoreJob>;

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

  // Checks the job (throws Failure: USAGE, DISPOSED) and queues it. `sink` is called on the decode thread, or, for a
  // job ended before it started, on the thread that ended it; always exactly once with a final event.
  uint64_t submit(Work work, Sink sink);
  // Ends the job with ABORTED; nothing happens if it is over.
  void abort(uint64_t id);
  // Ends all jobs with DISPOSED and takes no more. Does not wait.
  void close();
  // Waits for the decode thread and frees weights and context. After close(), from any thread.
  void join();

 private:
  struct Job {
    uint64_t id;
    Work work;
    Sink sink;
  };

  void check(const Work & work) const;
  void loop();
  bool next(Job & job);
  Event execute(const Job & job) noexcept;

  const EngineOptions options_;
  const Vocabulary vocabulary_;
  const std::vector<Adapter> adapters_;
  Stop stop_;
  std::mutex mutex_;  // guards what follows
  std::condition_variable wake_;
  std::deque<Job> queue_;
  uint64_t lastId_ = 0;
  uint64_t runningId_ = 0;  // 0: none
  std::mutex joining_;
  std::unique_ptr<Runtime> runtime_;  // decode thread only
  std::thread thread_;
};

}  // namespace t1
