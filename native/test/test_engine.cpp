// The engine without Node: jobs, stops, disposal in flight, two engines; most useful under the sanitizers.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <future>
#include <random>
#include <thread>

#include "check.h"
#include "engine.h"

using namespace t1;
using namespace std::chrono_literals;

namespace {

// Collects one job's events.
struct Collector {
  std::vector<Sample> samples;
  std::promise<Event> end;
  std::atomic<int> ends{0};

  Sink sink() {
    return [this](Event event) {
      if (auto * sample = std::get_if<Sample>(&event)) return samples.push_back(std::move(*sample));
      if (std::holds_alternative<Progress>(event)) return;
      CHECK(++ends == 1);
      end.set_value(std::move(event));
    };
  }
  Event wait() { return end.get_future().get(); }
};

// Two threads where the helper threads are the point; they wait by spinning, which takes long on a busy machine.
EngineOptions options(bool unified = false, int32_t threads = 1) {
  EngineOptions o;
  o.path = tinyModel();
  o.threads = threads;
  o.kv = unified ? KvLayout::Unified : KvLayout::Split;
  o.memoryBytes = 64 << 20;
  return o;
}

SampleJob job(size_t prompts, size_t samples, int32_t maxTokens) {
  SampleJob j;
  for (size_t p = 0; p < prompts; ++p) {
    SamplePrompt prompt;
    for (Token t = 10; t < 40; ++t) prompt.tokens.push_back(t);
    for (size_t i = 0; i <= p; ++i) prompt.tokens.push_back(static_cast<Token>(50 + p));
    for (size_t s = 0; s < samples; ++s) prompt.seeds.push_back(p * 1000 + s);
    j.prompts.push_back(prompt);
  }
  j.maxTokens = maxTokens;
  return j;
}

bool failedWith(const Event & event, Code code) {
  const auto * failure = std::get_if<Failure>(&event);
  return failure && failure->code == code;
}

void testSampleAndScore(bool unified) {
  Engine engine(options(unified, 2));
  Collector sampled;
  engine.submit(job(3, 5, 12), sampled.sink());
  const Event end = sampled.wait();
  CHECK(std::holds_alternative<SampleDone>(end));
  CHECK(sampled.samples.size() == 15);
  CHECK(std::get<SampleDone>(end).usage.promptTokens == 30 + 1 + 2 + 3);

  const Sample & sample = sampled.samples.front();
  ScoreJob scoring;
  ScoreSequence sequence{job(3, 1, 1).prompts[sample.prompt].tokens, {}};
  for (const Token token : sample.tokens) {
    sequence.positions.push_back(static_cast<int32_t>(sequence.tokens.size()) - 1);
    sequence.tokens.push_back(token);
  }
  scoring.sequences = {sequence, sequence};
  scoring.targets = sample.tokens;
  Collector scored;
  engine.submit(scoring, scored.sink());
  const Event scoreEnd = scored.wait();
  CHECK(std::holds_alternative<ScoreDone>(scoreEnd));
  const auto & logprobs = std::get<ScoreDone>(scoreEnd).logprobs;
  const size_t n = sample.tokens.size();
  for (size_t i = 0; i < n; ++i) {
    CHECK(std::abs(logprobs[0][i * n + i] - sample.logprobs[i]) < 1e-3);
    CHECK(std::abs(logprobs[1][i * n + i] - sample.logprobs[i]) < 1e-3);
  }
}

void testAbortAndReuse() {
  Engine engine(options());
  Collector aborted;
  const uint64_t id = engine.submit(job(1, 64, 400), aborted.sink());
  Collector queued;
  const uint64_t second = engine.submit(job(1, 4, 4), queued.sink());
  engine.abort(second);  // before it starts
  CHECK(failedWith(queued.wait(), Code::Aborted));
  std::this_thread::sleep_for(20ms);
  engine.abort(id);
  CHECK(failedWith(aborted.wait(), Code::Aborted));
  engine.abort(id);    // over
  engine.abort(9999);  // never was
  Collector after;
  engine.submit(job(2, 2, 4), after.sink());
  CHECK(std::holds_alternative<SampleDone>(after.wait()));
}

void testDisposeInFlight() {
  for (const auto pause : {0ms, 5ms, 50ms}) {
    Engine engine(options());
    Collector running;
    Collector queued;
    engine.submit(job(1, 64, 400), running.sink());
    engine.submit(job(1, 64, 400), queued.sink());
    std::this_thread::sleep_for(pause);
    engine.close();
    engine.close();
    CHECK(failedWith(running.wait(), Code::Disposed));
    CHECK(failedWith(queued.wait(), Code::Disposed));
    engine.join();
    engine.join();
    try {
      engine.submit(job(1, 1, 1), [](Event) {});
      CHECK(false);
    } catch (const Failure & failure) {
      CHECK(failure.code == Code::Disposed);
    }
  }
}

void testManyThreads() {
  Engine a(options());
  Engine b(options(true));
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      std::mt19937 random(static_cast<unsigned>(t));
      for (int i = 0; i < 8; ++i) {
        Engine & engine = random() % 2 ? a : b;
        Collector collector;
        const uint64_t id = engine.submit(job(1 + random() % 3, 1 + random() % 6, 1 + random() % 20), collector.sink());
        if (random() % 2) engine.abort(id);
        const Event end = collector.wait();
        CHECK(std::holds_alternative<SampleDone>(end) || failedWith(end, Code::Aborted));
        CHECK(!engine.vocabulary().tokenize("hello <|im_end|>", true, true).empty());
      }
    });
  }
  for (auto & thread : threads) thread.join();
}

void expectUsage(Engine & engine, Work work) {
  try {
    engine.submit(std::move(work), [](Event) {});
    CHECK(false);
  } catch (const Failure & failure) {
    CHECK(failure.code == Code::Usage);
  }
}

void testBadJobs() {
  Engine engine(options());
  SampleJob bad = job(1, 1, 1);
  bad.prompts[0].tokens.clear();
  expectUsage(engine, bad);
  for (const Token token : {-1, 271, INT32_MAX}) {
    bad = job(1, 1, 1);
    bad.prompts[0].tokens[3] = token;
    expectUsage(engine, bad);
  }
  bad = job(1, 1, 0);
  expectUsage(engine, bad);
  bad = job(1, 1, 1);
  bad.sampler.temperature = NAN;
  expectUsage(engine, bad);
  for (const int32_t position : {-1, 2}) expectUsage(engine, ScoreJob{{{{1, 2}, {position}}}, {1}, {}});
  expectUsage(engine, ScoreJob{{{{1, 2}, {0}}}, {271}, {}});

  bad = job(1, 1, 1);
  bad.prompts[0].tokens.assign(512, 5);
  Collector tooLong;
  engine.submit(bad, tooLong.sink());
  CHECK(failedWith(tooLong.wait(), Code::PromptTooLong));
  Collector empty;
  engine.submit(SampleJob{{}, {}, 1, {}, {}}, empty.sink());
  CHECK(std::holds_alternative<SampleDone>(empty.wait()));
  Collector unseeded;
  bad = job(2, 1, 3);
  bad.prompts[0].seeds.clear();
  engine.submit(bad, unseeded.sink());
  CHECK(std::holds_alternative<SampleDone>(unseeded.wait()) && unseeded.samples.size() == 1);
  Collector nothing;
  engine.submit(ScoreJob{}, nothing.sink());
  CHECK(std::holds_alternative<ScoreDone>(nothing.wait()));
}

void testBudget() {
  EngineOptions small = options();
  small.memoryBytes = 1000;
  Engine engine(small);
  Collector collector;
  engine.submit(job(1, 1, 4), collector.sink());
  CHECK(failedWith(collector.wait(), Code::OutOfMemory));
}

// The longest sequence that can be asked for, and what later jobs are said to need: no sum of them may overflow.
void testLongest(bool unified) {
  EngineOptions o = options(unified);
  const char * path = std::getenv("T1_TEST_LONG");
  CHECK(path != nullptr);
  o.path = path;
  Engine engine(o);
  for (const int32_t maxTokens : {INT32_MAX, INT32_MAX - 31, INT32_MAX - 300}) {
    Collector collector;
    engine.submit(job(1, 2, maxTokens), collector.sink());
    const Event end = collector.wait();
    CHECK(failedWith(end, Code::OutOfMemory));
    CHECK(std::string(std::get<Failure>(end).what()).starts_with("one sequence of 2147483"));
  }
  SampleJob modest = job(1, 2, 4);
  modest.reserve = {INT32_MAX, INT32_MAX};
  Collector collector;
  engine.submit(modest, collector.sink());
  CHECK(std::holds_alternative<SampleDone>(collector.wait()));
}

// A LoRA of rank 4 on the first query projection of the tiny model, beside that model; `invocation` activates it.
std::string loraFile(const std::string & suffix, std::vector<uint32_t> invocation) {
  const std::string path = tinyModel() + suffix;
  ggml_context * context = ggml_init({1 << 20, nullptr, false});
  const GgufHandle file(gguf_init_empty());
  gguf_set_val_str(file.get(), "general.architecture", "llama");
  gguf_set_val_str(file.get(), "general.type", "adapter");
  gguf_set_val_str(file.get(), "adapter.type", "lora");
  gguf_set_val_f32(file.get(), "adapter.lora.alpha", 4);
  if (!invocation.empty()) {
    gguf_set_arr_data(file.get(), "adapter.alora.invocation_tokens", GGUF_TYPE_UINT32, invocation.data(),
                      invocation.size());
  }
  std::mt19937 random(1);
  for (const bool first : {true, false}) {
    ggml_tensor * tensor =
        first ? ggml_new_tensor_2d(context, GGML_TYPE_F32, 64, 4) : ggml_new_tensor_2d(context, GGML_TYPE_F32, 4, 64);
    ggml_set_name(tensor, first ? "blk.0.attn_q.weight.lora_a" : "blk.0.attn_q.weight.lora_b");
    auto * values = static_cast<float *>(tensor->data);
    std::generate(values, values + 256, [&] { return static_cast<float>(random() % 2001) / 1000 - 1; });
    gguf_add_tensor(file.get(), tensor);
  }
  CHECK(gguf_write_to_file(file.get(), path.c_str(), false));
  ggml_free(context);
  return path;
}

void testAdapters(bool unified) {
  EngineOptions o = options(unified);
  const Token last = job(1, 1, 1).prompts[0].tokens.back();
  o.adapters = {{"plain", loraFile(".lora", {}), 1},
                {"activated", loraFile(".alora", {39, static_cast<uint32_t>(last)}), 1}};
  const auto logprobs = [](Engine & engine, const std::string & adapter) {
    ScoreJob scoring;
    const std::vector<Token> tokens = job(1, 1, 1).prompts[0].tokens;
    scoring.sequences = {{tokens, {5, static_cast<int32_t>(tokens.size()) - 1}}};
    scoring.targets = {7};
    scoring.adapter = adapter;
    Collector collector;
    engine.submit(scoring, collector.sink());
    const Event end = collector.wait();
    CHECK(std::holds_alternative<ScoreDone>(end));
    return std::get<ScoreDone>(end).logprobs[0];
  };
  Engine engine(o);
  const auto base = logprobs(engine, "");
  const auto plain = logprobs(engine, "plain");
  const auto activated = logprobs(engine, "activated");
  CHECK(std::abs(plain[0] - base[0]) > 1e-2 && std::abs(plain[1] - base[1]) > 1e-2);
  CHECK(std::abs(activated[0] - base[0]) < 1e-2 && std::abs(activated[1] - base[1]) > 1e-2);
  CHECK(logprobs(engine, "") == base && logprobs(engine, "plain") == plain);

  SampleJob sampling = job(1, 64, 400);
  for (const char * adapter : {"plain", "activated"}) {
    sampling.adapter = adapter;
    Collector aborted;
    const uint64_t id = engine.submit(sampling, aborted.sink());
    std::this_thread::sleep_for(10ms);
    engine.abort(id);
    CHECK(failedWith(aborted.wait(), Code::Aborted));
    CHECK(logprobs(engine, "") == base);
  }
  Collector disposed;
  engine.submit(sampling, disposed.sink());
  std::this_thread::sleep_for(10ms);
  engine.close();
  CHECK(failedWith(disposed.wait(), Code::Disposed));

  Engine other(o);
  sampling.adapter = "none";
  expectUsage(other, sampling);
  sampling.adapter = "activated";
  sampling.prompts[0].tokens.pop_back();
  expectUsage(other, sampling);
}

}  // namespace

int main() {
  testSampleAndScore(false);
  testSampleAndScore(true);
  testAbortAndReuse();
  testDisposeInFlight();
  testManyThreads();
  testBadJobs();
  testBudget();
  testLongest(false);
  testLongest(true);
  testAdapters(false);
  testAdapters(true);
}
