// Classification heads: which GGUFs have one, and whether it can be used.
#pragma once

#include <optional>
#include <string>

#include "types.h"

namespace t1 {

// The head that the file has beside, or instead of, the language head; nothing if it has none. Throws Failure
// (MODEL_INVALID).
std::optional<Head> findHead(const std::string & path, const std::string & architecture);

// Throws Failure if there is none that can be used: USAGE where there is none, MODEL_INVALID where there is one that T1
// cannot use.
void requireHead(const std::string & path, const ModelInfo & info);

}  // namespace t1
