// What llama.cpp says when it fails, kept instead of printed: its log, and the text of its assertions.
#pragma once

#include <string>

namespace t1 {

// Once per process, whatever threads load engines: initBackend() sees to it.
void captureLog();

// Forgets what this thread has logged.
void clearLog();

// The first error that llama.cpp logged on this thread since clearLog(), without its function prefix.
// The first names the cause; those after it only say that a caller failed too.
std::string loggedReason();

// While one exists, a failed GGML_ASSERT on this thread throws std::runtime_error instead of ending the process.
// Hostile metadata reaches such assertions. Only for code of llama.cpp that runs on this thread alone (loading,
// tokenizing, making a context): a computation has other threads that would wait for ever.
class AssertsThrow {
 public:
  AssertsThrow();
  ~AssertsThrow();
  AssertsThrow(const AssertsThrow &) = delete;
  AssertsThrow & operator=(const AssertsThrow &) = delete;
};

}  // namespace t1
