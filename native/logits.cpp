#include "logits.h"

#include <cmath>
#include <cstdint>
#include <cstring>

// One binary for every x86-64: the widest clone the machine knows is picked at load.
// The sanitizers' start-up does not survive the resolver functions that this needs.
#if defined(__x86_64__) && defined(__linux__) && defined(__GNUC__) && !defined(__clang__) && \
    !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define T1_CLONES __attribute__((target_clones("avx512f", "avx2", "default")))
#else
#define T1_CLONES
#endif

namespace t1 {
namespace {

constexpr size_t kLanes = 16;
static_assert(kBlock % kLanes == 0);

// exp(x) for x <= 0, to about 2 units in the last place; 0 below -87.
// Cephes' degree-5 polynomial around the nearest multiple of ln 2.
inline __attribute__((always_inline)) float expNonPositive(float x) {
  const float clamped = x < -87.0f ? -87.0f : x;
  const float shifted = clamped * 1.44269504f + 12582912.0f;  // + 1.5 * 2^23 rounds to nearest
  const float n = shifted - 12582912.0f;
  const float r = clamped - n * 0.693359375f + n * 2.12194440e-4f;
  float p = 1.9875691500e-4f;
  p = p * r + 1.3981999507e-3f;
  p = p * r + 8.3334519073e-3f;
  p = p * r + 4.1665795894e-2f;
  p = p * r + 1.6666665459e-1f;
  p = p * r + 5.0000001201e-1f;
  p = p * r * r + r + 1.0f;
  int32_t bits;
  std::memcpy(&bits, &shifted, sizeof bits);
  bits = (bits + 127 - 0x4b400000) << 23;  // 0x4b400000 is 1.5 * 2^23
  float power;
  std::memcpy(&power, &bits, sizeof power);
  return x < -87.0f ? 0.0f : p * power;
}

T1_CLONES void maximaOfFullBlocks(const float * logits, size_t blocks, float * maxima, int32_t * invalid) {
  int32_t bad[kLanes] = {};
  for (size_t b = 0; b < blocks; ++b) {
    const float * block = logits + b * kBlock;
    float best[kLanes];
    for (size_t l = 0; l < kLanes; ++l) best[l] = block[l];
    for (size_t i = 0; i < kBlock; i += kLanes) {
      for (size_t l = 0; l < kLanes; ++l) {
        const float x = block[i + l];
        bad[l] |= !(x <= 3.4028235e38f);  // NaN and +inf
        best[l] = best[l] > x ? best[l] : x;
      }
    }
    float most = best[0];
    for (size_t l = 1; l < kLanes; ++l) most = most > best[l] ? most : best[l];
    maxima[b] = most;
  }
  for (size_t l = 0; l < kLanes; ++l) *invalid |= bad[l];
}

T1_CLONES void sumsOfFullBlocks(const float * logits, size_t blocks, float max, float scale, float * sums) {
  for (size_t b = 0; b < blocks; ++b) {
    const float * block = logits + b * kBlock;
    float sum[kLanes] = {};
    for (size_t i = 0; i < kBlock; i += kLanes) {
      for (size_t l = 0; l < kLanes; ++l) sum[l] += expNonPositive((block[i + l] - max) * scale);
    }
    float total = 0;
    for (size_t l = 0; l < kLanes; ++l) total += sum[l];
    sums[b] = total;
  }
}

}  // namespace

bool blockMaxima(const float * logits, size_t n, std::vector<float> & maxima) {
  const size_t full = n / kBlock;
  maxima.resize((n + kBlock - 1) / kBlock);
  int32_t invalid = 0;
  maximaOfFullBlocks(logits, full, maxima.data(), &invalid);
  if (full < maxima.size()) {
    float most = -INFINITY;
    for (size_t i = full * kBlock; i < n; ++i) {
      invalid |= !(logits[i] <= 3.4028235e38f);
      most = logits[i] > most ? logits[i] : most;
    }
    maxima[full] = most;
  }
  float most = -INFINITY;
  for (float m : maxima) most = m > most ? m : most;
  return !invalid && most > -INFINITY;
}

double blockExpSums(const float * logits, size_t n, float max, float scale, std::vector<float> & sums) {
  const size_t full = n / kBlock;
  sums.resize((n + kBlock - 1) / kBlock);
  sumsOfFullBlocks(logits, full, max, scale, sums.data());
  if (full < sums.size()) {
    float total = 0;
    for (size_t i = full * kBlock; i < n; ++i) total += std::exp((logits[i] - max) * scale);
    sums[full] = total;
  }
  double total = 0;
  for (float s : sums) total += s;
  return total;
}

}  // namespace t1
