// A score job: log-probabilities of named tokens at chosen positions of given sequences.
#pragma once

#include "runtime.h"

namespace t1 {

// Throws Failure. Decode thread only.
ScoreDone score(Runtime & runtime, const ScoreJob & job);

}  // namespace t1
