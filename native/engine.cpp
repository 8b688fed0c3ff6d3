#include "engine.h"

#include <algorithm>
#include <cmath>

namespace t1 {
namespace {

void checkTokens(const std::vector<Token> & tokens, int32_t vocabulary, const char * what) {
  for (const Token token : tokens) {
    if (token >= 0 && token < vocabulary) continue;
    throw Failure(Code::Usage, std::string(what) + ": token " + std::to_string(token) +
                                   " is not in the vocabulary of " + std::to_string(vocabulary));
  }
}

void checkTop(int32_t topLogprobs) {
  if (topLogprobs >= 0 && topLogprobs <= kMostTop) return;
  throw Failure(Code::Usage, "topLogprobs must be between 0 and " + std::to_string(kMostTop));
}

void checkSampleJob(const SampleJob & job, int32_t vocabulary) {
  const SamplerParams & s = job.sampler;
  // Written so that NaN fails.
  if (!(s.temperature >= 0 && s.temperature <= 1e6f)) throw Failure(Code::Usage, "temperature must be 0 or more");
  if (s.topK < 0) throw Failure(Code::Usage, "topK must be 0 or more");
  if (!(s.topP > 0 && s.topP <= 1)) throw Failure(Code::Usage, "topP must be above 0 and at most 1");
  if (!(s.minP >= 0 && s.minP <= 1)) throw Failure(Code::Usage, "minP must be between 0 and 1");
  if (job.maxTokens < 1) throw Failure(Code::Usage, "maxTokens must be 1 or more");
  if (job.textIntervalMs && *job.textIntervalMs < 0) throw Failure(Code::Usage, "textIntervalMs must be 0 or more");
  checkTop(job.topLogprobs);
  for (const std::string & stop : job.stop) {
    if (stop.empty()) throw Failure(Code::Usage, "a stop string must not be empty");
  }
  for (const auto & [token, bias] : job.bias) {
    checkTokens({token}, vocabulary, "logit bias");
    // Adding +inf, or NaN, would leave no distribution.
    if (!(bias < INFINITY)) throw Failure(Code::Usage, "a logit bias must be a number, or -Infinity");
  }
  for (const SamplePrompt & prompt : job.prompts) {
    if (prompt.tokens.empty()) throw Failure(Code::Usage, "a prompt must have at least one token");
    checkTokens(prompt.tokens, vocabulary, "prompt");
    if (prompt.seeds.size() > INT32_MAX) throw Failure(Code::Usage, "a prompt must have at most 2147483647 samples");
  }
}

void checkScoreJob(const ScoreJob & job, int32_t vocabulary) {
  checkTokens(job.targets, vocabulary, "target");
  checkTop(job.topLogprobs);
  for (const ScoreSequence & sequence : job.sequences) {
    checkTokens(sequence.tokens, vocabulary, "sequence");
    for (const int32_t position : sequence.positions) {
      const auto length = static_cast<int32_t>(sequence.tokens.size());
      if (position < 0 || position >= length) {
        throw Failure(Code::Usage, "position " + std::to_string(position) + " is outside a sequence of " +
                                       std::to_string(length) + " tokens");
      }
      if (job.next && position + 1 == length) {
        throw Failure(Code::Usage, "position " + std::to_string(position) +
                                       " is the last of its sequence: there is no next token to score");
      }
    }
  }
}

void checkClassifyJob(const ClassifyJob & job, int32_t vocabulary) {
  for (const std::vector<Token> & tokens : job.sequences) {
    if (tokens.empty()) throw Failure(Code::Usage, "a sequence to classify must have at least one token");
    checkTokens(tokens, vocabulary, "sequence");
  }
}

Failure notActivated(const std::string & what, size_t index, const Adapter & adapter) {
  return Failure(Code::Usage, what + " " + std::to_string(index) + " lacks the " +
                                  std::to_string(adapter.invocation.size()) + " invocation tokens of the adapter '" +
                                  adapter.name + "', an activated LoRA: put them where the adapter is to begin");
}

void checkActivation(const SampleJob & job, const Adapter & adapter) {
  for (size_t p = 0; p < job.prompts.size(); ++p) {
    if (adapter.start(job.prompts[p].tokens) < 0) throw notActivated("prompt", p, adapter);
  }
}

void checkActivation(const ScoreJob & job, const Adapter & adapter) {
  for (size_t s = 0; s < job.sequences.size(); ++s) {
    if (adapter.start(job.sequences[s].tokens) < 0) throw notActivated("sequence", s, adapter);
  }
}

void checkActivation(const ClassifyJob & job, const Adapter & adapter) {
  for (size_t s = 0; s < job.sequences.size(); ++s) {
    if (adapter.start(job.sequences[s]) < 0) throw notActivated("sequence", s, adapter);
  }
}

// Jobs that belong together come within this.
constexpr std::chrono::milliseconds kGather(1);

Failure disposed() { return Failure(Code::Disposed, "the engine was disposed"); }

}  // namespace

Engine::Engine(const EngineOptions & options)
    : options_(options),
      vocabulary_(options.path),
      adapters_(readAdapters(options, vocabulary_.info())),
      runtime_(std::make_unique<Runtime>(options_, vocabulary_, adapters_, stop_)) {
  if (!options_.device.empty()) gpuDevice(options_.device);  // throws if there is none
  thread_ = std::thread([this] { loop(); });
}

Engine::~Engine() {
  close();
  join();
}

void Engine::check(const Work & work) const {
  const int32_t vocabulary = vocabulary_.size();
  if (const auto * job = std::get_if<SampleJob>(&work)) checkSampleJob(*job, vocabulary);
  if (const auto * job = std::get_if<ScoreJob>(&work)) checkScoreJob(*job, vocabulary);
  if (const auto * job = std::get_if<ClassifyJob>(&work)) checkClassifyJob(*job, vocabulary);
  if (const auto * job = std::get_if<SampleJob>(&work); job && !job->grammar.empty()) {
    Grammar::check(vocabulary_, job->grammar);
  }
  std::visit(
      [this](const auto & job) {
        if (!job.adapter.empty()) checkActivation(job, findAdapter(adapters_, job.adapter));
      },
      work);
}

uint64_t Engine::submit(Work work, Sink sink) {
  check(work);
  auto ticket = std::make_shared<Ticket>(std::move(work), std::move(sink), statistics_.read().decodes);
  std::lock_guard lock(mutex_);
  if (stop_.disposed) throw disposed();
  if (queue_.size() + running_.size() >= static_cast<size_t>(options_.queueLimit)) {
    throw Failure(Code::QueueFull, "the engine has " + std::to_string(options_.queueLimit) +
                                       " jobs already: wait until some have ended, or raise queueLimit");
  }
  ticket->id = ++lastId_;
  queue_.emplace(lastId_, std::move(ticket));
  wake_.notify_one();
  return lastId_;
}

void Engine::useCosts(const KvCosts & costs) {
  for (const double seconds :
       {costs.decode, costs.rowSplit, costs.rowUnified, costs.cellSplit, costs.cellUnified, costs.copy}) {
    if (!std::isfinite(seconds)) throw Failure(Code::Usage, "the costs of a decode must be numbers");
  }
  statistics_.change([&](Statistics & s) {
    s.costs = costs;
    s.calibrated = false;
  });
}

void Engine::abort(uint64_t id) {
  std::shared_ptr<Ticket> ticket;
  {
    std::lock_guard lock(mutex_);
    if (const auto running = running_.find(id); running != running_.end()) {
      if (!running->second->aborted.exchange(true)) --stop_.wanted;
      return;
    }
    const auto queued = queue_.find(id);
    if (queued == queue_.end()) return;
    ticket = std::move(queued->second);
    queue_.erase(queued);
  }
  ticket->sink(Failure(Code::Aborted, "aborted"));
}

void Engine::close() {
  std::map<uint64_t, std::shared_ptr<Ticket>> ended;
  {
    std::lock_guard lock(mutex_);
    stop_.disposed = true;
    ended.swap(queue_);
  }
  wake_.notify_all();
  for (const auto & [id, ticket] : ended) ticket->sink(disposed());
}

void Engine::join() {
  std::lock_guard lock(joining_);
  if (thread_.joinable()) thread_.join();
  runtime_.reset();
  vocabulary_.release();  // by now it is the weights'
}

// Jobs that were queued since; waits for one if there is nothing else to do. `gather`: and then for those that come at
// once after it, since a context is to be made that suits them all. False: the engine was disposed.
bool Engine::take(bool wait, bool gather, std::vector<std::shared_ptr<Ticket>> & taken) {
  std::unique_lock lock(mutex_);
  if (wait) wake_.wait(lock, [this] { return stop_.disposed || !queue_.empty(); });
  for (size_t seen = 0; wait && gather && !stop_.disposed && queue_.size() > seen;) {
    seen = queue_.size();
    wake_.wait_for(lock, kGather, [&] { return stop_.disposed || queue_.size() > seen; });
  }
  if (stop_.disposed) return false;
  for (const auto & [id, ticket] : queue_) taken.push_back(ticket);
  stop_.wanted += static_cast<int>(queue_.size());
  running_.merge(queue_);
  return true;
}

// Jobs that have ended.
void Engine::forget() {
  std::lock_guard lock(mutex_);
  std::erase_if(running_, [this](const auto & entry) {
    if (!entry.second->ended) return false;
    if (!entry.second->aborted) --stop_.wanted;
    return true;
  });
}

void Engine::loop() {
  {
    Scheduler scheduler(*runtime_, statistics_);
    std::vector<std::shared_ptr<Ticket>> taken;
    while (take(!scheduler.busy(), !scheduler.ready(), taken)) {
      for (const auto & ticket : taken) scheduler.add(ticket);
      taken.clear();
      forget();
      scheduler.step();
      forget();
    }
    scheduler.endAll(disposed());
  }
  // Freed where they were made.
  runtime_.reset();
  vocabulary_.release();  // by now it is the weights'
}

}  // namespace t1
