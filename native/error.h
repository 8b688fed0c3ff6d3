// The one kind of failure native code reports: a stable code (see src/errors.ts) and a one-line message.
#pragma once

#include <cstdint>
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

// Thrown inside one thread only; Engine turns it into an event before it could leave the decode thread.
class Failure : public std::runtime_error {
 public:
  Failure(Code code, const std::string & message) : std::runtime_error(message), code(code) {}
  Code code;
};

// Throws for every return value of llama_decode but 0. `stopped`: the abort callback answered true.
void checkDecode(int32_t status, bool stopped);

std::string mebibytes(double bytes);

}  // namespace t1
