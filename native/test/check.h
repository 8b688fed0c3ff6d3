// The least of a test framework: a failed CHECK names its line and ends the program with 1.
#pragma once

#include <cstdio>
#include <cstdlib>
#include <string>

#define CHECK(condition)                                                             \
  do {                                                                               \
    if (!(condition)) {                                                              \
      std::fprintf(stderr, "%s:%d: not true: %s\n", __FILE__, __LINE__, #condition); \
      std::exit(1);                                                                  \
    }                                                                                \
  } while (false)

// The GGUF of test/support/tiny-gguf.mjs, which native/build.mjs writes.
inline std::string tinyModel() {
  const char * path = std::getenv("T1_TEST_GGUF");
  CHECK(path != nullptr);
  return path;
}
