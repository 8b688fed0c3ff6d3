// Classification jobs beside others, under abort and disposal; most useful under the sanitizers.
#include <atomic>
#include <chrono>
#include <cmath>
#include <future>
#include <thread>

#include "check.h"
#include "engine.h"

using namespace t1;
using namespace std::chrono_literals;

namespace {

// Takes a job's last event.
struct End {
  std::promise<Event> promise;
  std::atomic<int> ends{0};

  Sink sink() {
    return [this](Event event) {
      if (std::holds_alternative<Sample>(event) || std::holds_alternative<Progress>(event)) return;
      CHECK(++ends == 1);
      promise.set_value(std::move(event));
    };
  }
  Event wait() { return promise.get_future().get(); }
};

// The GGUF of test/support/classifier-gguf.mjs, which native/build.mjs writes.
EngineOptions options(bool unified) {
  const char * path = std::getenv("T1_TEST_CLASSIFIER");
  CHECK(path != nullptr);
  EngineOptions o;
  o.path = path;
  o.threads = 1;  // helper threads wait by spinning, which takes long on a busy machine
  o.kv = unified ? KvLayout::Unified : KvLayout::Split;
  o.memoryBytes = 64 << 20;
  return o;
}

ClassifyJob classification(size_t sequences) {
  ClassifyJob job;
  for (size_t s = 0; s < sequences; ++s) {
    std::vector<Token> tokens{10, 11, 12, 13};
    for (size_t i = 0; i < 5 + s % 20; ++i) tokens.push_back(static_cast<Token>(40 + (s * 7 + i) % 50));
    job.sequences.push_back(std::move(tokens));
  }
  return job;
}

SampleJob sampling(size_t samples, int32_t maxTokens) {
  SampleJob job;
  job.prompts = {{{10, 11, 12, 13, 99}, {}}};
  for (size_t s = 0; s < samples; ++s) job.prompts[0].seeds.push_back(s);
  job.maxTokens = maxTokens;
  return job;
}

void checkScores(const Event & event, const ClassifyJob & job) {
  const auto * done = std::get_if<ClassifyDone>(&event);
  CHECK(done != nullptr);
  CHECK(done->scores.size() == job.sequences.size());
  CHECK(done->labels == (std::vector<std::string>{"yes", "no"}));
  for (const auto & scores : done->scores) {
    CHECK(scores.size() == 2);
    CHECK(std::abs(std::exp(scores[0]) + std::exp(scores[1]) - 1) < 1e-4);
  }
}

void testBesideOthers(bool unified) {
  Engine engine(options(unified));
  const ClassifyJob job = classification(30);
  End sampled, first, second;
  engine.submit(sampling(20, 60), sampled.sink());
  engine.submit(job, first.sink());
  ClassifyJob urgent = classification(3);
  urgent.priority = Priority::Interactive;
  engine.submit(urgent, second.sink());
  const Event firstEnd = first.wait();
  const Event secondEnd = second.wait();
  checkScores(firstEnd, job);
  checkScores(secondEnd, urgent);
  CHECK(std::holds_alternative<SampleDone>(sampled.wait()));
  for (size_t s = 0; s < 3; ++s) {
    const float difference =
        std::get<ClassifyDone>(firstEnd).scores[s][0] - std::get<ClassifyDone>(secondEnd).scores[s][0];
    CHECK(std::abs(difference) < 0.05);
  }
}

void testAbortAndDispose() {
  for (const auto pause : {0ms, 2ms, 10ms}) {
    Engine engine(options(false));
    End aborted, beside, disposed;
    const uint64_t id = engine.submit(classification(200), aborted.sink());
    const ClassifyJob kept = classification(10);
    engine.submit(kept, beside.sink());
    std::this_thread::sleep_for(pause);
    engine.abort(id);
    const Event end = aborted.wait();
    CHECK(std::holds_alternative<ClassifyDone>(end) || std::get<Failure>(end).code == Code::Aborted);
    checkScores(beside.wait(), kept);
    engine.submit(classification(200), disposed.sink());
    std::this_thread::sleep_for(pause);
    engine.close();
    const Event last = disposed.wait();
    CHECK(std::holds_alternative<ClassifyDone>(last) || std::get<Failure>(last).code == Code::Disposed);
  }
}

}  // namespace

int main() {
  testBesideOthers(false);
  testBesideOthers(true);
  testAbortAndDispose();
}
