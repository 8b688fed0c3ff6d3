// Measures what a decode costs in each layout of the KV cache. Decode thread only.
#pragma once

#include "runtime.h"

namespace t1 {

// Some seconds' work for a model of a billion weights on two cores, less for smaller ones. Uses contexts of its own,
// within the memory budget. Throws Failure (ABORTED, DISPOSED, OUT_OF_MEMORY if the budget has no room to measure in).
KvCosts calibrate(const Runtime & runtime);

}  // namespace t1
