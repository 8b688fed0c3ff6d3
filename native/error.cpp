#include "error.h"

#include <cmath>
#include <new>

#include "log.h"

namespace t1 {

const char * codeName(Code code) {
  switch (code) {
    case Code::Usage: return "USAGE";
    case Code::FileNotFound: return "FILE_NOT_FOUND";
    case Code::ModelInvalid: return "MODEL_INVALID";
    case Code::AdapterInvalid: return "ADAPTER_INVALID";
    case Code::PromptTooLong: return "PROMPT_TOO_LONG";
    case Code::OutOfMemory: return "OUT_OF_MEMORY";
    case Code::DecodeFailed: return "DECODE_FAILED";
    case Code::QueueFull: return "QUEUE_FULL";
    case Code::Disposed: return "DISPOSED";
    case Code::Aborted: return "ABORTED";
    case Code::Internal: return "INTERNAL";
  }
  return "INTERNAL";
}

Failure toFailure(const std::exception_ptr & error) {
  try {
    std::rethrow_exception(error);
  } catch (const Failure & failure) {
    return failure;
  } catch (const std::bad_alloc &) {
    return Failure(Code::OutOfMemory, "out of memory");
  } catch (const std::exception & other) {
    return Failure(Code::Internal, other.what());
  } catch (...) {
    return Failure(Code::Internal, "unknown failure");
  }
}

void checkDecode(int32_t status, bool stopped) {
  if (status == 0) return;
  // A stop can also surface as a failed graph on backends that know no abort.
  if (status == 2 || stopped) throw Failure(Code::Aborted, "stopped while decoding");
  const std::string reason = loggedReason();
  const std::string suffix = reason.empty() ? "" : ": " + reason;
  switch (status) {
    case 1: throw Failure(Code::OutOfMemory, "no free cells in the KV cache" + suffix);
    case -1: throw Failure(Code::Internal, "llama.cpp refused the batch" + suffix);
    case -2: throw Failure(Code::OutOfMemory, "llama.cpp could not get memory for the batch" + suffix);
    default: throw Failure(Code::DecodeFailed, "llama_decode failed with " + std::to_string(status) + suffix);
  }
}

std::string mebibytes(double bytes) {
  return std::to_string(static_cast<int64_t>(std::ceil(bytes / (1024.0 * 1024.0)))) + " MiB";
}

}  // namespace t1
