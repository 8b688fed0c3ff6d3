// The most likely tokens of a row against sorting the whole of it.
#include <algorithm>
#include <cmath>
#include <random>

#include "check.h"
#include "top_logprobs.h"

using namespace t1;

namespace {

void expectSorted(const std::vector<float> & logits, int32_t k) {
  std::vector<Candidate> all;
  for (size_t t = 0; t < logits.size(); ++t) all.push_back({static_cast<Token>(t), logits[t]});
  std::sort(all.begin(), all.end(), [](const Candidate & a, const Candidate & b) {
    return a.logit != b.logit ? a.logit > b.logit : a.token < b.token;
  });
  static TopTokens top;  // its scratch is used again
  const auto & found = top.find(logits.data(), static_cast<int32_t>(logits.size()), k);
  CHECK(found.size() == std::min(all.size(), static_cast<size_t>(k)));
  for (size_t i = 0; i < found.size(); ++i) CHECK(found[i].token == all[i].token && found[i].logit == all[i].logit);
}

}  // namespace

int main() {
  std::mt19937 random(1);
  for (const size_t n : {1, 5, 20, 63, 64, 65, 271, 1300, 5000}) {
    for (int32_t k = 1; k <= kMostTop; ++k) {
      std::vector<float> logits(n);
      for (float & logit : logits) logit = static_cast<float>(random() % 1000) / 50;
      expectSorted(logits, k);
      for (float & logit : logits) {
        logit = random() % 5 > 0 ? -INFINITY : static_cast<float>(random() % 3);  // many alike, many impossible
      }
      logits[random() % n] = 1;
      expectSorted(logits, k);
      std::fill(logits.begin(), logits.end(), 1.0f);
      expectSorted(logits, k);
    }
  }
}
