// Looks at a file before llama.cpp does: what is refused here would be a vague message there, or an abort.
#pragma once

#include <string>

#include "error.h"

namespace t1 {

// Throws Failure, FILE_NOT_FOUND or `invalid`, with a reason. `what` the file is to be, for the message.
void checkGguf(const std::string & path, const std::string & what, Code invalid);

}  // namespace t1
