#include "sampler.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "logits.h"

namespace t1 {
namespace {

// Shrinks `candidates` to its best ones, as few as reach `mass` together. weight(c) > 0.
// Quickselect by mass: a nearly flat distribution keeps most of a vocabulary, sorting it would be slow.
template <typename Weight>
void keepMass(std::vector<Candidate> & candidates, double mass, Weight weight) {
  auto first = candidates.begin();
  auto last = candidates.end();
  while (last - first > 64) {
    auto middle = first + (last - first) / 2;
    std::nth_element(first, middle, last, better);
    double left = 0;
    for (auto c = first; c != middle; ++c) left += weight(*c);
    if (left >= mass) {
      last = middle;
    } else {
      mass -= left;
      first = middle;
    }
  }
  std::sort(first, last, better);
  while (first != last) {
    mass -= weight(*first++);
    if (mass <= 0) break;
  }
  candidates.erase(first, candidates.end());
}

}  // namespace

double logSumExp(const float * logits, int32_t n, std::vector<float> & scratch) {
  const auto size = static_cast<size_t>(n);
  if (!blockMaxima(logits, size, scratch)) return std::numeric_limits<double>::quiet_NaN();
  const float max = *std::max_element(scratch.begin(), scratch.end());
  return max + std::log(blockExpSums(logits, size, max, 1.0f, scratch));
}

bool Sampler::summarise(const float * logits) {
  if (!blockMaxima(logits, static_cast<size_t>(n_), maxima_)) return false;
  max_ = *std::max_element(maxima_.begin(), maxima_.end());
  sum_ = blockExpSums(logits, static_cast<size_t>(n_), max_, 1.0f, sums_);
  return true;
}

bool Sampler::cuts() const {
  return (params_.topK > 0 && params_.topK < n_) || params_.topP < 1.0f || params_.minP > 0.0f;
}

Draw Sampler::draw(const float * logits, Random & random) {
  if (!summarise(logits)) return {.valid = false};
  Draw draw;
  // One number per token whatever the settings are, so that a row's stream does not depend on them.
  const double u = random.uniform();
  if (params_.temperature <= 0) {
    draw.token = greedy(logits);
  } else if (cuts()) {
    cut(logits);
    draw.token = drawCandidate(u);
  } else {
    draw.token = drawVocabulary(logits, u);
  }
  draw.logprob = logprob(logits[draw.token]);
  return draw;
}

float Sampler::logprob(float logit) const { return static_cast<float>(logit - max_ - std::log(sum_)); }

std::vector<Candidate> Sampler::survivors(const float * logits) {
  if (!summarise(logits)) return {};
  cut(logits);
  std::sort(candidates_.begin(), candidates_.end(), better);
  return candidates_;
}

void Sampler::cut(const float * logits) {
  if (params_.topK > 0 && params_.topK < n_) {
    keepTopK(logits);
    if (params_.topP < 1.0f) {
      double total = 0;
      const auto weight = [this](const Candidate & c) { return std::exp(static_cast<double>(c.logit - max_)); };
      for (const Candidate & c : candidates_) total += weight(c);
      keepMass(candidates_, total * params_.topP, weight);
    }
  } else if (params_.topP < 1.0f) {
    keepTopP(logits);
  } else {
    gather(logits, params_.minP > 0 ? max_ + std::log(params_.minP) : -INFINITY);
  }
  if (params_.minP > 0) {
    const float threshold = max_ + std::log(params_.minP);
    std::erase_if(candidates_,
                  [this, threshold](const Candidate & c) { return c.logit < threshold && c.logit < max_; });
  }
}

// All tokens with a logit of at least `threshold`, by id.
void Sampler::gather(const float * logits, float threshold) {
  candidates_.clear();
  for (size_t b = 0; b < maxima_.size(); ++b) {
    if (maxima_[b] < threshold) continue;
    const auto begin = static_cast<Token>(b * kBlock);
    const Token end = std::min(n_, begin + static_cast<Token>(kBlock));
    for (Token t = begin; t < end; ++t) {
      if (logits[t] >= threshold) candidates_.push_back({t, logits[t]});
    }
  }
}

// The k-th largest block maximum is a lower bound of the k-th largest logit: k logits reach it.
void Sampler::keepTopK(const float * logits) {
  const auto k = static_cast<size_t>(params_.topK);
  float bound = -INFINITY;
  if (k < maxima_.size()) {
    scratch_ = maxima_;
    std::nth_element(scratch_.begin(), scratch_.begin() + (k - 1), scratch_.end(), std::greater<>());
    bound = scratch_[k - 1];
  }
  gather(logits, bound);
  if (candidates_.size() > k) {
    std::nth_element(candidates_.begin(), candidates_.begin() + k, candidates_.end(), better);
    candidates_.resize(k);
  }
  std::sort(candidates_.begin(), candidates_.end(), better);
}

// The best tokens that hold topP of the whole mass. Most rows need few: look further down only if they miss it.
void Sampler::keepTopP(const float * logits) {
  const double mass = sum_ * params_.topP;
  const auto weight = [this](const Candidate & c) { return std::exp(static_cast<double>(c.logit - max_)); };
  for (const float depth : {5.0f, 10.0f, INFINITY}) {
    gather(logits, max_ - depth);
    double gathered = 0;
    for (const Candidate & c : candidates_) gathered += weight(c);
    if (gathered >= mass) break;
  }
  keepMass(candidates_, mass, weight);
}

Token Sampler::greedy(const float * logits) const {
  const auto block = std::find(maxima_.begin(), maxima_.end(), max_) - maxima_.begin();
  auto token = static_cast<Token>(block * static_cast<ptrdiff_t>(kBlock));
  while (logits[token] != max_) ++token;
  return token;
}

Token Sampler::drawCandidate(double u) {
  weights_.resize(candidates_.size());
  double total = 0;
  for (size_t i = 0; i < candidates_.size(); ++i) {
    weights_[i] = std::exp(static_cast<double>(candidates_[i].logit - max_) / params_.temperature);
    total += weights_[i];
  }
  double target = u * total;
  for (size_t i = 0; i + 1 < candidates_.size(); ++i) {
    target -= weights_[i];
    if (target < 0) return candidates_[i].token;
  }
  return candidates_.back().token;
}

Token Sampler::drawVocabulary(const float * logits, double u) {
  const float scale = 1.0f / params_.temperature;
  const double total = scale == 1.0f ? sum_ : blockExpSums(logits, static_cast<size_t>(n_), max_, scale, sums_);
  double target = u * total;
  size_t block = 0;
  while (block + 1 < sums_.size() && target >= sums_[block]) target -= sums_[block++];
  const auto begin = static_cast<Token>(block * kBlock);
  const Token end = std::min(n_, begin + static_cast<Token>(kBlock));
  Token last = begin;  // rounding can leave a remainder: the last token that has any mass takes it
  for (Token t = begin; t < end; ++t) {
    const double weight = std::exp(static_cast<double>(logits[t] - max_) * scale);
    if (weight <= 0) continue;
    last = t;
    target -= weight;
    if (target < 0) break;
  }
  return last;
}

}  // namespace t1
