// What a job tells while it runs and of each token: texts in pieces, and the most likely tokens.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <future>
#include <map>
#include <thread>

#include "check.h"
#include "engine.h"
#include "text.h"

using namespace t1;
using namespace std::chrono_literals;

namespace {

using Key = std::pair<int32_t, int32_t>;  // prompt, index

// Collects one job's events and holds them to their order.
struct Listener {
  std::map<Key, Sample> samples;
  std::map<Key, std::string> told;
  std::map<Key, int32_t> tokens;
  int64_t events = 0;  // Texts
  std::function<void()> onTexts = [] {};
  std::atomic<bool> ended{false};
  std::promise<Event> end;

  Sink sink() {
    return [this](Event event) {
      CHECK(!ended);
      if (auto * texts = std::get_if<Texts>(&event)) return add(*texts);
      if (auto * sample = std::get_if<Sample>(&event)) {
        const Key key(sample->prompt, sample->index);
        CHECK(samples.emplace(key, std::move(*sample)).second);
        return;
      }
      if (std::holds_alternative<Progress>(event)) return;
      ended = true;
      end.set_value(std::move(event));
    };
  }
  void add(const Texts & texts) {
    CHECK(!texts.pieces.empty());
    std::map<Key, int> seen;
    for (const TextPiece & piece : texts.pieces) {
      const Key key(piece.prompt, piece.index);
      CHECK(++seen[key] == 1);
      CHECK(!samples.contains(key));
      CHECK(!piece.text.empty() && toUtf8(piece.text, false) == piece.text);
      CHECK(piece.tokens > tokens[key]);
      tokens[key] = piece.tokens;
      told[key] += piece.text;
    }
    ++events;
    onTexts();
  }
  Event wait() { return end.get_future().get(); }
};

EngineOptions options(bool unified = false, int32_t threads = 1) {
  EngineOptions o;
  o.path = tinyModel();
  o.threads = threads;
  o.kv = unified ? KvLayout::Unified : KvLayout::Split;
  o.memoryBytes = 64 << 20;
  return o;
}

SampleJob job(size_t samples, int32_t maxTokens, std::optional<int32_t> textIntervalMs) {
  SampleJob j;
  SamplePrompt prompt;
  for (Token t = 10; t < 30; ++t) prompt.tokens.push_back(t);
  for (size_t s = 0; s < samples; ++s) prompt.seeds.push_back(s);
  j.prompts = {prompt};
  j.maxTokens = maxTokens;
  j.textIntervalMs = textIntervalMs;
  return j;
}

// Tokens are bytes: most of what this model says is no UTF-8, some is, in parts.
void testPiecesAreTheText(bool unified) {
  EngineOptions o = options(unified);
  o.reproducible = true;
  Engine engine(o);
  Listener listener;
  SampleJob wanted = job(16, 200, 0);
  wanted.stop = {"ab", "aaa", "zz!", "\n\n"};
  engine.submit(wanted, listener.sink());
  CHECK(std::holds_alternative<SampleDone>(listener.wait()));
  CHECK(listener.samples.size() == 16);
  size_t told = 0;
  for (const auto & [key, sample] : listener.samples) {
    CHECK(sample.rest.has_value());
    CHECK(listener.told[key] + *sample.rest == sample.text);
    CHECK(listener.tokens[key] <= static_cast<int32_t>(sample.tokens.size()));
    told += listener.told[key].size();
  }
  CHECK(told > 0);

  // They change nothing, and nobody is told who has not asked.
  Listener quiet;
  wanted.textIntervalMs.reset();
  engine.submit(wanted, quiet.sink());
  CHECK(std::holds_alternative<SampleDone>(quiet.wait()));
  CHECK(quiet.events == 0);
  for (const auto & [key, sample] : quiet.samples) {
    CHECK(!sample.rest && sample.text == listener.samples[key].text &&
          sample.logprobs == listener.samples[key].logprobs);
  }
}

// The grammar leaves one text, whose tokens are its bytes.
Sample say(Engine & engine, Listener & listener, const std::string & text, std::vector<std::string> stop) {
  SampleJob wanted = job(1, 100, 0);
  wanted.grammar = "root ::= \"" + text + "\"";
  wanted.stop = std::move(stop);
  engine.submit(wanted, listener.sink());
  CHECK(std::holds_alternative<SampleDone>(listener.wait()));
  return listener.samples[{0, 0}];
}

void testCharactersAndStops() {
  Engine engine(options());
  {
    Listener listener;
    std::vector<std::string> pieces;
    listener.onTexts = [&] { pieces.push_back(listener.told[{0, 0}]); };
    const Sample sample = say(engine, listener, "größer → 日本", {});
    CHECK(sample.text == "größer → 日本");
    CHECK(sample.tokens.size() == sample.text.size());  // bytes
    // One for each character, which are all whole (Listener): 11 of them, of which the last may be left to the sample.
    CHECK(pieces.size() >= 10 && pieces.size() <= 11);
    CHECK(pieces[1] == "gr" && pieces[2] == "grö");
  }
  {
    // A stop string begins twice and is completed the second time.
    Listener listener;
    std::vector<std::string> told;
    listener.onTexts = [&] { told.push_back(listener.told[{0, 0}]); };
    const Sample sample = say(engine, listener, "a<en b<end>c", {"<end>"});
    CHECK(sample.text == "a<en b" && sample.finish == Finish::Stop);
    CHECK((told == std::vector<std::string>{"a", "a<en ", "a<en b"}));
    CHECK(*sample.rest == "");
  }
  {
    // It begins and the sample ends.
    Listener listener;
    const Sample sample = say(engine, listener, "ab<en", {"<end>"});
    CHECK(sample.text == "ab<en" && (listener.told[{0, 0}] == "ab") && *sample.rest == "<en");
  }
}

// The time between two is never less than was asked for: however slow the machine, that holds.
void testRate() {
  Engine engine(options());
  Listener listener;
  const auto started = std::chrono::steady_clock::now();
  engine.submit(job(16, 400, 20), listener.sink());
  CHECK(std::holds_alternative<SampleDone>(listener.wait()));
  const auto elapsed = std::chrono::steady_clock::now() - started;
  CHECK(listener.events >= 1 && listener.events <= elapsed / 20ms + 1);
}

void testEndInFlight() {
  for (const bool dispose : {false, true}) {
    Engine engine(options());
    Listener listener;  // which fails for an event after the end
    std::promise<void> begun;
    std::atomic<int> count{0};
    listener.onTexts = [&] {
      if (++count == 3) begun.set_value();
    };
    const uint64_t id = engine.submit(job(64, 450, 0), listener.sink());
    begun.get_future().wait();
    if (dispose) engine.close();
    else engine.abort(id);
    const Event end = listener.wait();
    const auto * failure = std::get_if<Failure>(&end);
    CHECK(failure && failure->code == (dispose ? Code::Disposed : Code::Aborted));
    for (const auto & [key, sample] : listener.samples) CHECK(listener.told[key] + *sample.rest == sample.text);
    if (dispose) engine.join();
    else {
      Listener after;
      engine.submit(job(2, 4, 0), after.sink());
      CHECK(std::holds_alternative<SampleDone>(after.wait()));
    }
  }
}

// Of every token of every sample, against every token's score at its place.
void testTop(bool grammar, int32_t threads, int32_t maxTokens) {
  EngineOptions o = options(false, threads);
  o.reproducible = true;
  Engine engine(o);
  const int32_t vocabulary = engine.vocabulary().size();
  SampleJob wanted = job(5, maxTokens, std::nullopt);
  wanted.topLogprobs = 7;
  wanted.sampler.temperature = 2;  // the raw distribution is told all the same
  wanted.bias = {{11, 5.0f}};
  if (grammar) wanted.grammar = "root ::= [a-z]+";
  Listener listener;
  engine.submit(wanted, listener.sink());
  CHECK(std::holds_alternative<SampleDone>(listener.wait()));

  ScoreJob scoring;
  scoring.next = true;
  scoring.topLogprobs = kMostTop;
  for (Token t = 0; t < vocabulary; ++t) scoring.targets.push_back(t);
  for (const auto & [key, sample] : listener.samples) {
    ScoreSequence sequence{wanted.prompts[0].tokens, {}};
    for (const Token token : sample.tokens) {
      sequence.positions.push_back(static_cast<int32_t>(sequence.tokens.size()) - 1);
      sequence.tokens.push_back(token);
    }
    std::reverse(sequence.positions.begin(), sequence.positions.end());  // any order
    scoring.sequences.push_back(sequence);
  }
  std::promise<Event> promise;
  engine.submit(scoring, [&](Event event) { promise.set_value(std::move(event)); });
  const Event end = promise.get_future().get();
  CHECK(std::holds_alternative<ScoreDone>(end));
  const auto & done = std::get<ScoreDone>(end);
  CHECK(done.next && done.top && done.next->size() == 5 && done.top->size() == 5);

  size_t s = 0;
  int elsewhere = 0;  // tokens that are not the most likely ones
  for (const auto & [key, sample] : listener.samples) {
    const size_t n = sample.tokens.size();
    CHECK(sample.top && sample.top->k == 7 && sample.top->tokens.size() == n * 7 &&
          sample.top->logprobs.size() == n * 7);
    const TopLogprobs & top = (*done.top)[s];
    CHECK(top.k == kMostTop && top.tokens.size() == n * kMostTop && top.logprobs.size() == n * kMostTop);
    for (size_t i = 0; i < n; ++i) {
      const size_t row = n - 1 - i;
      const float * every = done.logprobs[s].data() + row * static_cast<size_t>(vocabulary);
      CHECK((*done.next)[s][row] == every[sample.tokens[i]]);
      CHECK(std::abs((*done.next)[s][row] - sample.logprobs[i]) < 0.02f);
      std::vector<Token> sorted = scoring.targets;
      std::stable_sort(sorted.begin(), sorted.end(), [&](Token a, Token b) { return every[a] > every[b]; });
      for (size_t j = 0; j < kMostTop; ++j) {
        // Logits that differ can come to the same log-probability: compared is how likely, not which.
        CHECK(top.logprobs[row * kMostTop + j] == every[sorted[j]]);
        CHECK(top.logprobs[row * kMostTop + j] == every[top.tokens[row * kMostTop + j]]);
      }
      for (size_t j = 0; j < 7; ++j) {
        const Token token = sample.top->tokens[i * 7 + j];
        CHECK(std::abs(sample.top->logprobs[i * 7 + j] - every[token]) < 0.02f);
        CHECK(std::abs(sample.top->logprobs[i * 7 + j] - every[sorted[j]]) < 0.02f);
        if (token == sample.tokens[i]) CHECK(sample.top->logprobs[i * 7 + j] == sample.logprobs[i]);
      }
      elsewhere += sample.tokens[i] != sample.top->tokens[i * 7] ? 1 : 0;
    }
    ++s;
  }
  CHECK(elsewhere > 0);

  // They change nothing, and are not there where nobody has asked.
  wanted.topLogprobs = 0;
  Listener without;
  engine.submit(wanted, without.sink());
  CHECK(std::holds_alternative<SampleDone>(without.wait()));
  for (const auto & [key, sample] : without.samples) {
    CHECK(!sample.top && sample.tokens == listener.samples[key].tokens);
  }
}

// Without targets, and at the last position, after which nothing comes.
void testTopAlone() {
  Engine engine(options());
  ScoreJob scoring;
  scoring.sequences = {{{1, 2, 3, 4}, {3, 0}}, {{5}, {}}, {{5, 6}, {0}}};
  scoring.topLogprobs = 1;
  const auto score = [&] {
    std::promise<Event> promise;
    engine.submit(scoring, [&](Event event) { promise.set_value(std::move(event)); });
    const Event end = promise.get_future().get();
    CHECK(std::holds_alternative<ScoreDone>(end));
    return std::get<ScoreDone>(end);
  };
  const ScoreDone top = score();
  CHECK(!top.next && top.top->size() == 3);
  CHECK((*top.top)[0].tokens.size() == 2 && (*top.top)[1].tokens.empty() && (*top.top)[2].tokens.size() == 1);
  scoring.topLogprobs = 0;
  CHECK(score().usage.decodedTokens == 0);
  scoring.next = true;
  scoring.sequences[0].positions = {2, 0};
  const ScoreDone next = score();
  CHECK(!next.top && (*next.next)[0].size() == 2 && (*next.next)[1].empty() && (*next.next)[0][0] < 0);
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
  for (const int32_t k : {-1, kMostTop + 1}) {
    SampleJob sampling = job(1, 1, 0);
    sampling.topLogprobs = k;
    expectUsage(engine, sampling);
    ScoreJob scoring;
    scoring.topLogprobs = k;
    expectUsage(engine, scoring);
  }
  expectUsage(engine, job(1, 1, -1));
  ScoreJob scoring;
  scoring.sequences = {{{1, 2, 3}, {0, 2}}};  // nothing comes after the last
  scoring.next = true;
  expectUsage(engine, scoring);
}

}  // namespace

int main() {
  testPiecesAreTheText(false);
  testPiecesAreTheText(true);
  testCharactersAndStops();
  testRate();
  testEndInFlight();
  testTop(false, 1, 12);
  testTop(true, 1, 12);
  testTop(false, 2, 2);
  testTopAlone();
  testBadJobs();
}
