// llama.cpp's own samplers, to compare with.
#pragma once

#include <memory>

#include "../llama_api.h"

namespace t1 {

struct SamplerDeleter {
  void operator()(llama_sampler * sampler) const { llama_sampler_free(sampler); }
};
using SamplerHandle = std::unique_ptr<llama_sampler, SamplerDeleter>;

}  // namespace t1
