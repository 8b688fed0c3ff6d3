#include "packing.h"

#include <algorithm>

namespace t1 {
namespace {

// Decodes in a row with one adapter while another one's rows wait: a change costs about what planning a graph does.
constexpr int32_t kStay = 4;
// Prompts get at least this many tokens of a decode, however many samples are in it.
constexpr int32_t kLeastChunk = 32;

}  // namespace

std::vector<Entry> Packing::unread(std::list<Job> & jobs) const {
  std::vector<Entry> ready;
  for (Job & job : jobs) {
    if (job.ended()) continue;
    for (Lane & lane : job.lanes()) {
      if (lane.state() != Lane::State::Reading) continue;
      const auto rest = static_cast<int32_t>(lane.tokens.size()) - sequences_.cache().ready(lane.slot());
      if (rest > 0) ready.push_back({&job, &lane, rest});
    }
  }
  return ready;
}

// Where not all fit, those that have waited longest go first.
void Packing::sort(std::vector<Entry> & ready) const {
  std::stable_sort(ready.begin(), ready.end(), [](const Entry & a, const Entry & b) {
    if (a.job->priority() != b.job->priority()) return a.job->priority() > b.job->priority();
    if ((a.count == 1) != (b.count == 1)) return a.count == 1;
    if (a.count == 1) return a.lane->turn < b.lane->turn;
    if (a.job != b.job) return before(*a.job, *b.job);
    return a.lane->slot() < b.lane->slot();  // neighbours: a split KV cache computes those together
  });
}

std::vector<Entry> Packing::pack(std::list<Job> & jobs) {
  std::vector<Entry> ready = unread(jobs);
  if (ready.empty()) return {};
  kind_ = chooseKind(ready);
  std::erase_if(ready, [this](const Entry & e) { return kindOf(e) != kind_; });
  sort(ready);
  const int32_t ubatch = runtime_.options().ubatch;
  const auto prompts = std::count_if(ready.begin(), ready.end(), [](const Entry & e) { return e.count > 1; });
  const int32_t capacity = decoder_.room();
  const int32_t kept = prompts > 0 ? std::min({kLeastChunk, ubatch, capacity / 2 + capacity % 2}) : 0;
  int32_t room = std::min(capacity, std::max(ubatch, static_cast<int32_t>(ready.size()) + kept));
  int32_t outputs = decoder_.outputRoom();
  std::vector<Entry> entries;
  bool prompt = false;
  for (Entry & entry : ready) {
    if (entry.count == 1 && entry.job->priority() == Priority::Batch && room <= kept) continue;
    // llama.cpp computes sequences of a split KV cache together as far as the shortest goes: a cut one makes small
    // graphs.
    if (prompt && entry.count > room && entry.count <= ubatch / 2 && !runtime_.shape().unified) continue;
    const int32_t first = position(entry);
    int32_t count = 0;
    for (; count < std::min(entry.count, room); ++count) {
      if (entry.job->kind(*entry.lane, first + count) != kind_) break;
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
  return entries;
}

// That of an interactive job; otherwise the present one for some decodes, then the next.
int32_t Packing::chooseKind(const std::vector<Entry> & ready) {
  const auto first = std::find_if(ready.begin(), ready.end(),
                                  [](const Entry & e) { return e.job->priority() == Priority::Interactive; });
  int32_t chosen = first == ready.end() ? kind_ : kindOf(*first);
  if (first == ready.end()) {
    bool present = false;
    int32_t next = INT32_MAX;  // the lowest number above the present one, else the lowest of all
    int32_t lowest = INT32_MAX;
    for (const Entry & entry : ready) {
      const int32_t kind = kindOf(entry);
      present = present || kind == kind_;
      lowest = std::min(lowest, kind);
      if (kind > kind_) next = std::min(next, kind);
    }
    if (!present || stayed_ >= kStay) chosen = next != INT32_MAX ? next : lowest;
  }
  stayed_ = chosen == kind_ ? stayed_ + 1 : 1;
  return chosen;
}

}  // namespace t1
