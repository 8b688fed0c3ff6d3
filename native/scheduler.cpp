#include "scheduler.h"

#include <algorithm>
#include <cmath>

#include "calibration.h"
#include "weights_check.h"

namespace t1 {
namespace {

using State = PrefixCache::State;

// Decodes in a row with one adapter while another one's rows wait: a change costs about what planning a graph does.
constexpr int32_t kStay = 4;
// Prompts get at least this many tokens of a decode, however many samples are in it.
constexpr int32_t kLeastChunk = 32;
// Items that wait and whose wishes the cache respects; more would take longer to look up than they are worth.
constexpr int32_t kWishes = 512;
// Sequences beyond those that jobs need, where they cost little: for what later jobs may share, and to move rows.
constexpr int32_t kSpare = 16;
// Decodes in a row that llama.cpp may end as if somebody had asked it to.
constexpr int32_t kStops = 8;
// Decodes that a job which is too long for the context waits at most for those that run.
constexpr int32_t kLongestWait = 256;
// Tokens from which on it is worth measuring which layout of the KV cache is faster: that costs about 2,000 tokens' time.
constexpr double kWorthCalibrating = 20'000;
// The fixed part of a decode, in rows, where it was not measured.
constexpr double kDecodeRows = 16;

// The order in which jobs are served: by rank, which is interactive ones first, then those of earlier problems, so that
// problems are finished one after the other; among those of one rank in order of arrival.
bool earlierRank(const Job & a, const Job & b) {
  return a.priority() != b.priority() ? a.priority() > b.priority() : a.ordinal() < b.ordinal();
}

bool before(const Job & a, const Job & b) {
  if (earlierRank(a, b)) return true;
  return !earlierRank(b, a) && a.ticket().id < b.ticket().id;
}

Failure noDistribution(const Runtime & runtime) {
  const std::string weights = unusableWeights(runtime.options().path);
  return Failure(Code::DecodeFailed, "the logits of " + runtime.vocabulary().info().name + " hold no usable number (NaN or infinite): " +
                                         (weights.empty() ? "no NaN lies open in the file's weights, so they are damaged otherwise or the device is faulty"
                                                          : "the file is damaged, " + weights));
}

// Runs `body` and returns what it failed with.
template <typename Body>
std::optional<Failure> failureOf(Body body) {
  try {
    body();
    return std::nullopt;
  } catch (...) {
    return toFailure(std::current_exception());
  }
}

}  // namespace

// --- jobs ----------------------------------------------------------------------------------------------------------

void Scheduler::add(const std::shared_ptr<Ticket> & ticket) {
  std::list<Job> made;
  const std::optional<Failure> failure = failureOf([&] {
    Job & job = made.emplace_back(ticket, runtime_);
    if (job.complete()) return;
    if (std::holds_alternative<ClassifyJob>(ticket->work)) runtime_.prepareHead();
    else runtime_.prepareWeights();
    fit(job);
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
  for (Lane & lane : job.lanes()) release(lane);
  job.lanes().clear();
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
    admit();
    drawFresh();
    entries = pack();
    if (!entries.empty()) decode(entries);
  });
  if (failure) decodeFailed(entries, *failure);
  else if (!entries.empty()) stops_ = 0;
  stuck_ = entries.empty();
  for (Job & job : jobs_) {
    if (!job.ended()) job.report();
  }
  endComplete();
}

// After a failure the context is not trusted any more. Jobs that were in the decode end, the others begin their sequences anew.
void Scheduler::decodeFailed(const std::vector<Entry> & entries, const Failure & failure) {
  // A job that came just after the last one was aborted finds a decode stopped that it was in; but not again and again.
  const bool stopped = failure.code == Code::Disposed || (failure.code == Code::Aborted && ++stops_ < kStops);
  if (stopped) {
    // llama.cpp stopped between two micro-batches: what was in the decode is half there, the rest is as it was.
    // endAborted() or endAll() does the rest.
    for (const Entry & entry : entries) release(*entry.lane);
    return;
  }
  dropContext();
  const Failure unasked(Code::DecodeFailed, "llama.cpp stopped decoding, and nobody had asked it to");
  for (Job & job : jobs_) {
    const bool concerned = entries.empty() || std::any_of(entries.begin(), entries.end(), [&](const Entry & e) { return e.job == &job; });
    if (concerned) end(job, failure.code == Code::Aborted ? &unasked : &failure);
  }
}

// --- context -------------------------------------------------------------------------------------------------------

// Throws Failure (OUT_OF_MEMORY) if the budget does not hold the job's longest sequence.
void Scheduler::fit(const Job & job) {
  const int64_t longest = roundUpCells(job.longest());
  if (static_cast<double>(longest) <= runtime_.cellBudget()) return;
  throw Failure(Code::OutOfMemory, "one sequence of " + std::to_string(longest) + " tokens needs " +
                                       mebibytes(static_cast<double>(longest) * runtime_.bytesPerCell()) + " of KV cache, the budget is " +
                                       mebibytes(runtime_.memoryBudget()) + ": lower max tokens or raise the memory budget");
}

// What is there to do now, as if all of it were alike.
Workload Scheduler::workload() const {
  Workload work;
  double items = 0;
  double fresh = 0;
  for (const Job & job : jobs_) {
    for (const Item & item : job.items()) {
      const int32_t left = item.lanes - item.begun;
      items += left > 0 ? 1 : 0;
      work.lanes += left;
      work.length += 1.0 * left * item.length;
      fresh += job.sampling() ? 1.0 * left * (job.most(item) - item.length) : 0;
    }
  }
  if (work.lanes == 0) return work;
  work.sharing = work.lanes / items;
  work.length /= work.lanes;
  work.fresh = fresh / work.lanes;
  return work;
}

// For the jobs that run now. Measures first where that has not been done and the work is worth it.
KvLayout Scheduler::layout() {
  const EngineOptions & options = runtime_.options();
  if (options.kv != KvLayout::Auto) return options.kv;
  const Workload work = workload();
  KvCosts costs = statistics_.read().costs;
  // What is measured depends on the moment, so not where jobs are to come out alike.
  const bool worth = work.lanes * (work.length / work.sharing + work.fresh) >= kWorthCalibrating && !options.reproducible;
  if (!known(costs) && worth && !calibrated_) {
    calibrated_ = true;
    const std::optional<Failure> failure = failureOf([&] { costs = calibrate(runtime_); });
    if (!failure) {
      statistics_.change([&](Statistics & s) {
        s.costs = costs;
        s.calibrated = true;
      });
    }
    // Without room to measure in, or stopped meanwhile: the rule that needs no costs. What else is wrong will show.
  }
  const double together = runtime_.cellBudget() / std::max(1.0, work.length + work.fresh);
  const double shared = runtime_.cellBudget() / std::max(1.0, work.length / work.sharing + work.fresh);
  const double most = kMaxSequences;
  return chooseLayout(options.reproducible ? KvCosts{} : costs, work, std::min(together, most), std::min(shared, most));
}

// What the jobs that run now would like; at most what the memory budget holds.
Shape Scheduler::wantedShape(KvLayout layout) const {
  const double budget = runtime_.cellBudget();
  int64_t lanes = 0;
  int64_t cells = 0;
  int64_t longest = 0;
  Reserve reserve;
  for (const Job & job : jobs_) {
    lanes += job.unfinished();
    cells += job.cells();
    longest = std::max<int64_t>(longest, job.longest());
    reserve.sequences = std::max(reserve.sequences, job.reserve().sequences);
    reserve.tokens = std::max(reserve.tokens, job.reserve().tokens);
  }
  const int64_t waiting = lanes;
  lanes = std::min<int64_t>(std::max<int64_t>(lanes, reserve.sequences), kMaxSequences);
  if (layout == KvLayout::Unified) {
    // Room for as much again: the cache of the jobs before. Of what comes next it is not known what it shares.
    const double later = 1.0 * reserve.sequences * static_cast<double>(std::max<int64_t>(0, reserve.tokens - longest));
    const double wanted = std::min(budget, 2.0 * static_cast<double>(cells) + later);
    const auto whole = static_cast<uint32_t>(std::max(roundUpCells(longest), static_cast<int64_t>(wanted) / kCellStep * kCellStep));
    return {static_cast<uint32_t>(std::min<int64_t>(std::max<int64_t>(lanes + kSpare, 4 * lanes), kMaxSequences)), whole, true};
  }
  // A longer stream means a new context, so a little more than is needed now.
  const int64_t longer = std::min<int64_t>(std::max<int64_t>(longest + longest / 4, reserve.tokens), runtime_.contextLength());
  const int64_t roomy = roundUpCells(std::max(longest, longer));
  const bool easy = static_cast<double>(roomy) * static_cast<double>(lanes) <= budget / 4;
  const auto length = static_cast<double>(easy ? roomy : roundUpCells(longest));
  const auto fitting = static_cast<int64_t>(std::clamp(budget / length, 1.0, 1.0 * kMaxSequences));  // streams
  const auto cheap = static_cast<int64_t>(std::min(budget / 8 / length, 1.0 * kMaxSequences));
  const int64_t spare = std::clamp<int64_t>(cheap - lanes, 1, kSpare);
  // One stream to exchange others through, unless just that one is needed to let all lanes run at once.
  const int64_t streams = std::min(fitting, lanes + spare + 1);
  const bool scratch = streams > 2 && waiting != streams;
  return {static_cast<uint32_t>(streams - (scratch ? 1 : 0)), static_cast<uint32_t>(length), false, scratch};
}

// Whether a context of the wanted shape is worth all that the present one holds.
bool Scheduler::replaceable(const Shape & wanted) {
  const Shape present = runtime_.shape();
  int32_t longest = 0;
  int64_t lanes = 0;
  for (const Job & job : jobs_) {
    longest = std::max(longest, job.longest());
    lanes += job.unfinished();
  }
  if (present.cells < static_cast<uint32_t>(longest)) return longerAtOnce();
  waited_ = 0;
  // Doubling at least, so that it happens a few times in an engine's life.
  const bool more = std::min<int64_t>(lanes, wanted.sequences) >= 2 * static_cast<int64_t>(present.sequences);
  const bool larger = present.unified && wanted.cells > 2 * present.cells;
  if (!more && !larger) return false;
  // What is lost is read again; what is won is the fixed part of the decodes that are spared. In rows.
  const Workload work = workload();
  const KvCosts costs = statistics_.read().costs;
  const double fixed = known(costs) && costs.rowSplit > 0 ? costs.decode / costs.rowSplit : kDecodeRows;
  const double length = work.length / work.sharing + work.fresh + 1;
  // Rows of a decode: a token of each sequence, or many of a prompt.
  const auto together = [&](const Shape & shape) {
    const double lanes = shape.unified ? std::min<double>(shape.sequences, shape.cells / length) : shape.sequences;
    return work.fresh > 0 ? lanes : std::min<double>(runtime_.options().ubatch, lanes * work.length);
  };
  const double rows = work.lanes * (work.fresh > 0 ? work.fresh : work.length);
  const double won = rows * fixed * (1 / std::max(1.0, together(present)) - 1 / std::max(1.0, together(wanted)));
  return won > static_cast<double>(heldCells());
}

bool Scheduler::fitsContext(const Job & job) const { return job.longest() <= static_cast<int64_t>(runtime_.shape().cells); }

// Whether the jobs that are too long for the context get theirs now. Until then they wait, and the others go on.
bool Scheduler::longerAtOnce() {
  if (sequences_->cache().count(State::Busy) == 0 || ++waited_ >= kLongestWait) return true;
  double rows = 0;
  for (const Job & job : jobs_) {
    if (fitsContext(job)) continue;
    if (job.priority() == Priority::Interactive) return true;
    rows += static_cast<double>(job.cells());
  }
  return rows >= static_cast<double>(heldCells());
}

// Cells that would have to be computed again without the context.
int64_t Scheduler::heldCells() {
  wishes_.reset();
  std::bitset<kMaxSequences> held = wishes().slots;
  for (int32_t s = 0; s < sequences_->cache().size(); ++s) {
    if (sequences_->cache().state(s) == State::Busy) held.set(static_cast<size_t>(s));
  }
  return sequences_->cache().cells(held);
}

// False: there is no context, and the jobs have failed.
bool Scheduler::prepareContext() {
  if (sequences_ && !replaceable(wantedShape(runtime_.shape().unified ? KvLayout::Unified : KvLayout::Split))) return true;
  dropContext();
  const Shape wanted = wantedShape(layout());
  const std::optional<Failure> failure = failureOf([&] {
    runtime_.makeContext(wanted);
    sequences_.emplace(runtime_);
    decoder_.emplace(runtime_);
  });
  if (!failure) {
    const double cells = runtime_.shape().allCells();
    statistics_.change([&](Statistics & s) {
      ++s.contexts;
      s.kv = wanted.unified ? KvLayout::Unified : KvLayout::Split;
      s.kvBytes = std::max(s.kvBytes, cells * runtime_.bytesPerCell());
    });
    return true;
  }
  dropContext();
  endAll(*failure);
  return false;
}

void Scheduler::dropContext() {
  waited_ = 0;
  most_ = kMaxSequences;
  for (Job & job : jobs_) {
    for (Lane & lane : job.lanes()) {
      lane.slot = -1;
      lane.logits = nullptr;
    }
  }
  decoder_.reset();
  sequences_.reset();
  runtime_.dropContext();
}

// --- admission: which lanes get a sequence of the context -----------------------------------------------------------

void Scheduler::admit() {
  wishes_.reset();
  promised_ = earlier_ = {};
  full_ = false;
  const Job * last = nullptr;
  for (Job & job : jobs_) {
    if (!fitsContext(job)) continue;  // see replaceable()
    if (last && earlierRank(*last, job)) {
      if (full_) break;  // what is free, or becomes so, is for those before
      earlier_ = promised_;
    }
    last = &job;
    if (places() <= earlier_.places && job.priority() == Priority::Batch) break;
    if (admitLanes(job) == Placed::Yes) admitItems(job);
  }
}

// Sequences of the context that nobody runs in.
int64_t Scheduler::places() const { return sequences_->cache().size() - sequences_->cache().count(State::Busy); }

// Lanes that have lost their place come first.
Scheduler::Placed Scheduler::admitLanes(Job & job) {
  for (Lane & lane : job.lanes()) {
    if (lane.slot >= 0) continue;
    const Placed placed = place(job, job.items()[lane.item], &lane);
    if (placed != Placed::Yes) return placed;
  }
  return Placed::Yes;
}

// In order, but an item that has to wait stops no other one of its rank: it may wait for what that one computes.
void Scheduler::admitItems(Job & job) {
  for (Item & item : job.items()) {
    if (item.begun == item.lanes) continue;
    const bool reading = item.begun > 0 && item.logits.empty();
    if (item.begun == 0 && promised_.places > 0 && places() <= promised_.places && !hasPlace(job, item)) continue;
    while (!reading && item.begun < item.lanes && place(job, item, nullptr) == Placed::Yes) {
      if (item.logits.empty()) break;  // its first lane reads the prompt, the others begin where it ends
    }
    if (item.begun > 0) {
      promised_.places += item.lanes - item.begun;
      promised_.cells += static_cast<int64_t>(item.lanes - item.begun) * (job.most(item) - item.length);
    }
    if (places() == 0 && job.priority() == Priority::Batch) return;
  }
}

// Whether the item goes on where a cached sequence ends, and so takes no place from another.
bool Scheduler::hasPlace(const Job & job, const Item & item) const {
  const PrefixCache & cache = sequences_->cache();
  const PrefixCache::Match match = cache.find(job.path(item), item.shareable);
  return match.slot >= 0 && cache.state(match.slot) == State::Idle && cache.length(match.slot) == match.ready;
}

// Gives a lane its sequence: the item's next one, or one that has begun. Where it has to wait for room, so do later ranks.
Scheduler::Placed Scheduler::place(Job & job, Item & item, Lane * lane) {
  const Placed placed = tryToPlace(job, item, lane);
  full_ = full_ || placed == Placed::NoRoom;
  return placed;
}

Scheduler::Placed Scheduler::tryToPlace(Job & job, Item & item, Lane * lane) {
  const PrefixCache & cache = sequences_->cache();
  if (cache.count(State::Busy) >= most_) return Placed::NoRoom;
  const Path path = lane ? job.path(*lane) : job.path(item);
  const bool drawn = !lane && !item.logits.empty();  // its first token is drawn from logits that are there
  PrefixCache::Match match = cache.find(path, drawn ? item.length : lane ? job.shareable(*lane) : item.shareable);
  const bool fork = drawn && match.ready == item.length;
  if (drawn && !fork) match = cache.find(path, item.shareable);
  if (match.planned > match.ready) {
    const Job * owner = laneOf(match.plannedSlot).job;
    if (owner && owner->priority() >= job.priority()) return Placed::Computed;  // it is being computed
  }
  // When nothing else runs, nothing will make place: then the cache has to.
  const bool last = stuck_ && cache.count(State::Busy) == 0;
  int32_t slot = findSlot(job, match, last);
  while (slot < 0 && park(job)) slot = findSlot(job, match, last);
  if (slot < 0) return Placed::NoRoom;
  const int64_t most = lane ? job.most(*lane) : job.most(item);
  while (!findCells(job, match, slot, most - match.ready, last)) {
    if (!park(job)) return Placed::NoRoom;
  }
  // Both may have evicted what was found.
  if (match.slot >= 0 && cache.state(match.slot) == State::Free) match = {};
  if (cache.state(slot) == State::Idle && slot != match.slot) sequences_->release(slot);
  const int32_t shared = sequences_->open(slot, path, match.slot, match.slot < 0 ? 0 : match.ready);
  const bool fresh = lane == nullptr;
  if (fresh) lane = &job.begin(static_cast<int32_t>(&item - job.items().data()));
  lane->slot = slot;
  if (fresh) job.usage().sharedTokens += shared;
  if (fork && shared == item.length) lane->logits = item.logits.data();
  return Placed::Yes;
}

// A slot for what matched so: where it lies, a free one, or that of a cached sequence that may go. -1: none.
int32_t Scheduler::findSlot(const Job & job, const PrefixCache::Match & match, bool last) {
  const PrefixCache & cache = sequences_->cache();
  const int32_t source = match.slot;
  const bool idle = source >= 0 && cache.state(source) == State::Idle;
  if (idle && cache.length(source) == match.ready) return source;
  const int32_t free = cache.freeSlot();
  if (free >= 0) return free;
  if (cache.count(State::Idle) == 0) return -1;
  // To cut it back harms nobody who wishes for no more than stays.
  if (idle && wishes().depths[source] <= match.ready) return source;
  return evictable(job, {}, last);
}

// The cached sequence that goes next for this job, none of those `besides`: the oldest that nobody waits for, then the oldest
// that only jobs of later rank wait for; `last`: then any. -1: none.
int32_t Scheduler::evictable(const Job & job, const std::bitset<kMaxSequences> & besides, bool last) {
  const PrefixCache & cache = sequences_->cache();
  if (last) return cache.oldestIdle(besides);
  const int32_t unwanted = cache.oldestIdle(besides | wishes().slots);
  return unwanted >= 0 ? unwanted : cache.oldestIdle(besides | wishes().keptFrom(job));
}

// Evicts until a unified KV cache has room for `need` more cells. False: there is none.
bool Scheduler::findCells(const Job & job, const PrefixCache::Match & match, int32_t slot, int64_t need, bool last) {
  if (!runtime_.shape().unified) return true;
  const PrefixCache & cache = sequences_->cache();
  const auto room = [&] {
    const bool taken = cache.state(slot) == State::Idle;
    return sequences_->capacity() - cache.cells() - reserved() - earlier_.cells + (taken ? cache.ownCells(slot, slot == match.slot ? match.ready : 0) : 0);
  };
  std::bitset<kMaxSequences> used;
  used.set(static_cast<size_t>(slot));
  if (match.slot >= 0) used.set(static_cast<size_t>(match.slot));
  while (room() < need) {
    const int32_t oldest = evictable(job, used, last);
    if (oldest < 0) break;
    sequences_->release(oldest);
  }
  if (room() >= need) return true;
  if (!last) return false;
  // Nothing runs and it still does not fit: what was to be shared goes too, and the lane begins from nothing.
  for (int32_t s = 0; s < cache.size(); ++s) {
    if (cache.state(s) == State::Idle) sequences_->release(s);
  }
  return true;
}

// Takes the place of the batch job that is served last (its lane that began last), for an interactive job. The lane reads its tokens again later.
bool Scheduler::park(const Job & job) {
  if (job.priority() != Priority::Interactive) return false;
  for (auto other = jobs_.rbegin(); other != jobs_.rend() && other->priority() == Priority::Batch; ++other) {
    for (auto lane = other->lanes().rbegin(); lane != other->lanes().rend(); ++lane) {
      if (lane->slot < 0) continue;
      release(*lane);
      return true;
    }
  }
  return false;
}

void Scheduler::release(Lane & lane) {
  if (lane.slot >= 0 && sequences_) sequences_->release(lane.slot);
  lane.slot = -1;
  lane.logits = nullptr;
}

const Scheduler::Wishes & Scheduler::wishes() {
  if (wishes_) return *wishes_;
  const PrefixCache & cache = sequences_->cache();
  wishes_.emplace();
  wishes_->depths.resize(static_cast<size_t>(cache.size()));
  wishes_->earliest.resize(static_cast<size_t>(cache.size()));
  int32_t seen = 0;
  for (Job & job : jobs_) {
    for (const Item & item : job.items()) {
      if (item.begun == item.lanes || seen++ >= kWishes) continue;
      const PrefixCache::Match match = cache.find(job.path(item), item.logits.empty() ? item.shareable : item.length);
      if (match.slot < 0) continue;
      wishes_->slots.set(static_cast<size_t>(match.slot));
      wishes_->depths[match.slot] = std::max(wishes_->depths[match.slot], match.ready);
      if (!wishes_->earliest[match.slot]) wishes_->earliest[match.slot] = &job;
    }
  }
  return *wishes_;
}

std::bitset<kMaxSequences> Scheduler::Wishes::keptFrom(const Job & job) const {
  std::bitset<kMaxSequences> kept;
  for (size_t s = 0; s < earliest.size(); ++s) kept[s] = earliest[s] && !earlierRank(job, *earliest[s]);
  return kept;
}

// Cells that lanes with a place may still come to need.
int64_t Scheduler::reserved() const {
  int64_t cells = 0;
  for (const Job & job : jobs_) {
    for (const Lane & lane : job.lanes()) {
      if (lane.slot >= 0) cells += job.most(lane) - static_cast<int64_t>(lane.tokens.size());
    }
  }
  return cells;
}

// Nobody's: null.
Scheduler::Entry Scheduler::laneOf(int32_t slot) {
  for (Job & job : jobs_) {
    for (Lane & lane : job.lanes()) {
      if (lane.slot == slot) return {&job, &lane, 0};
    }
  }
  return {nullptr, nullptr, 0};
}

// --- decoding -------------------------------------------------------------------------------------------------------

// What goes into the next decode, in the order of its sequences: all of one adapter, samples that go on before prompts.
std::vector<Scheduler::Entry> Scheduler::pack() {
  const PrefixCache & cache = sequences_->cache();
  std::vector<Entry> ready;
  for (Job & job : jobs_) {
    if (job.ended()) continue;
    for (Lane & lane : job.lanes()) {
      const auto rest = lane.slot < 0 ? 0 : static_cast<int32_t>(lane.tokens.size()) - cache.ready(lane.slot);
      if (rest > 0) ready.push_back({&job, &lane, rest});
    }
  }
  if (ready.empty()) return {};
  const auto position = [&](const Entry & e) { return cache.ready(e.lane->slot); };
  const int32_t adapter = chooseAdapter(ready);
  std::erase_if(ready, [&](const Entry & e) { return e.job->kind(*e.lane, position(e)) != adapter; });
  // Where not all fit, those that have waited longest go first.
  std::stable_sort(ready.begin(), ready.end(), [](const Entry & a, const Entry & b) {
    if (a.job->priority() != b.job->priority()) return a.job->priority() > b.job->priority();
    if ((a.count == 1) != (b.count == 1)) return a.count == 1;
    if (a.count == 1) return a.lane->turn < b.lane->turn;
    if (a.job != b.job) return before(*a.job, *b.job);
    return a.lane->slot < b.lane->slot;  // neighbours: a split KV cache computes those together
  });
  const auto prompts = std::count_if(ready.begin(), ready.end(), [](const Entry & e) { return e.count > 1; });
  const int32_t capacity = decoder_->room();
  const int32_t kept = prompts > 0 ? std::min({kLeastChunk, runtime_.options().ubatch, capacity / 2 + capacity % 2}) : 0;
  int32_t room = std::min(capacity, std::max(runtime_.options().ubatch, static_cast<int32_t>(ready.size()) + kept));
  int32_t outputs = decoder_->outputRoom();
  std::vector<Entry> entries;
  bool prompt = false;
  for (Entry & entry : ready) {
    if (entry.count == 1 && entry.job->priority() == Priority::Batch && room <= kept) continue;
    // llama.cpp computes sequences of a split KV cache together as far as the shortest goes: a cut one makes small graphs.
    if (prompt && entry.count > room && entry.count <= runtime_.options().ubatch / 2 && !runtime_.shape().unified) continue;
    const int32_t first = position(entry);
    int32_t count = 0;
    for (; count < std::min(entry.count, room); ++count) {
      if (entry.job->kind(*entry.lane, first + count) != adapter) break;
      const bool output = entry.job->wants(*entry.lane, first + count);
      if (output && outputs == 0) break;
      outputs -= output ? 1 : 0;
    }
    if (count == 0) continue;
    room -= count;
    prompt = prompt || entry.count > 1;
    entry.count = count;
    entries.push_back(entry);
  }
  adapter_ = adapter;
  return entries;
}

// The adapter, or what Job::kind() says besides. The one of an interactive job; otherwise the present one for some decodes, then the next.
int32_t Scheduler::chooseAdapter(const std::vector<Entry> & ready) {
  const auto of = [&](const Entry & e) { return e.job->kind(*e.lane, sequences_->cache().ready(e.lane->slot)); };
  int32_t chosen = of(ready.front());
  if (ready.front().job->priority() == Priority::Batch) {
    bool present = false;
    int32_t next = INT32_MAX;  // the lowest number above the present one, else the lowest of all
    int32_t lowest = INT32_MAX;
    for (const Entry & entry : ready) {
      const int32_t adapter = of(entry);
      present = present || adapter == adapter_;
      lowest = std::min(lowest, adapter);
      if (adapter > adapter_) next = std::min(next, adapter);
    }
    chosen = present && stayed_ < kStay ? adapter_ : next != INT32_MAX ? next : lowest;
  }
  stayed_ = chosen == adapter_ ? stayed_ + 1 : 1;
  return chosen;
}

void Scheduler::decode(std::vector<Entry> & entries) {
  if (sequences_->compactable()) {
    wishes_.reset();
    for (const auto & [from, to] : sequences_->compact(wishes().slots)) {
      if (Lane * lane = laneOf(from).lane) lane->slot = to;
    }
  }
  std::sort(entries.begin(), entries.end(), [](const Entry & a, const Entry & b) { return a.lane->slot < b.lane->slot; });
  const bool head = adapter_ >= kHead;
  const bool changed = runtime_.useAdapter(head ? adapter_ - kHead : adapter_);
  runtime_.useHead(head);
  std::vector<Output> outputs;
  std::vector<int32_t> indices;
  decoder_->clear();
  for (const Entry & entry : entries) {
    const int32_t first = sequences_->cache().ready(entry.lane->slot);
    for (int32_t position = first; position < first + entry.count; ++position) {
      const bool output = entry.job->wants(*entry.lane, position);
      const int32_t index = decoder_->add(entry.lane->tokens[position], position, entry.lane->slot, output);
      if (!output) continue;
      outputs.push_back({entry.job, entry.lane, position, nullptr});
      indices.push_back(index);
    }
  }
  ++decodes_;
  countDecode(entries, changed);
  if (!decoder_->run()) return giveWay();
  for (const Entry & entry : entries) {
    const int32_t first = sequences_->cache().ready(entry.lane->slot);
    const int32_t length = entry.job->items()[entry.lane->item].length;
    entry.job->usage().promptTokens += std::clamp(length - first, 0, entry.count);
    entry.job->usage().decodedTokens += entry.count;
    entry.lane->turn = decodes_;
    sequences_->advance(entry.lane->slot, entry.count);
  }
  for (size_t i = 0; i < outputs.size(); ++i) {
    outputs[i].logits = head ? decoder_->classes(outputs[i].lane->slot) : decoder_->logits(indices[i]);
  }
  for (const Output & output : outputs) {
    Item & item = output.job->items()[output.lane->item];
    const bool more = output.job->sampling() && item.begun < item.lanes && output.position + 1 == item.length;
    if (more && item.logits.empty()) item.logits.assign(output.logits, output.logits + runtime_.vocabulary().size());
  }
  evaluate(outputs);
  accept(outputs);
  for (const Entry & entry : entries) {
    if (entry.job->ended() || entry.job->sampling() || entry.lane->slot < 0) continue;
    if (sequences_->cache().ready(entry.lane->slot) < static_cast<int32_t>(entry.lane->tokens.size())) continue;
    entry.job->finishScoring(*entry.lane);
    sequences_->rest(entry.lane->slot);
    entry.lane->slot = -1;
  }
  for (Job & job : jobs_) job.lanes().remove_if([](const Lane & lane) { return lane.finished; });
}

void Scheduler::countDecode(const std::vector<Entry> & entries, bool adapterChanged) {
  int64_t rows = 0;
  for (const Entry & entry : entries) rows += entry.count;
  int64_t unfinished = 0;
  for (const Job & job : jobs_) unfinished += job.unfinished();
  statistics_.change([&](Statistics & s) {
    s.decodes = decodes_;
    s.rows += rows;
    s.sequences += static_cast<int64_t>(entries.size());
    s.possibleSequences += std::min<int64_t>(unfinished, kMaxSequences);
    s.adapterChanges += adapterChanged ? 1 : 0;
  });
}

// llama.cpp had no cells although by our count there are: what is only kept goes, then lanes until it fits. Those are read
// again when others have ended; no more run at a time in this context than now.
void Scheduler::giveWay() {
  const PrefixCache & cache = sequences_->cache();
  bool any = false;
  for (int32_t s = 0; s < cache.size(); ++s) {
    if (cache.state(s) != State::Idle) continue;
    sequences_->release(s);
    any = true;
  }
  if (any) return;
  if (cache.count(State::Busy) < 2) throw Failure(Code::OutOfMemory, "one sequence alone finds no free cells in the KV cache");
  for (auto job = jobs_.rbegin(); job != jobs_.rend(); ++job) {
    const auto lane = std::find_if(job->lanes().rbegin(), job->lanes().rend(), [](const Lane & l) { return l.slot >= 0; });
    if (lane == job->lanes().rend()) continue;
    release(*lane);
    most_ = cache.count(State::Busy);
    return;
  }
}

// First tokens of lanes whose prompt had been read for another lane.
void Scheduler::drawFresh() {
  std::vector<Output> outputs;
  for (Job & job : jobs_) {
    for (Lane & lane : job.lanes()) {
      if (!lane.logits) continue;
      outputs.push_back({&job, &lane, static_cast<int32_t>(lane.tokens.size()) - 1, lane.logits});
      lane.logits = nullptr;
    }
  }
  if (outputs.empty()) return;
  evaluate(outputs);
  accept(outputs);
  for (Job & job : jobs_) {
    job.lanes().remove_if([](const Lane & lane) { return lane.finished; });
    for (Item & item : job.items()) {
      if (item.begun == item.lanes && !item.logits.empty()) item.logits = {};
    }
  }
}

// On all threads of the pool. What one output throws is kept with it and ends its job alone.
void Scheduler::evaluate(std::vector<Output> & outputs) {
  const Pool::Errors errors = runtime_.pool().run(static_cast<int>(outputs.size()), [&](int worker, int i) {
    Output & output = outputs[i];
    if (output.job->sampling()) {
      output.draw = output.job->draw(*output.lane, output.logits, worker);
      output.valid = output.draw.valid;
    } else {
      output.valid = output.job->score(*output.lane, output.position, output.logits, worker);
    }
  });
  for (size_t i = 0; i < outputs.size(); ++i) outputs[i].error = errors[i];
}

void Scheduler::accept(std::vector<Output> & outputs) {
  for (Output & output : outputs) {
    Job & job = *output.job;
    if (job.ended()) continue;  // by another of its outputs
    if (output.error) {
      const Failure failure = toFailure(output.error);
      end(job, &failure);
      continue;
    }
    if (!output.valid) {
      const Failure failure = noDistribution(runtime_);
      end(job, &failure);
      continue;
    }
    if (!job.sampling()) continue;
    if (output.draw.stuck) {
      const Failure failure(Code::Usage, "grammar and logit bias leave no token of " + runtime_.vocabulary().info().name +
                                             " that could come next: widen the grammar, or ban fewer tokens");
      end(job, &failure);
      continue;
    }
    Lane & lane = *output.lane;
    if (job.accept(lane, output.draw, decodes_)) {
      const auto last = static_cast<int32_t>(lane.tokens.size()) - 1;
      sequences_->append(lane.slot, lane.tokens.back(), job.path(lane).weights(last));
    } else {
      sequences_->rest(lane.slot);
      lane.slot = -1;
    }
  }
}

}  // namespace t1
