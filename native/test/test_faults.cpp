// What the engine makes of llama.cpp's failures: who ends, with what, and that the others give what they would have
// given.
#include <atomic>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <future>
#include <mutex>
#include <new>

#include "../engine.h"
#include "check.h"

using namespace t1;

namespace {

EngineOptions options(KvLayout kv = KvLayout::Split) {
  EngineOptions o;
  o.path = tinyModel();
  o.threads = 1;
  o.kv = kv;
  o.memoryBytes = 64 << 20;
  return o;
}

// Greedy.
SampleJob job(size_t prompts, size_t samples, int32_t maxTokens, Token first = 100) {
  SampleJob j;
  for (size_t p = 0; p < prompts; ++p) {
    SamplePrompt prompt;
    for (int i = 0; i < 20; ++i) prompt.tokens.push_back(first + static_cast<Token>(p) + i % 7);
    for (size_t s = 0; s < samples; ++s) prompt.seeds.push_back(s);
    j.prompts.push_back(prompt);
  }
  j.sampler.temperature = 0;
  j.maxTokens = maxTokens;
  return j;
}

struct Outcome {
  std::vector<std::vector<Token>> tokens;  // by prompt, then index
  std::string code;                        // empty: it went well
  std::string message;
};

// Each job's, all submitted at once.
std::vector<Outcome> run(Engine & engine, const std::vector<SampleJob> & jobs) {
  std::vector<std::promise<void>> ends(jobs.size());
  std::vector<Outcome> outcomes(jobs.size());
  std::vector<std::atomic<int>> endings(jobs.size());
  for (size_t j = 0; j < jobs.size(); ++j) {
    const size_t samples = jobs[j].prompts.front().seeds.size();
    outcomes[j].tokens.resize(jobs[j].prompts.size() * samples);
    engine.submit(jobs[j], [&, j, samples](Event event) {
      if (const auto * sample = std::get_if<Sample>(&event)) {
        outcomes[j].tokens[sample->prompt * samples + sample->index] = sample->tokens;
        return;
      }
      if (std::holds_alternative<Progress>(event)) return;
      if (const auto * failure = std::get_if<Failure>(&event)) {
        outcomes[j].code = codeName(failure->code);
        outcomes[j].message = failure->what();
      }
      CHECK(++endings[j] == 1);
      ends[j].set_value();
    });
  }
  for (auto & end : ends) end.get_future().get();
  return outcomes;
}

const std::vector<SampleJob> kJobs = {job(3, 4, 12), job(1, 6, 20, 60), job(2, 1, 5, 130)};

std::vector<Outcome> undisturbed() {
  Engine engine(options());
  return run(engine, kJobs);
}

void expectSame(const std::vector<Outcome> & a, const std::vector<Outcome> & b) {
  for (size_t j = 0; j < a.size(); ++j) CHECK(a[j].code.empty() && b[j].code.empty() && a[j].tokens == b[j].tokens);
}

// No free cells: what is kept goes, then lanes wait; all come out as ever.
void testNoCells(KvLayout kv) {
  const std::vector<Outcome> expected = undisturbed();
  for (const int64_t from : {1, 3, 9}) {
    EngineOptions o = options(kv);
    o.fault = [from](int64_t decode) { return decode >= from && decode < from + 4 ? 1 : 0; };
    Engine engine(o);
    expectSame(expected, run(engine, kJobs));
    expectSame(expected, run(engine, kJobs));
  }
}

void testNoCellsEver() {
  EngineOptions o = options();
  o.fault = [](int64_t) { return 1; };
  Engine engine(o);
  for (const Outcome & outcome : run(engine, kJobs)) CHECK(outcome.code == "OUT_OF_MEMORY");
  // With something in the cache first, which has to go.
  std::atomic<bool> full{false};
  o.fault = [&full](int64_t) { return full ? 1 : 0; };
  Engine used(o);
  expectSame(undisturbed(), run(used, kJobs));
  full = true;
  for (const Outcome & outcome : run(used, {job(2, 2, 5, 180)})) CHECK(outcome.code == "OUT_OF_MEMORY");
}

// The jobs in the decode end with this code; the engine is as good as new.
void testFatal(int32_t status, const char * code) {
  const std::vector<Outcome> expected = undisturbed();
  for (const int64_t at : {1, 2, 6}) {
    EngineOptions o = options();
    o.fault = [at, status](int64_t decode) { return decode == at ? status : 0; };
    Engine engine(o);
    int failed = 0;
    const std::vector<Outcome> outcomes = run(engine, kJobs);
    for (size_t j = 0; j < outcomes.size(); ++j) {
      if (outcomes[j].code.empty()) {
        CHECK(outcomes[j].tokens == expected[j].tokens);
        continue;
      }
      CHECK(outcomes[j].code == code);
      ++failed;
    }
    CHECK(failed >= 1);
    // Decodes are numbered anew with each context: the fault comes once more, then never.
    o.fault = nullptr;
    Engine other(o);
    expectSame(expected, run(other, kJobs));
  }
}

// Who was not in the decode goes on.
void testOthersGoOn() {
  EngineOptions o = options();
  o.memoryBytes = 256 * 256 * 4;  // four sequences
  Engine quiet(o);
  const std::vector<SampleJob> jobs = {job(1, 8, 30), job(1, 2, 9, 60)};
  const std::vector<Outcome> expected = run(quiet, jobs);
  std::atomic<int> faults{0};
  o.fault = [&faults](int64_t decode) { return decode == 3 && faults++ == 0 ? -3 : 0; };
  Engine engine(o);
  const std::vector<Outcome> outcomes = run(engine, jobs);
  CHECK(outcomes[0].code == "DECODE_FAILED");
  CHECK(outcomes[1].code.empty() && outcomes[1].tokens == expected[1].tokens);
}

void testException() {
  for (const bool memory : {false, true}) {
    std::atomic<int> faults{0};
    EngineOptions o = options();
    o.fault = [&faults, memory](int64_t decode) -> int32_t {
      if (decode != 2 || faults++ > 0) return 0;
      if (memory) throw std::bad_alloc();
      throw std::runtime_error("device lost");
    };
    Engine engine(o);
    const std::vector<Outcome> outcomes = run(engine, kJobs);
    CHECK(outcomes[0].code == (memory ? "OUT_OF_MEMORY" : "DECODE_FAILED"));
    CHECK(memory || outcomes[0].message.find("device lost") != std::string::npos);
    expectSame(undisturbed(), run(engine, kJobs));
  }
}

// As when a job comes just after the last one was aborted: its rows are read again. Always: an error, not a loop.
void testStopsNobodyAskedFor() {
  EngineOptions o = options();
  std::atomic<int> stops{0};
  o.fault = [&stops](int64_t) { return stops++ < 3 ? 2 : 0; };
  Engine engine(o);
  expectSame(undisturbed(), run(engine, kJobs));
  o.fault = [](int64_t) { return 2; };
  Engine never(o);
  for (const Outcome & outcome : run(never, kJobs)) CHECK(outcome.code == "DECODE_FAILED");
}

void testMemorySaidBeforehand() {
  EngineOptions o = options();
  o.hostAvailableBytes = 1000;
  Engine small(o);
  const Outcome weights = run(small, {job(1, 1, 1)})[0];
  CHECK(weights.code == "OUT_OF_MEMORY" && weights.message.find("weights") != std::string::npos);
  o.hostAvailableBytes = small.info().sizeBytes + 100'000;
  Engine larger(o);
  const Outcome context = run(larger, {job(1, 64, 100)})[0];
  CHECK(context.code == "OUT_OF_MEMORY" && context.message.find("sequences takes") != std::string::npos);
}

// The model with a NaN in one tensor.
void testNaN() {
  const std::string path = tinyModel() + ".nan";
  {
    std::ifstream in(tinyModel(), std::ios::binary);
    std::string bytes((std::istreambuf_iterator<char>(in)), {});
    const GgufHandle file(gguf_init_from_file(tinyModel().c_str(), {true, nullptr}));
    const int64_t tensor = gguf_find_tensor(file.get(), "blk.1.attn_norm.weight");
    CHECK(tensor >= 0 && gguf_get_tensor_type(file.get(), tensor) == GGML_TYPE_F32);
    const float nan = NAN;
    std::memcpy(&bytes[gguf_get_data_offset(file.get()) + gguf_get_tensor_offset(file.get(), tensor)], &nan,
                sizeof nan);
    std::ofstream(path, std::ios::binary) << bytes;
  }
  EngineOptions o = options();
  o.path = path;
  Engine engine(o);
  const Outcome outcome = run(engine, {job(1, 2, 4)})[0];
  CHECK(outcome.code == "DECODE_FAILED");
  CHECK(outcome.message.find("blk.1.attn_norm.weight holds NaN") != std::string::npos);
  std::remove(path.c_str());
}

}  // namespace

int main() {
  testNoCells(KvLayout::Split);
  testNoCells(KvLayout::Unified);
  testNoCellsEver();
  testFatal(-1, "INTERNAL");
  testFatal(-2, "OUT_OF_MEMORY");
  testFatal(-3, "DECODE_FAILED");
  testFatal(7, "DECODE_FAILED");
  testOthersGoOn();
  testException();
  testStopsNobodyAskedFor();
  testMemorySaidBeforehand();
  testNaN();
}
