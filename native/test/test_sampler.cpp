// Our sampler against llama.cpp's own chain, and its log-probabilities against scalar double arithmetic.
#include <algorithm>
#include <cmath>
#include <random>
#include <set>

#include "check.h"
#include "handles.h"
#include "llama_sampler.h"
#include "sampler.h"

using namespace t1;

namespace {

std::vector<float> randomLogits(size_t n, double deviation, uint64_t seed) {
  std::mt19937_64 engine(seed);
  std::normal_distribution<double> normal(0, deviation);
  std::vector<float> logits(n);
  for (float & x : logits) x = static_cast<float>(normal(engine));
  return logits;
}

double scalarLogSumExp(const std::vector<float> & logits) {
  const double max = *std::max_element(logits.begin(), logits.end());
  double sum = 0;
  for (const float x : logits) sum += std::exp(x - max);
  return max + std::log(sum);
}

std::set<Token> llamaSurvivors(const std::vector<float> & logits, const SamplerParams & params) {
  SamplerHandle chain(llama_sampler_chain_init(llama_sampler_chain_default_params()));
  llama_sampler_chain_add(chain.get(), llama_sampler_init_top_k(params.topK));
  llama_sampler_chain_add(chain.get(), llama_sampler_init_top_p(params.topP, 1));
  llama_sampler_chain_add(chain.get(), llama_sampler_init_min_p(params.minP, 1));
  std::vector<llama_token_data> data;
  for (size_t i = 0; i < logits.size(); ++i) data.push_back({static_cast<llama_token>(i), logits[i], 0});
  llama_token_data_array array{data.data(), data.size(), -1, false};
  llama_sampler_apply(chain.get(), &array);
  std::set<Token> tokens;
  for (size_t i = 0; i < array.size; ++i) tokens.insert(array.data[i].id);
  return tokens;
}

// The border of top-p is decided by a sum of floats there and of doubles here: tokens at the border may differ.
void compareSurvivors(const std::vector<float> & logits, const SamplerParams & params) {
  Sampler sampler(params, static_cast<int32_t>(logits.size()));
  std::set<Token> ours;
  for (const Candidate & c : sampler.survivors(logits.data())) ours.insert(c.token);
  const std::set<Token> theirs = llamaSurvivors(logits, params);
  std::vector<Token> difference;
  std::set_symmetric_difference(ours.begin(), ours.end(), theirs.begin(), theirs.end(), std::back_inserter(difference));
  const size_t border = params.topP < 1 ? 1 + theirs.size() / 1000 : 0;
  if (difference.size() > border) {
    std::fprintf(stderr, "n %zu k %d p %g m %g: ours %zu, llama's %zu, %zu differ\n", logits.size(), params.topK,
                 params.topP, params.minP, ours.size(), theirs.size(), difference.size());
  }
  CHECK(difference.size() <= border);
}

void testSurvivors() {
  uint64_t seed = 0;
  for (const size_t n : {1, 2, 63, 64, 65, 271, 4096, 32003}) {
    for (const double deviation : {0.1, 2.0, 6.0}) {
      if (n > 10000 && deviation != 2.0) continue;
      const std::vector<float> logits = randomLogits(n, deviation, ++seed);
      for (const int32_t k : {0, 1, 2, 40, 1000}) {
        for (const float p : {1.0f, 0.95f, 0.5f, 0.01f}) {
          for (const float m : {0.0f, 0.05f, 1.0f}) compareSurvivors(logits, {1, k, p, m});
        }
      }
    }
  }
}

void testLogprobs() {
  uint64_t seed = 100;
  for (const size_t n : {1, 5, 64, 127, 271, 128256}) {
    for (const double deviation : {0.5, 3.0, 30.0}) {
      const std::vector<float> logits = randomLogits(n, deviation, ++seed);
      const double expected = scalarLogSumExp(logits);
      std::vector<float> scratch;
      CHECK(std::abs(logSumExp(logits.data(), static_cast<int32_t>(n), scratch) - expected) < 1e-4);
      for (const SamplerParams & params :
           {SamplerParams{1, 0, 1, 0}, {0.7f, 40, 0.9f, 0}, {0, 0, 1, 0}, {1.5f, 0, 1, 0}}) {
        Sampler sampler(params, static_cast<int32_t>(n));
        Random random(seed);
        const Draw draw = sampler.draw(logits.data(), random);
        CHECK(draw.valid && draw.token >= 0 && draw.token < static_cast<Token>(n));
        CHECK(std::abs(draw.logprob - (logits[draw.token] - expected)) < 1e-4);
      }
    }
  }
}

// Drawn frequencies against the distribution: chi-squared over 50 tokens, far beyond its 0.999999 quantile is a bug.
void testDistribution() {
  const std::vector<float> logits = randomLogits(200, 1.0, 7);
  for (const SamplerParams & params :
       {SamplerParams{1, 0, 1, 0}, {0.8f, 0, 1, 0}, {0.8f, 50, 1, 0}, {1.3f, 0, 0.9f, 0.01f}}) {
    Sampler sampler(params, 200);
    std::vector<double> expected(200, 0.0);
    double total = 0;
    for (const Candidate & c : sampler.survivors(logits.data())) {
      total += expected[c.token] = std::exp(c.logit / params.temperature);
    }
    std::vector<int> count(200, 0);
    Random random(11);
    constexpr int kDraws = 200000;
    for (int i = 0; i < kDraws; ++i) ++count[sampler.draw(logits.data(), random).token];
    double chi = 0;
    for (size_t t = 0; t < 200; ++t) {
      const double mean = kDraws * expected[t] / total;
      if (mean == 0) CHECK(count[t] == 0);
      if (mean > 0) chi += (count[t] - mean) * (count[t] - mean) / mean;
    }
    CHECK(chi < 320);
  }
}

void testEdges() {
  std::vector<float> logits(100, 1.0f);
  Random random(1);
  CHECK(Sampler({0, 0, 1, 0}, 100).draw(logits.data(), random).token == 0);  // the lowest id wins a tie
  logits[70] = 2;
  CHECK(Sampler({0, 0, 1, 0}, 100).draw(logits.data(), random).token == 70);
  CHECK(Sampler({1, 1, 1, 0}, 100).draw(logits.data(), random).token == 70);
  for (size_t i = 0; i < 100; ++i) logits[i] = i == 42 ? 0.0f : -INFINITY;
  for (const SamplerParams & params : {SamplerParams{1, 0, 1, 0}, {1, 5, 1, 0}, {1, 0, 0.5f, 0}, {1, 0, 1, 0.1f}}) {
    const Draw draw = Sampler(params, 100).draw(logits.data(), random);
    CHECK(draw.valid && draw.token == 42 && std::abs(draw.logprob) < 1e-6);
  }
  for (const float bad : {NAN, INFINITY}) {
    for (const size_t at : {0, 63, 64, 99}) {
      std::vector<float> broken(100, 0.5f);
      broken[at] = bad;
      CHECK(!Sampler({1, 0, 1, 0}, 100).draw(broken.data(), random).valid);
    }
  }
  std::vector<float> none(100, -INFINITY);
  CHECK(!Sampler({0, 0, 1, 0}, 100).draw(none.data(), random).valid);
}

void testSeeds() {
  const std::vector<float> logits = randomLogits(1000, 1, 3);
  Sampler sampler({1, 0, 1, 0}, 1000);
  const auto draws = [&](uint64_t seed) {
    Random random(seed);
    std::vector<Token> tokens;
    for (int i = 0; i < 20; ++i) tokens.push_back(sampler.draw(logits.data(), random).token);
    return tokens;
  };
  CHECK(draws(5) == draws(5));
  CHECK(draws(5) != draws(6));
}

}  // namespace

int main() {
  testSurvivors();
  testLogprobs();
  testDistribution();
  testEdges();
  testSeeds();
}
