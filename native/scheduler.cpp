#include "scheduler.h"

#include <algorithm>

namespace t1 {
namespace {

// Decodes in a row that llama.cpp may end as if somebody had asked it to.
constexpr int32_t kStops = 8;

}  // namespace

void Scheduler::add(const std::shared_ptr<Ticket> & ticket) {
  std::list<Job> made;
  const std::optional<Failure> failure = failureOf([&] {
    Job & job = made.emplace_back(ticket, runtime_);
    if (job.complete()) return;
    if (std::holds_alternative<ClassifyJob>(ticket->work)) runtime_.prepareHead();
    else runtime_.prepareWeights();
    sizing_.check(job);
    runtime_.tryAdapter(job.adapter());
  });
  if (failure && made.empty()) {
    ticket->ended = true;
    return ticket->sink(*failure);
  }
  if (failure || made.front().complete()) return made.front().end(failure ? &*failure : nullptr);
  enqueue(made);
}

void Scheduler::enqueue(std::list<Job> & made) {
  std::list<Job> & jobs = runtime_.options().reproducible ? waiting_ : jobs_;
  const auto next = std::find_if(jobs.begin(), jobs.end(), [&](const Job & job) { return before(made.front(), job); });
  jobs.splice(next, made);
}

// Reproducible: the next job has the engine to itself, and a context in which nothing else has happened.
void Scheduler::takeAlone() {
  if (!jobs_.empty() || waiting_.empty()) return;
  dropContext();
  jobs_.splice(jobs_.end(), waiting_, waiting_.begin());
}

void Scheduler::end(Job & job, const Failure * failure) {
  if (job.ended()) return;
  if (context_) context_->admission.release(job);
  job.end(failure);
}

void Scheduler::endAll(const Failure & failure) {
  for (Job & job : jobs_) end(job, &failure);
  for (Job & job : waiting_) end(job, &failure);
  jobs_.clear();
  waiting_.clear();
}

void Scheduler::endAborted() {
  const Failure failure(Code::Aborted, "aborted");
  for (std::list<Job> * jobs : {&jobs_, &waiting_}) {
    for (Job & job : *jobs) {
      if (job.ticket().aborted) end(job, &failure);
    }
    jobs->remove_if([](const Job & job) { return job.ended(); });
  }
}

void Scheduler::endComplete() {
  for (Job & job : jobs_) {
    if (!job.ended() && job.complete()) end(job);
  }
  jobs_.remove_if([](const Job & job) { return job.ended(); });
}

void Scheduler::step() {
  endAborted();
  takeAlone();
  if (jobs_.empty() || !prepareContext()) return;
  std::vector<Entry> entries;
  const std::optional<Failure> failure = failureOf([&] {
    context_->admission.admit(stuck_);
    decoding_.drawFirst(*context_);
    entries = context_->packing.pack(jobs_);
    if (!entries.empty()) decoding_.decode(*context_, entries);
  });
  if (failure) decodeFailed(entries, *failure);
  else if (!entries.empty()) stops_ = 0;
  stuck_ = entries.empty();
  for (Job & job : jobs_) {
    if (!job.ended()) job.report();
  }
  endComplete();
}

// After a failure the context is not trusted any more. Jobs that were in the decode end, the others begin their
// sequences anew.
void Scheduler::decodeFailed(const std::vector<Entry> & entries, const Failure & failure) {
  // A job that came just after the last one was aborted finds a decode stopped that it was in; but not again and again.
  const bool stopped = failure.code == Code::Disposed || (failure.code == Code::Aborted && ++stops_ < kStops);
  if (stopped) {
    // llama.cpp stopped between two micro-batches: what was in the decode is half there, the rest is as it was.
    // endAborted() or endAll() does the rest.
    for (const Entry & entry : entries) context_->admission.release(*entry.lane);
    return;
  }
  dropContext();
  const Failure unasked(Code::DecodeFailed, "llama.cpp stopped decoding, and nobody had asked it to");
  for (Job & job : jobs_) {
    const bool concerned =
        entries.empty() || std::any_of(entries.begin(), entries.end(), [&](const Entry & e) { return e.job == &job; });
    if (concerned) end(job, failure.code == Code::Aborted ? &unasked : &failure);
  }
}

// False: there is no context, and the jobs have failed.
bool Scheduler::prepareContext() {
  if (context_ && !sizing_.outgrown(context_->admission)) return true;
  dropContext();
  Shape shape;
  const std::optional<Failure> failure = failureOf([&] {
    runtime_.makeContext(sizing_.wanted());
    shape = runtime_.shape();
    context_.emplace(runtime_, jobs_);
  });
  if (failure) {
    dropContext();
    endAll(*failure);
    return false;
  }
  statistics_.change([&](Statistics & s) {
    ++s.contexts;
    s.kv = shape.unified ? KvLayout::Unified : KvLayout::Split;
    s.kvBytes = std::max(s.kvBytes, shape.allCells() * runtime_.bytesPerCell());
  });
  return true;
}

// Lanes wait for another one; their tokens are read again there.
void Scheduler::dropContext() {
  for (Job & job : jobs_) {
    for (Lane & lane : job.lanes()) {
      if (lane.placed()) lane.lose();
    }
  }
  sizing_.replaced();
  context_.reset();
  runtime_.dropContext();
}

}  // namespace t1
