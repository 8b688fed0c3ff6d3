// A sample job: prefill once, share the prefix, decode all rows together, sample each, until all are done.
#pragma once

#include "runtime.h"

namespace t1 {

// Sends Sample and Progress events, returns the job's usage. Throws Failure. Decode thread only.
Usage generate(Runtime & runtime, const SampleJob & job, const Sink & sink);

}  // namespace t1
