// Helper threads: each task once, and no exception leaves a thread.
#include <atomic>
#include <new>
#include <stdexcept>

#include "../error.h"
#include "../pool.h"
#include "check.h"

using namespace t1;

namespace {

void testThrowingTasks(int workers) {
  Pool pool(workers);
  for (int round = 0; round < 300; ++round) {
    const int count = round % 20;
    std::vector<std::atomic<int>> calls(static_cast<size_t>(count));
    const auto throws = [round](int i) { return (i + round) % 3 == 0; };
    const Pool::Errors errors = pool.run(count, [&](int worker, int i) {
      CHECK(worker >= 0 && worker < workers);
      ++calls[static_cast<size_t>(i)];
      if (throws(i)) throw Failure(Code::Usage, "task " + std::to_string(i));
    });
    CHECK(errors.size() == calls.size());
    for (int i = 0; i < count; ++i) {
      CHECK(calls[static_cast<size_t>(i)] == 1);
      const std::exception_ptr & error = errors[static_cast<size_t>(i)];
      CHECK((error != nullptr) == throws(i));
      if (!error) continue;
      const Failure failure = toFailure(error);
      CHECK(failure.code == Code::Usage && failure.what() == "task " + std::to_string(i));
    }
  }
}

void testWhatIsThrown() {
  Pool pool(2);
  const Pool::Errors errors = pool.run(3, [](int, int i) {
    if (i == 0) throw std::bad_alloc();
    if (i == 1) throw std::runtime_error("why");
    throw 7;
  });
  CHECK(toFailure(errors[0]).code == Code::OutOfMemory);
  CHECK(toFailure(errors[1]).code == Code::Internal && toFailure(errors[1]).what() == std::string("why"));
  CHECK(toFailure(errors[2]).code == Code::Internal);
}

}  // namespace

int main() {
  for (const int workers : {1, 2, 4}) testThrowingTasks(workers);
  testWhatIsThrown();
}
