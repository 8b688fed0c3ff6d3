// The order in which jobs get places, decode by decode: the scheduler alone, on this thread.
#include <algorithm>
#include <cmath>
#include <string>

#include "../scheduler.h"
#include "check.h"

using namespace t1;

namespace {

EngineOptions twoPlaces(KvLayout kv) {
  EngineOptions o;
  o.path = tinyModel();
  o.threads = 1;
  o.kv = kv;
  o.memoryBytes = 2 * 256 * 256;  // two sequences of 256 cells, of 256 bytes each
  return o;
}

// A scheduler with what it needs, and what its jobs have sent: a letter for each sample, and for each end of a job that
// scores.
struct Bench {
  explicit Bench(KvLayout kv)
      : options(twoPlaces(kv)),
        vocabulary(options.path),
        runtime(options, vocabulary, adapters, stop),
        scheduler(runtime, statistics) {
    stop.wanted = 1;
  }

  void add(char name, Work work) {
    auto ticket = std::make_shared<Ticket>(
        std::move(work),
        [this, name](Event event) {
          CHECK(!std::holds_alternative<Failure>(event));
          if (std::holds_alternative<Sample>(event) || std::holds_alternative<ScoreDone>(event)) order += name;
        },
        0);
    ticket->id = ++lastId;
    scheduler.add(ticket);
  }

  // All of the same length: no sample ends before that.
  SampleJob sampling(size_t samples, int64_t ordinal, Token first) const {
    SampleJob job;
    job.prompts.push_back({std::vector<Token>(20, first), std::vector<uint64_t>(samples, 1)});
    job.maxTokens = 100;
    job.ordinal = ordinal;
    for (Token token = 0; token < vocabulary.size(); ++token) {
      if (vocabulary.isEog(token)) job.bias.emplace_back(token, -INFINITY);
    }
    return job;
  }

  std::string finish() {
    for (int steps = 0; scheduler.busy(); ++steps) {
      CHECK(steps < 10'000);
      scheduler.step();
    }
    return order;
  }

  const EngineOptions options;
  Vocabulary vocabulary;
  const std::vector<Adapter> adapters;
  Stop stop;
  Runtime runtime;
  Observed<Statistics> statistics;
  Scheduler scheduler;
  std::string order;
  uint64_t lastId = 0;
};

ScoreJob scoring(int64_t ordinal, Token first) {
  ScoreJob job;
  job.sequences = {{std::vector<Token>(20, first), {19}}};
  job.targets = {65};
  job.ordinal = ordinal;
  return job;
}

// A batch job of an earlier problem goes before all that wait, whenever it comes; nothing that runs loses its place.
void testOrdinals(KvLayout kv) {
  Bench bench(kv);
  bench.add('b', bench.sampling(2, 9, 60));
  bench.add('a', bench.sampling(6, 7, 70));
  for (int step = 0; step < 4; ++step) bench.scheduler.step();  // as many of a's run as find room
  bench.add('c', bench.sampling(4, 3, 80));
  bench.add('s', scoring(3, 90));             // after c, which came first
  bench.add('d', bench.sampling(2, 7, 100));  // after a, which came first
  std::string order = bench.finish();
  if (kv == KvLayout::Split) {
    CHECK(order == "aaccccsaaaaddbb");
    return;
  }
  // Four of a's share their prompt's cells, and there are always places for what is short enough. So not by arrival,
  // but still by ordinal.
  CHECK(std::erase(order, 's') == 1);
  std::replace(order.begin(), order.end(), 'd', 'a');
  CHECK(order == "aaaaccccaaaabb");
}

void testPriorityBeforeOrdinal(KvLayout kv) {
  Bench bench(kv);
  bench.add('a', bench.sampling(4, 0, 60));
  for (int step = 0; step < 4; ++step) bench.scheduler.step();
  SampleJob now = bench.sampling(2, 1'000'000'000'000, 70);
  now.priority = Priority::Interactive;
  bench.add('i', now);
  // Unified: it takes two of the four that run, and those that are left have begun before it.
  CHECK(bench.finish() == (kv == KvLayout::Split ? "iiaaaa" : "aaiiaa"));
}

// A GPU's free memory is asked for while no context of ours holds a part of it, and not for every decode.
void testBudget() {
  EngineOptions options = twoPlaces(KvLayout::Split);
  options.memoryBytes = 0;
  bool held = false;
  double free = 1 << 20;
  int asked = 0;
  options.freeBytes = [&] {
    CHECK(!held);
    ++asked;
    return free;
  };
  Vocabulary vocabulary(options.path);
  const std::vector<Adapter> adapters;
  Stop stop;
  stop.wanted = 1;
  Runtime runtime(options, vocabulary, adapters, stop);
  runtime.prepareWeights();
  CHECK(runtime.memoryBudget() == (1 << 19));
  runtime.makeContext({2, 256});
  held = true;
  CHECK(runtime.memoryBudget() == (1 << 19) && runtime.cellBudget() == (1 << 19) / 256);
  CHECK(asked == 1);
  held = false;
  free = 1 << 21;
  runtime.dropContext();
  CHECK(runtime.memoryBudget() == (1 << 20));
  Observed<Statistics> statistics;
  Scheduler scheduler(runtime, statistics);
  SampleJob job;
  job.prompts.push_back({{5, 6, 7}, {1, 2}});
  job.maxTokens = 100;
  const auto ticket = std::make_shared<Ticket>(job, [](Event) {}, 0);
  scheduler.add(ticket);
  scheduler.step();
  held = true;
  while (scheduler.busy()) scheduler.step();
  CHECK(asked == 2 && statistics.read().decodes > 10);
}

}  // namespace

int main() {
  testBudget();
  for (const KvLayout kv : {KvLayout::Split, KvLayout::Unified}) {
    testOrdinals(kv);
    testPriorityBeforeOrdinal(kv);
  }
}
