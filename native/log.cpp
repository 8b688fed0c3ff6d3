#include "log.h"

#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <stdexcept>

#include "llama_api.h"

namespace t1 {
namespace {

// Errors go to the thread that caused them; jobs of other engines do not mix in.
thread_local std::string firstError;
thread_local bool continuing = false;

void onLog(ggml_log_level level, const char * text, void *) {
  static const bool print = std::getenv("T1_LLAMA_LOG") != nullptr;
  if (print) {
    static std::mutex printing;  // any thread of any engine: the callback is the process's
    std::lock_guard lock(printing);
    std::fputs(text, stderr);
  }
  const bool error = level == GGML_LOG_LEVEL_ERROR || (level == GGML_LOG_LEVEL_CONT && continuing);
  continuing = error && firstError.find('\n') == std::string::npos;
  if (error && firstError.find('\n') == std::string::npos) firstError += text;
}

thread_local int throwing = 0;

// Called by ggml_abort, which calls abort() after it. The exception passes through that one C function; every frame
// above it is C++ or ours, and llama.cpp's loader itself catches it.
void onAssert(const char * message) {
  if (throwing > 0) {
    const std::string text = message;
    const size_t name = text.find("GGML_");
    throw std::runtime_error("llama.cpp: " + (name == std::string::npos ? text : text.substr(name)));
  }
  std::fprintf(stderr, "%s\n", message);
}

}  // namespace

void captureLog() {
  llama_log_set(onLog, nullptr);
  ggml_set_abort_callback(onAssert);
}

AssertsThrow::AssertsThrow() { ++throwing; }
AssertsThrow::~AssertsThrow() { --throwing; }

void clearLog() {
  firstError.clear();
  continuing = false;
}

std::string loggedReason() {
  std::string line = firstError.substr(0, firstError.find('\n'));
  // "llama_model_load: error loading model: …" → "error loading model: …"
  const size_t colon = line.find(": ");
  if (colon != std::string::npos && line.find(' ') == colon + 1) line.erase(0, colon + 2);
  for (const std::string noise : {"error loading model: ", "failed to apply lora adapter: "}) {
    while (line.starts_with(noise)) line.erase(0, noise.size());
  }
  for (char & c : line) {
    if (static_cast<unsigned char>(c) < 0x20) c = ' ';
  }
  return line;
}

}  // namespace t1
