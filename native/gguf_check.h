// Looks at a file before llama.cpp does: what is refused here would be a vague message there, or an abort.
#pragma once

#include <string>

namespace t1 {

// Throws Failure (FILE_NOT_FOUND, MODEL_INVALID) with a reason.
void checkGguf(const std::string & path);

}  // namespace t1
