// Classification heads: which GGUFs have one that can be used.
#pragma once

#include <string>

#include "types.h"

namespace t1 {

// Whether the file has a classification head, of an architecture for which T1 can use it.
bool hasClassifier(const std::string & path, const ModelInfo & info);

// Throws Failure if it does not: USAGE where there is no head, MODEL_INVALID where there is one that T1 cannot use.
void requireClassifier(const std::string & path, const ModelInfo & info);

}  // namespace t1
