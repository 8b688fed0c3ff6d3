// llama.cpp's log, kept instead of printed: its last error line explains a null pointer.
#pragma once

#include <string>

namespace t1 {

void captureLog();

// Forgets what this thread has logged.
void clearLog();

// The first error that llama.cpp logged on this thread since clearLog(), without its function prefix.
// The first names the cause; those after it only say that a caller failed too.
std::string lastLogLine();

}  // namespace t1
