#include "pool.h"

namespace t1 {

Pool::Pool(int workers) {
  for (int worker = 1; worker < workers; ++worker) {
    threads_.emplace_back([this, worker] { loop(worker); });
  }
}

Pool::~Pool() {
  {
    std::lock_guard lock(mutex_);
    closing_ = true;
  }
  wake_.notify_all();
  for (auto & thread : threads_) thread.join();
}

Pool::Errors Pool::run(int count, const Task & task) {
  Errors errors(static_cast<size_t>(count));
  {
    std::lock_guard lock(mutex_);
    task_ = &task;
    errors_ = errors.data();
    count_ = count;
    next_ = 0;
    if (count > 1) {
      busy_ = static_cast<int>(threads_.size());
      ++round_;
    }
  }
  if (count > 1) wake_.notify_all();
  drain(0);
  std::unique_lock lock(mutex_);
  idle_.wait(lock, [this] { return busy_ == 0; });
  return errors;
}

void Pool::loop(int worker) {
  unsigned seen = 0;
  while (true) {
    {
      std::unique_lock lock(mutex_);
      wake_.wait(lock, [&] { return closing_ || round_ != seen; });
      if (closing_) return;
      seen = round_;
    }
    drain(worker);
    std::lock_guard lock(mutex_);
    if (--busy_ == 0) idle_.notify_one();
  }
}

// Nothing leaves it: an exception on a helper would end the process, and one here would leave helpers in a task that is
// gone.
void Pool::drain(int worker) noexcept {
  for (int i = next_++; i < count_; i = next_++) {
    try {
      (*task_)(worker, i);
    } catch (...) {
      errors_[i] = std::current_exception();
    }
  }
}

}  // namespace t1
