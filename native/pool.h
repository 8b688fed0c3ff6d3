// Helper threads for work between two decodes (sampling, log-probabilities).
#pragma once

#include <atomic>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace t1 {

class Pool {
 public:
  // `workers` counts the calling thread.
  explicit Pool(int workers);
  ~Pool();
  Pool(const Pool &) = delete;
  Pool & operator=(const Pool &) = delete;

  int workers() const { return static_cast<int>(threads_.size()) + 1; }

  // Calls task(worker, i) once for each i < count and returns when all are done. `task` must not throw.
  // One caller at a time.
  void run(int count, const std::function<void(int worker, int i)> & task);

 private:
  void loop(int worker);
  void drain(int worker);

  std::mutex mutex_;
  std::condition_variable wake_;
  std::condition_variable idle_;
  const std::function<void(int, int)> * task_ = nullptr;
  int count_ = 0;
  std::atomic<int> next_{0};
  int busy_ = 0;        // helpers still in the current round
  unsigned round_ = 0;
  bool closing_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace t1
