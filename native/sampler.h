// Draws one token from one row of logits: top-k, top-p, min-p, temperature, draw, as llama.cpp's chain does,
// without ever sorting the vocabulary.
#pragma once

#include <cstdint>
#include <random>
#include <vector>

#include "types.h"

namespace t1 {

// Of one sample; the same seed gives the same stream on every platform.
class Random {
 public:
  explicit Random(uint64_t seed) : engine_(seed) {}
  // In [0, 1), 53 bits.
  double uniform() { return static_cast<double>(engine_() >> 11) * 0x1p-53; }

 private:
  std::mt19937_64 engine_;
};

struct Draw {
  Token token = 0;
  float logprob = 0;   // raw distribution: temperature 1, nothing cut
  bool valid = true;   // false: the logits hold no distribution
  bool stuck = false;  // the grammar allows no token
};

struct Candidate {
  Token token;
  float logit;
};

// Higher logit first; among equals the lower id, so that the order is total.
inline bool better(const Candidate & a, const Candidate & b) {
  return a.logit != b.logit ? a.logit > b.logit : a.token < b.token;
}

// Scratch of one thread; rows may use any sampler.
class Sampler {
 public:
  Sampler(const SamplerParams & params, int32_t vocabulary) : params_(params), n_(vocabulary) {}

  Draw draw(const float * logits, Random & random);

  // Of a token that has this logit in the row that was drawn from last, if that was valid: as Draw::logprob.
  float logprob(float logit) const;

  // The candidates that survive top-k, top-p and min-p, best first; for tests.
  std::vector<Candidate> survivors(const float * logits);

 private:
  bool summarise(const float * logits);
  bool cuts() const;
  void gather(const float * logits, float threshold);
  void cut(const float * logits);
  void keepTopK(const float * logits);
  void keepTopP(const float * logits);
  Token greedy(const float * logits) const;
  Token drawCandidate(double u);
  Token drawVocabulary(const float * logits, double u);

  SamplerParams params_;
  int32_t n_;
  float max_ = 0;
  double sum_ = 0;  // Σ exp(logit - max) over the vocabulary
  std::vector<float> maxima_;
  std::vector<float> sums_;
  std::vector<float> scratch_;
  std::vector<double> weights_;
  std::vector<Candidate> candidates_;
};

// Natural log of Σ exp(logit); NaN if the logits hold no distribution.
double logSumExp(const float * logits, int32_t n, std::vector<float> & scratch);

}  // namespace t1
