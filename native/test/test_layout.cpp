// Which KV layout is chosen for which work.
#include "../layout.h"

#include <cmath>

#include "check.h"

using namespace t1;

namespace {

// As measured for a 135M model in Q8_0 on two cores.
const KvCosts costs = {0.0063, 0.0039, 0.0034, 1e-6, 5.6e-7, 1.4e-6};

Workload samples(double lanes, double length, double fresh) { return {lanes, length, lanes, fresh}; }

void testManySequencesGoSplit() { CHECK(chooseLayout(costs, samples(128, 200, 160), 256, 256) == KvLayout::Split); }

// Copying a long prompt for each of a few short samples costs more than what the others' cells cost.
void testLongPromptsWithFewTokensGoUnified() {
  CHECK(chooseLayout(costs, samples(8, 8000, 4), 256, 256) == KvLayout::Unified);
}

void testBudgetCounts() {
  // A decode has a fixed part, so eight at a time beat one at a time.
  const KvCosts heavy = {1, 0.001, 0.001, 1e-9, 1e-9, 1e-9};
  CHECK(chooseLayout(heavy, samples(64, 1000, 100), 64, 64) == KvLayout::Split);
  CHECK(chooseLayout(heavy, samples(64, 1000, 100), 8, 64) == KvLayout::Unified);
}

void testWithoutCosts() {
  CHECK(chooseLayout({}, samples(64, 1000, 100), 64, 64) == KvLayout::Split);
  CHECK(chooseLayout({}, samples(64, 1000, 100), 40, 64) == KvLayout::Split);
  CHECK(chooseLayout({}, samples(64, 1000, 100), 32, 64) == KvLayout::Unified);
}

// Both by hand: 10 lanes, 5 at a time, a prompt of 100 tokens that all share, 20 new tokens.
void testPrediction() {
  const KvCosts simple = {2, 0.5, 0.25, 0.01, 0.001, 0.1};
  const Workload work = samples(10, 100, 20);
  const double split = 40 * 2 + 200 * (0.5 + 0.01 * 110) + 1000 * 0.1;
  const double unified = 40 * 2 + 200 * (0.25 + 0.001 * (100 + 5 * 10));
  CHECK(std::abs(predictedSeconds(simple, work, KvLayout::Split, 5) - split) < 1e-9);
  CHECK(std::abs(predictedSeconds(simple, work, KvLayout::Unified, 5) - unified) < 1e-9);
}

}  // namespace

int main() {
  testManySequencesGoSplit();
  testLongPromptsWithFewTokensGoUnified();
  testBudgetCounts();
  testWithoutCosts();
  testPrediction();
}
