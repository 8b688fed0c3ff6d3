#include "weights_check.h"

#include <algorithm>
#include <cmath>
#include <fstream>
#include <vector>

#include "handles.h"

namespace t1 {
namespace {

constexpr size_t kChunk = 1 << 20;  // elements

float element(const char * data, size_t i, ggml_type type) {
  if (type == GGML_TYPE_F32) return reinterpret_cast<const float *>(data)[i];
  const auto half = reinterpret_cast<const uint16_t *>(data)[i];
  return type == GGML_TYPE_F16 ? ggml_fp16_to_fp32(half) : ggml_bf16_to_fp32({half});
}

}  // namespace

std::string unusableWeights(const std::string & path) {
  const GgufHandle file(gguf_init_from_file(path.c_str(), {/*no_alloc=*/true, /*ctx=*/nullptr}));
  std::ifstream data(path, std::ios::binary);
  if (!file || !data) return {};
  std::vector<char> chunk;
  for (int64_t i = 0; i < gguf_get_n_tensors(file.get()); ++i) {
    const ggml_type type = gguf_get_tensor_type(file.get(), i);
    if (type != GGML_TYPE_F32 && type != GGML_TYPE_F16 && type != GGML_TYPE_BF16) continue;
    data.seekg(static_cast<std::streamoff>(gguf_get_data_offset(file.get()) + gguf_get_tensor_offset(file.get(), i)));
    for (size_t left = gguf_get_tensor_size(file.get(), i) / ggml_type_size(type); left > 0;) {
      const size_t count = std::min(left, kChunk);
      chunk.resize(count * ggml_type_size(type));
      if (!data.read(chunk.data(), static_cast<std::streamsize>(chunk.size()))) return {};
      for (size_t e = 0; e < count; ++e) {
        const float value = element(chunk.data(), e, type);
        if (!std::isfinite(value)) {
          return std::string(gguf_get_tensor_name(file.get(), i)) + " holds " +
                 (std::isnan(value) ? "NaN" : "infinity");
        }
      }
      left -= count;
    }
  }
  return {};
}

}  // namespace t1
