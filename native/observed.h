// A value that one thread changes and others read.
#pragma once

#include <mutex>

namespace t1 {

template <typename Value>
class Observed {
 public:
  Value read() const {
    std::lock_guard lock(mutex_);
    return value_;
  }
  template <typename Change>
  void change(Change change) {
    std::lock_guard lock(mutex_);
    change(value_);
  }

 private:
  mutable std::mutex mutex_;
  Value value_;
};

}  // namespace t1
