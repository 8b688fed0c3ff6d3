// Looks for what is wrong with a model's weights, once something is.
#pragma once

#include <string>

namespace t1 {

// The first tensor of the GGUF with a NaN or an infinity in it, as "blk.3.ffn_down.weight holds NaN"; of F32, F16 and
// BF16 tensors, for the blocks of quantised ones cannot be told apart from sound ones so simply. Empty if there is
// none, or the file cannot be read any more. Reads the whole file.
std::string unusableWeights(const std::string & path);

}  // namespace t1
