#include "admission.h"

#include <algorithm>

namespace t1 {

using State = PrefixCache::State;

void Admission::admit(bool stuck) {
  wishes_.reset();
  promised_ = earlier_ = {};
  full_ = false;
  stuck_ = stuck;
  const Job * last = nullptr;
  for (Job & job : jobs_) {
    if (!fits(job)) continue;  // see Sizing::outgrown()
    if (last && earlierRank(*last, job)) {
      if (full_) break;  // what is free, or becomes so, is for those before
      earlier_ = promised_;
    }
    last = &job;
    if (places() <= earlier_.places && job.priority() == Priority::Batch) break;
    if (admitLanes(job) == Placed::Yes) admitItems(job);
  }
}

bool Admission::fits(const Job & job) const { return job.longest() <= static_cast<int64_t>(runtime_.shape().cells); }

// Lanes that have lost their place come first.
Admission::Placed Admission::admitLanes(Job & job) {
  for (Lane & lane : job.lanes()) {
    if (lane.state() != Lane::State::Waiting) continue;
    const Placed placed = place(job, job.items()[lane.item], &lane);
    if (placed != Placed::Yes) return placed;
  }
  return Placed::Yes;
}

// In order, but an item that has to wait stops no other one of its rank: it may wait for what that one computes.
void Admission::admitItems(Job & job) {
  for (Item & item : job.items()) {
    if (item.unbegun() == 0) continue;
    const bool reading = item.reading();
    if (item.begun == 0 && promised_.places > 0 && places() <= promised_.places && !continues(job, item)) continue;
    while (!reading && item.unbegun() > 0 && place(job, item, nullptr) == Placed::Yes) {
      if (item.logits.empty()) break;  // its first lane reads the prompt, the others begin where it ends
    }
    if (item.begun > 0) {
      promised_.places += item.unbegun();
      promised_.cells += static_cast<int64_t>(item.unbegun()) * (job.most(item) - item.length);
    }
    if (places() == 0 && job.priority() == Priority::Batch) return;
  }
}

// Whether the item goes on where a cached sequence ends, and so takes no place from another.
bool Admission::continues(const Job & job, const Item & item) const {
  const PrefixCache & cache = sequences_.cache();
  const PrefixCache::Match match = cache.find(job.path(item), item.shareable);
  return match.slot >= 0 && cache.state(match.slot) == State::Idle && cache.length(match.slot) == match.ready;
}

// Gives a lane its sequence: the item's next one, or one that has begun. Where it has to wait for room, so do later
// ranks.
Admission::Placed Admission::place(Job & job, Item & item, Lane * lane) {
  const Placed placed = tryToPlace(job, item, lane);
  full_ = full_ || placed == Placed::NoRoom;
  return placed;
}

Admission::Placed Admission::tryToPlace(Job & job, Item & item, Lane * lane) {
  const PrefixCache & cache = sequences_.cache();
  if (busy() >= most_) return Placed::NoRoom;
  const Path path = lane ? job.path(*lane) : job.path(item);
  const bool drawn = !lane && !item.logits.empty();  // its first token is drawn from logits that are there
  PrefixCache::Match match = cache.find(path, drawn ? item.length : lane ? job.shareable(*lane) : item.shareable);
  const bool fork = drawn && match.ready == item.length;
  if (drawn && !fork) match = cache.find(path, item.shareable);
  if (match.planned > match.ready) {
    const Job * owner = at(match.plannedSlot).first;
    if (owner && owner->priority() >= job.priority()) return Placed::Computed;
  }
  // When nothing else runs, nothing will make place: then the cache has to.
  const bool last = stuck_ && idle();
  int32_t slot = findSlot(job, match, last);
  while (slot < 0 && park(job)) slot = findSlot(job, match, last);
  if (slot < 0) return Placed::NoRoom;
  const int64_t most = lane ? job.most(*lane) : job.most(item);
  while (!findCells(job, match, slot, most - match.ready, last)) {
    if (!park(job)) return Placed::NoRoom;
  }
  // Both may have evicted what was found.
  if (match.slot >= 0 && cache.state(match.slot) == State::Free) match = {};
  if (cache.state(slot) == State::Idle && slot != match.slot) sequences_.release(slot);
  const int32_t shared = sequences_.open(slot, path, match.slot, match.slot < 0 ? 0 : match.ready);
  if (!lane) {
    lane = &job.begin(static_cast<int32_t>(&item - job.items().data()));
    job.usage().sharedTokens += shared;
  }
  lane->place(slot, fork && shared == item.length ? item.logits.data() : nullptr);
  return Placed::Yes;
}

// A slot for what matched so: where it lies, a free one, or that of a cached sequence that may go. -1: none.
int32_t Admission::findSlot(const Job & job, const PrefixCache::Match & match, bool last) {
  const PrefixCache & cache = sequences_.cache();
  const int32_t source = match.slot;
  const bool idle = source >= 0 && cache.state(source) == State::Idle;
  if (idle && cache.length(source) == match.ready) return source;
  const int32_t free = cache.freeSlot();
  if (free >= 0) return free;
  if (cache.count(State::Idle) == 0) return -1;
  // To cut it back harms nobody who wishes for no more than stays.
  if (idle && wishes().depth(source) <= match.ready) return source;
  return evictable(job, {}, last);
}

// The cached sequence that goes next for this job, none of those `besides`: the oldest that nobody waits for, then the
// oldest that only jobs of later rank wait for; `last`: then any. -1: none.
int32_t Admission::evictable(const Job & job, const std::bitset<kMaxSequences> & besides, bool last) {
  const PrefixCache & cache = sequences_.cache();
  if (last) return cache.oldestIdle(besides);
  const int32_t unwanted = cache.oldestIdle(besides | wishes().slots());
  return unwanted >= 0 ? unwanted : cache.oldestIdle(besides | wishes().keptFrom(job));
}

// Evicts until a unified KV cache has room for `need` more cells. False: there is none.
bool Admission::findCells(const Job & job, const PrefixCache::Match & match, int32_t slot, int64_t need, bool last) {
  if (!runtime_.shape().unified) return true;
  std::bitset<kMaxSequences> used;
  used.set(static_cast<size_t>(slot));
  if (match.slot >= 0) used.set(static_cast<size_t>(match.slot));
  while (freeCells(match, slot) < need) {
    const int32_t oldest = evictable(job, used, last);
    if (oldest < 0) break;
    sequences_.release(oldest);
  }
  if (freeCells(match, slot) >= need) return true;
  if (!last) return false;
  // Nothing runs and it still does not fit: what was to be shared goes too, and the lane begins from nothing.
  releaseIdle();
  return true;
}

// Cells that nobody has and nobody was promised, once `slot` is taken for what matched so.
int64_t Admission::freeCells(const PrefixCache::Match & match, int32_t slot) const {
  const PrefixCache & cache = sequences_.cache();
  const int64_t given =
      cache.state(slot) == State::Idle ? cache.ownCells(slot, slot == match.slot ? match.ready : 0) : 0;
  return sequences_.capacity() - cache.cells() - reserved() - earlier_.cells + given;
}

// Cells that lanes with a place may still come to need.
int64_t Admission::reserved() const {
  int64_t cells = 0;
  for (const Job & job : jobs_) {
    for (const Lane & lane : job.lanes()) {
      if (lane.placed()) cells += job.most(lane) - static_cast<int64_t>(lane.tokens.size());
    }
  }
  return cells;
}

// Takes the place of the batch job that is served last (its lane that began last), for an interactive job. The lane
// reads its tokens again later.
bool Admission::park(const Job & job) {
  if (job.priority() != Priority::Interactive) return false;
  for (auto other = jobs_.rbegin(); other != jobs_.rend() && other->priority() == Priority::Batch; ++other) {
    const auto lane =
        std::find_if(other->lanes().rbegin(), other->lanes().rend(), [](const Lane & l) { return l.placed(); });
    if (lane == other->lanes().rend()) continue;
    release(*lane);
    return true;
  }
  return false;
}

void Admission::release(Lane & lane) {
  if (lane.placed()) sequences_.release(lane.lose());
}

void Admission::rest(Lane & lane) { sequences_.rest(lane.finish()); }

void Admission::release(Job & job) {
  for (Lane & lane : job.lanes()) release(lane);
  job.lanes().clear();
}

bool Admission::releaseIdle() {
  bool any = false;
  for (int32_t s = 0; s < sequences_.cache().size(); ++s) {
    if (sequences_.cache().state(s) != State::Idle) continue;
    sequences_.release(s);
    any = true;
  }
  return any;
}

// What is only kept goes, then lanes until it fits. Those are read again when others have ended; no more run at a time
// in this context than now.
void Admission::giveWay() {
  if (releaseIdle()) return;
  if (busy() < 2) throw Failure(Code::OutOfMemory, "one sequence alone finds no free cells in the KV cache");
  for (auto job = jobs_.rbegin(); job != jobs_.rend(); ++job) {
    const auto lane =
        std::find_if(job->lanes().rbegin(), job->lanes().rend(), [](const Lane & l) { return l.placed(); });
    if (lane == job->lanes().rend()) continue;
    release(*lane);
    most_ = busy();
    return;
  }
}

void Admission::compact() {
  if (!sequences_.compactable()) return;
  wishes_.reset();
  for (const auto & [from, to] : sequences_.compact(wishes().slots())) {
    if (Lane * lane = at(from).second) lane->move(to);
  }
}

int64_t Admission::heldCells() {
  wishes_.reset();
  std::bitset<kMaxSequences> held = wishes().slots();
  for (int32_t s = 0; s < sequences_.cache().size(); ++s) {
    if (sequences_.cache().state(s) == State::Busy) held.set(static_cast<size_t>(s));
  }
  return sequences_.cache().cells(held);
}

const Wishes & Admission::wishes() {
  if (!wishes_) wishes_.emplace(jobs_, sequences_.cache());
  return *wishes_;
}

// Whose sequence it is; null: nobody's.
std::pair<Job *, Lane *> Admission::at(int32_t slot) const {
  for (Job & job : jobs_) {
    for (Lane & lane : job.lanes()) {
      if (lane.slot() == slot) return {&job, &lane};
    }
  }
  return {nullptr, nullptr};
}

}  // namespace t1
