// Helper threads for work between two decodes (sampling, log-probabilities).
#pragma once

#include <atomic>
#include <condition_variable>
#include <exception>
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

  using Task = std::function<void(int worker, int i)>;
  // [count] what task i threw; null: it went well.
  using Errors = std::vector<std::exception_ptr>;

  // Calls task(worker, i) once for each i < count, whatever others throw, and returns when all are done and no helper
  // is in one any more. Throws std::bad_alloc, before it has begun. One caller at a time.
  [[nodiscard]] Errors run(int count, const Task & task);

 private:
  void loop(int worker);
  void drain(int worker) noexcept;

  std::mutex mutex_;
  std::condition_variable wake_;
  std::condition_variable idle_;
  const Task * task_ = nullptr;
  std::exception_ptr * errors_ = nullptr;
  int count_ = 0;
  std::atomic<int> next_{0};
  int busy_ = 0;  // helpers still in the current round
  unsigned round_ = 0;
  bool closing_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace t1
