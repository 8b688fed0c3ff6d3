// Jobs of all kinds, aborts from another thread, failures and new engines, for some seconds: every job ends exactly
// once, greedy tokens are what a quiet engine gives but for ties, memory does not grow.
//
//   T1_SOAK_SECONDS  how long; 6 without it
//   T1_SOAK_SEED     repeats a run
#include <array>
#include <atomic>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <future>
#include <map>
#include <mutex>
#include <random>
#include <thread>

#if defined(__linux__)
#include <unistd.h>
#endif

#include "../engine.h"
#include "check.h"

using namespace t1;

namespace {

using Clock = std::chrono::steady_clock;

double seconds() {
  const char * text = std::getenv("T1_SOAK_SECONDS");
  return text ? std::atof(text) : 6;
}

unsigned seed() {
  const char * text = std::getenv("T1_SOAK_SEED");
  return text ? static_cast<unsigned>(std::atol(text)) : std::random_device{}();
}

double residentMebibytes() {
#if defined(__linux__)
  std::ifstream statm("/proc/self/statm");
  double all = 0;
  double resident = 0;
  statm >> all >> resident;
  return resident * static_cast<double>(sysconf(_SC_PAGESIZE)) / (1 << 20);
#else
  return 0;
#endif
}

std::vector<Token> text(int first, int length) {
  std::vector<Token> tokens;
  for (int i = 0; i < length; ++i) tokens.push_back(65 + (first * 7 + i * 3) % 50);
  return tokens;
}

// One of a few greedy jobs, so that each comes again and again.
struct Known {
  int prompt;
  int maxTokens;
  bool operator<(const Known & other) const {
    return std::pair(prompt, maxTokens) < std::pair(other.prompt, other.maxTokens);
  }
};

SampleJob greedy(const Known & known) {
  SampleJob job;
  job.prompts.push_back({text(known.prompt % 3, 20 + known.prompt), {0}});
  job.sampler.temperature = 0;
  job.maxTokens = known.maxTokens;
  return job;
}

Work randomWork(std::mt19937 & random) {
  if (random() % 4 == 0) {
    ScoreJob job;
    for (unsigned s = 0; s < 1 + random() % 6; ++s) {
      const auto tokens = text(static_cast<int>(random() % 3), 5 + static_cast<int>(random() % 60));
      job.sequences.push_back(
          {tokens, {static_cast<int32_t>(random() % tokens.size()), static_cast<int32_t>(tokens.size()) - 1}});
    }
    job.targets = {65, 66, 67};
    if (random() % 3 == 0) job.topLogprobs = static_cast<int32_t>(random() % (kMostTop + 1));
    job.priority = random() % 5 == 0 ? Priority::Interactive : Priority::Batch;
    job.ordinal = static_cast<int64_t>(random() % 4);
    return job;
  }
  SampleJob job;
  for (unsigned p = 0; p < 1 + random() % 3; ++p) {
    SamplePrompt prompt{text(static_cast<int>(random() % 3), 3 + static_cast<int>(random() % 50)), {}};
    for (unsigned s = 0; s < 1 + random() % 12; ++s) prompt.seeds.push_back(random());
    job.prompts.push_back(prompt);
  }
  job.maxTokens = 1 + static_cast<int32_t>(random() % 60);
  if (random() % 6 == 0) job.grammar = "root ::= [a-z]+";
  if (random() % 6 == 0) job.bias = {{70, 3.0f}, {71, -INFINITY}};
  if (random() % 3 == 0) job.stop = {"ab", "\n\n", "e e"};
  if (random() % 2 == 0) job.textIntervalMs = static_cast<int32_t>(random() % 3);
  if (random() % 3 == 0) job.topLogprobs = static_cast<int32_t>(random() % (kMostTop + 1));
  job.priority = random() % 5 == 0 ? Priority::Interactive : Priority::Batch;
  job.ordinal = static_cast<int64_t>(random() % 4);
  return job;
}

struct Tally {
  std::atomic<int64_t> submitted{0};
  std::atomic<int64_t> ended{0};
  std::atomic<int64_t> aborted{0};
  std::atomic<int64_t> failed{0};
  std::atomic<int64_t> compared{0};
};

// What a quiet engine says to the known jobs.
std::map<Known, std::vector<Token>> expectations(Engine & engine) {
  std::map<Known, std::vector<Token>> expected;
  for (int prompt = 0; prompt < 8; ++prompt) {
    for (const int maxTokens : {3, 17, 40}) {
      std::promise<void> end;
      const Known known{prompt, maxTokens};
      engine.submit(greedy(known), [&](Event event) {
        if (const auto * sample = std::get_if<Sample>(&event)) expected[known] = sample->tokens;
        if (std::holds_alternative<SampleDone>(event)) end.set_value();
      });
      end.get_future().get();
    }
  }
  return expected;
}

// A greedy sample that left the quiet engine's path.
struct Departure {
  Known known;
  std::vector<Token> tokens;
  std::string life;  // the engine's options
};

// Rows computed among others are rounded otherwise, so where two tokens are as likely a greedy sample may take the
// other. Widest with flash attention over a unified cache: it sums in f16, in the order of the cells. How much less
// likely the quiet engine finds the token taken, nats; infinite when it cannot be rounding.
double gap(Engine & quiet, const Departure & departure, const std::vector<Token> & expected) {
  const auto & tokens = departure.tokens;
  if (tokens.size() != expected.size()) {
    const size_t shorter = std::min(tokens.size(), expected.size());
    if (std::equal(tokens.begin(), tokens.begin() + static_cast<long>(shorter), expected.begin())) return INFINITY;
  }
  const auto first = std::mismatch(tokens.begin(), tokens.end(), expected.begin(), expected.end());
  ScoreJob job;
  auto read = greedy(departure.known).prompts[0].tokens;
  read.insert(read.end(), tokens.begin(), first.first);
  job.sequences.push_back({read, {static_cast<int32_t>(read.size()) - 1}});
  job.targets = {*first.second, *first.first};
  std::promise<double> end;
  quiet.submit(job, [&](Event event) {
    if (const auto * done = std::get_if<ScoreDone>(&event)) end.set_value(done->logprobs[0][0] - done->logprobs[0][1]);
    if (std::holds_alternative<Failure>(event)) end.set_value(INFINITY);
  });
  return end.get_future().get();
}

// The life of one engine.
void life(std::mt19937 & random, const std::map<Known, std::vector<Token>> & expected, Tally & tally,
          std::vector<Departure> & departures) {
  EngineOptions options;
  options.path = tinyModel();
  options.threads = 1;
  options.kv = static_cast<KvLayout>(random() % 3);
  options.memoryBytes = random() % 2 ? 16 << 20 : 256.0 * 256 * (2 + random() % 6);
  options.reproducible = random() % 8 == 0;
  const unsigned faultEvery = random() % 3 == 0 ? 40 + random() % 100 : 0;
  const auto faults = std::make_shared<std::atomic<unsigned>>(random());
  const int32_t status = std::array{1, -1, -2, -3}[random() % 4];
  if (faultEvery > 0) options.fault = [=](int64_t) { return (*faults)++ % faultEvery == 0 ? status : 0; };
  const std::string about =
      "layout " + std::to_string(static_cast<int>(options.kv)) + ", memory " + std::to_string(options.memoryBytes) +
      (options.reproducible ? ", reproducible" : "") +
      (faultEvery > 0 ? ", status " + std::to_string(status) + " every " + std::to_string(faultEvery) : "");
  Engine engine(options);
  std::mutex mutex;  // over ids and departures
  std::vector<uint64_t> ids;
  std::atomic<bool> over{false};
  std::thread aborter([&, start = random()] {
    std::mt19937 own(start);
    while (!over) {
      std::this_thread::sleep_for(std::chrono::microseconds(own() % 3000));
      std::lock_guard lock(mutex);
      if (!ids.empty() && own() % 3 == 0) engine.abort(ids[own() % ids.size()]);
    }
  });
  std::vector<std::shared_ptr<std::atomic<int>>> endings;
  std::vector<std::shared_ptr<std::promise<void>>> ends;
  for (unsigned i = 0; i < 20 + random() % 30; ++i) {
    const auto ending = endings.emplace_back(std::make_shared<std::atomic<int>>(0));
    const auto end = ends.emplace_back(std::make_shared<std::promise<void>>());
    const bool compare = random() % 3 != 0;
    const Known known{static_cast<int>(random() % 8), std::array{3, 17, 40}[random() % 3]};
    const auto told = std::make_shared<std::map<std::pair<int32_t, int32_t>, std::string>>();
    const auto sink = [&tally, &expected, &mutex, &departures, &about, ending, end, told, compare, known](Event event) {
      CHECK(*ending == 0);
      if (const auto * texts = std::get_if<Texts>(&event)) {
        for (const TextPiece & piece : texts->pieces) (*told)[{piece.prompt, piece.index}] += piece.text;
        return;
      }
      if (const auto * sample = std::get_if<Sample>(&event)) {
        if (sample->rest) CHECK((*told)[std::pair(sample->prompt, sample->index)] + *sample->rest == sample->text);
        if (sample->top) {
          CHECK(sample->top->tokens.size() == sample->tokens.size() * static_cast<size_t>(sample->top->k));
        }
        if (!compare) return;
        ++tally.compared;
        if (sample->tokens != expected.at(known)) {
          std::lock_guard lock(mutex);
          departures.push_back({known, sample->tokens, about});
        }
        return;
      }
      if (std::holds_alternative<Progress>(event)) return;
      if (const auto * failure = std::get_if<Failure>(&event)) {
        ++(failure->code == Code::Aborted ? tally.aborted : tally.failed);
        const bool fine = failure->code == Code::Aborted || failure->code == Code::Disposed ||
                          failure->code == Code::DecodeFailed || failure->code == Code::OutOfMemory ||
                          failure->code == Code::Internal || failure->code == Code::Usage;
        if (!fine) std::fprintf(stderr, "%s\n", failure->what());
        CHECK(fine);
      }
      ++*ending;
      ++tally.ended;
      end->set_value();
    };
    ++tally.submitted;
    const uint64_t id = engine.submit(compare ? Work(greedy(known)) : randomWork(random), sink);
    {
      std::lock_guard lock(mutex);
      ids.push_back(id);
    }
    if (random() % 8 == 0) std::this_thread::sleep_for(std::chrono::microseconds(random() % 5000));
  }
  if (random() % 3 == 0) engine.close();
  for (const auto & end : ends) {
    CHECK(end->get_future().wait_for(std::chrono::seconds(120)) == std::future_status::ready);
  }
  over = true;
  aborter.join();
}

}  // namespace

int main() {
  const unsigned first = seed();
  std::printf("seed %u\n", first);
  std::fflush(stdout);
  std::mt19937 random(first);
  EngineOptions options;
  options.path = tinyModel();
  options.threads = 1;
  options.memoryBytes = 64 << 20;
  Engine quiet(options);
  const auto expected = expectations(quiet);
  Tally tally;
  std::vector<Departure> departures;
  double widest = 0;
  const auto start = Clock::now();
  double warm = 0;
  int lives = 0;
  for (; std::chrono::duration<double>(Clock::now() - start).count() < seconds(); ++lives) {
    const size_t before = departures.size();
    life(random, expected, tally, departures);
    CHECK(tally.submitted == tally.ended);
    for (size_t d = before; d < departures.size(); ++d) {
      const Departure & departure = departures[d];
      const auto & wanted = expected.at(departure.known);
      widest = std::max(widest, gap(quiet, departure, wanted));
      if (widest < 0.1) continue;
      std::fprintf(stderr, "%s\nprompt %d, at most %d tokens, %.4f apart:", departure.life.c_str(),
                   departure.known.prompt, departure.known.maxTokens, widest);
      for (const Token token : departure.tokens) std::fprintf(stderr, " %d", token);
      std::fprintf(stderr, "\nnot:");
      for (const Token token : wanted) std::fprintf(stderr, " %d", token);
      std::fprintf(stderr, "\n");
    }
    CHECK(widest < 0.1);
    if (lives == 20) warm = residentMebibytes();
  }
  const double resident = residentMebibytes();
  std::printf(
      "%d engines, %lld jobs: %lld aborted, %lld failed; %lld compared, %zu differ where two tokens are within %.4f; "
      "%.0f MiB after 20 engines, %.0f now\n",
      lives, static_cast<long long>(tally.submitted), static_cast<long long>(tally.aborted),
      static_cast<long long>(tally.failed), static_cast<long long>(tally.compared), departures.size(), widest, warm,
      resident);
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
  if (warm > 0) CHECK(resident < warm + 64);
#endif
}
