// The one kind of failure native code reports: a stable code (see src/errors.ts) and a one-line message.
#pragma once

#include <cstdint>
#include <exception>
#include <optional>
#include <stdexcept>
#include <string>

namespace t1 {

enum class Code {
  Usage,
  FileNotFound,
  ModelInvalid,
  AdapterInvalid,
  PromptTooLong,
  OutOfMemory,
  DecodeFailed,
  QueueFull,
  Disposed,
  Aborted,
  Internal,
};
inline constexpr int kCodes = static_cast<int>(Code::Internal) + 1;  // Internal is the last

// The code's name in src/errors.ts.
const char * codeName(Code code);

// Never leaves the thread that throws it but as a value: a job's last event, or what Pool::run() returns.
class Failure : public std::runtime_error {
 public:
  Failure(Code code, const std::string & message) : std::runtime_error(message), code(code) {}
  Code code;
};

// What was thrown, as a Failure: OUT_OF_MEMORY for want of memory, INTERNAL for what is no Failure itself.
Failure toFailure(const std::exception_ptr & error);

// Runs `body` and returns what it failed with.
template <typename Body>
std::optional<Failure> failureOf(Body body) {
  try {
    body();
    return std::nullopt;
  } catch (...) {
    return toFailure(std::current_exception());
  }
}

// Throws for every return value of llama_decode but 0. `stopped`: the abort callback answered true.
void checkDecode(int32_t status, bool stopped);

std::string mebibytes(double bytes);

}  // namespace t1
