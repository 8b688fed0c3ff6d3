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

void Pool::run(int count, const std::function<void(int, int)> & task) {
  if (count == 1 || threads_.empty()) {
    for (int i = 0; i < count; ++i) task(0, i);
    return;
  }
  {
    std::lock_guard lock(mutex_);
    task_ = &task;
    count_ = count;
    next_ = 0;
    busy_ = static_cast<int>(threads_.size());
    ++round_;
  }
  wake_.notify_all();
  drain(0);
  std::unique_lock lock(mutex_);
  idle_.wait(lock, [this] { return busy_ == 0; });
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

void Pool::drain(int worker) {
  for (int i = next_++; i < count_; i = next_++) (*task_)(worker, i);
}

}  // namespace t1
