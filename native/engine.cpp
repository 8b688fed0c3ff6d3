#include "engine.h"

#include <algorithm>

#include "generate.h"
#include "plan.h"
#include "score.h"

namespace t1 {
namespace {

void checkTokens(const std::vector<Token> & tokens, int32_t vocabulary, const char * what) {
  for (const Token token : tokens) {
    if (token >= 0 && token < vocabulary) continue;
    throw Failure(Code::Usage, std::string(what) + ": token " + std::to_string(token) + " is not in the vocabulary of " +
                                   std::to_string(vocabulary));
  }
}

void checkSampleJob(const SampleJob & job, int32_t vocabulary) {
  const SamplerParams & s = job.sampler;
  // Written so that NaN fails.
  if (!(s.temperature >= 0 && s.temperature <= 1e6f)) throw Failure(Code::Usage, "temperature must be 0 or more");
  if (s.topK < 0) throw Failure(Code::Usage, "topK must be 0 or more");
  if (!(s.topP > 0 && s.topP <= 1)) throw Failure(Code::Usage, "topP must be above 0 and at most 1");
  if (!(s.minP >= 0 && s.minP <= 1)) throw Failure(Code::Usage, "minP must be between 0 and 1");
  if (job.maxTokens < 1) throw Failure(Code::Usage, "maxTokens must be 1 or more");
  for (const std::string & stop : job.stop) {
    if (stop.empty()) throw Failure(Code::Usage, "a stop string must not be empty");
  }
  for (const SamplePrompt & prompt : job.prompts) {
    if (prompt.tokens.empty()) throw Failure(Code::Usage, "a prompt must have at least one token");
    checkTokens(prompt.tokens, vocabulary, "prompt");
  }
}

void checkScoreJob(const ScoreJob & job, int32_t vocabulary) {
  checkTokens(job.targets, vocabulary, "target");
  for (const ScoreSequence & sequence : job.sequences) {
    checkTokens(sequence.tokens, vocabulary, "sequence");
    for (const int32_t position : sequence.positions) {
      if (position >= 0 && position < static_cast<int32_t>(sequence.tokens.size())) continue;
      throw Failure(Code::Usage, "position " + std::to_string(position) + " is outside a sequence of " +
                                     std::to_string(sequence.tokens.size()) + " tokens");
    }
  }
}

Failure notActivated(const std::string & what, size_t index, const Adapter & adapter) {
  return Failure(Code::Usage, what + " " + std::to_string(index) + " lacks the " + std::to_string(adapter.invocation.size()) +
                                  " invocation tokens of the adapter '" + adapter.name + "', an activated LoRA: put them where the adapter is to begin");
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

Failure disposed() { return Failure(Code::Disposed, "the engine was disposed"); }

}  // namespace

Engine::Engine(const EngineOptions & options)
    : options_(options),
      vocabulary_(options.path),
      adapters_(readAdapters(options, vocabulary_.info())),
      runtime_(std::make_unique<Runtime>(options_, vocabulary_, adapters_, stop_)) {
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
  std::visit(
      [this](const auto & job) {
        if (!job.adapter.empty()) checkActivation(job, findAdapter(adapters_, job.adapter));
      },
      work);
}

uint64_t Engine::submit(Work work, Sink sink) {
  check(work);
  std::lock_guard lock(mutex_);
  if (stop_.disposed) throw disposed();
  queue_.push_back({++lastId_, std::move(work), std::move(sink)});
  wake_.notify_one();
  return lastId_;
}

void Engine::abort(uint64_t id) {
  Sink sink;
  {
    std::lock_guard lock(mutex_);
    if (id == runningId_) {
      stop_.aborted = true;
      return;
    }
    const auto job = std::find_if(queue_.begin(), queue_.end(), [=](const Job & j) { return j.id == id; });
    if (job == queue_.end()) return;
    sink = std::move(job->sink);
    queue_.erase(job);
  }
  sink(Failure(Code::Aborted, "aborted"));
}

void Engine::close() {
  std::deque<Job> ended;
  {
    std::lock_guard lock(mutex_);
    stop_.disposed = true;
    ended.swap(queue_);
  }
  wake_.notify_all();
  for (Job & job : ended) job.sink(disposed());
}

void Engine::join() {
  std::lock_guard lock(joining_);
  if (thread_.joinable()) thread_.join();
  runtime_.reset();
}

bool Engine::next(Job & job) {
  std::unique_lock lock(mutex_);
  runningId_ = 0;
  wake_.wait(lock, [this] { return stop_.disposed || !queue_.empty(); });
  if (stop_.disposed) return false;
  job = std::move(queue_.front());
  queue_.pop_front();
  runningId_ = job.id;
  stop_.aborted = false;
  return true;
}

void Engine::loop() {
  Job job;
  while (next(job)) {
    job.sink(execute(job));
    job = {};
  }
  // Freed where they were made.
  runtime_.reset();
}

Event Engine::execute(const Job & job) noexcept {
  Event result = Failure(Code::Internal, "unknown failure");
  try {
    if (const auto * work = std::get_if<SampleJob>(&job.work)) return SampleDone{generate(*runtime_, *work, job.sink)};
    return score(*runtime_, std::get<ScoreJob>(job.work));
  } catch (const Failure & failure) {
    result = failure;
    // After a stop the memory is cleared by the next job; after anything else the context is not trusted.
    if (failure.code == Code::Aborted || failure.code == Code::Disposed) return result;
  } catch (const std::bad_alloc &) {
    result = Failure(Code::OutOfMemory, "out of memory");
  } catch (const std::exception & error) {
    result = Failure(Code::Internal, error.what());
  } catch (...) {
  }
  runtime_->dropContext();
  return result;
}

}  // namespace t1
