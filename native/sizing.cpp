#include "sizing.h"

#include <algorithm>

#include "calibration.h"

namespace t1 {
namespace {

// Sequences beyond those that jobs need, where they cost little: for what later jobs may share, and to move rows.
constexpr int32_t kSpare = 16;
// Decodes that a job which is too long for the context waits at most for those that run.
constexpr int32_t kLongestWait = 256;
// Tokens from which on it is worth measuring which layout of the KV cache is faster: that costs about 2,000 tokens'
// time.
constexpr double kWorthCalibrating = 20'000;
// The fixed part of a decode, in rows, where it was not measured.
constexpr double kDecodeRows = 16;

}  // namespace

void Sizing::check(const Job & job) const {
  const auto longest = static_cast<double>(roundUpCells(job.longest()));
  if (longest <= runtime_.cellBudget()) return;
  throw Failure(Code::OutOfMemory, "one sequence of " + std::to_string(roundUpCells(job.longest())) + " tokens needs " +
                                       mebibytes(longest * runtime_.bytesPerCell()) + " of KV cache, the budget is " +
                                       mebibytes(runtime_.memoryBudget()) +
                                       ": lower max tokens or raise the memory budget");
}

// What is there to do now, as if all of it were alike.
Workload Sizing::workload() const {
  Workload work;
  double items = 0;
  double fresh = 0;
  for (const Job & job : jobs_) {
    for (const Item & item : job.items()) {
      const int32_t left = item.unbegun();
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

KvLayout Sizing::layout() {
  const EngineOptions & options = runtime_.options();
  if (options.kv != KvLayout::Auto) return options.kv;
  const Workload work = workload();
  KvCosts costs = statistics_.read().costs;
  // What is measured depends on the moment, so not where jobs are to come out alike.
  const bool worth =
      work.lanes * (work.length / work.sharing + work.fresh) >= kWorthCalibrating && !options.reproducible;
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

Sizing::Needs Sizing::needs() const {
  Needs needs;
  for (const Job & job : jobs_) {
    needs.waiting += job.unfinished();
    needs.cells += job.cells();
    needs.longest = std::max<int64_t>(needs.longest, job.longest());
    needs.reserve.sequences = std::max(needs.reserve.sequences, job.reserve().sequences);
    needs.reserve.tokens = std::max(needs.reserve.tokens, job.reserve().tokens);
  }
  needs.lanes = std::min<int64_t>(std::max<int64_t>(needs.waiting, needs.reserve.sequences), kMaxSequences);
  return needs;
}

Shape Sizing::wanted() { return wanted(layout()); }

Shape Sizing::wanted(KvLayout layout) const { return layout == KvLayout::Unified ? unified() : split(); }

// Room for as much again: the cache of the jobs before. Of what comes next it is not known what it shares.
Shape Sizing::unified() const {
  const Needs n = needs();
  const double later =
      1.0 * n.reserve.sequences * static_cast<double>(std::max<int64_t>(0, n.reserve.tokens - n.longest));
  const double wanted = std::min(runtime_.cellBudget(), 2.0 * static_cast<double>(n.cells) + later);
  const int64_t cells = std::max(roundUpCells(n.longest), static_cast<int64_t>(wanted) / kCellStep * kCellStep);
  const int64_t sequences = std::min<int64_t>(std::max<int64_t>(n.lanes + kSpare, 4 * n.lanes), kMaxSequences);
  return {static_cast<uint32_t>(sequences), static_cast<uint32_t>(cells), true};
}

Shape Sizing::split() const {
  const Needs n = needs();
  const double budget = runtime_.cellBudget();
  // A longer stream means a new context, so a little more than is needed now.
  const int64_t longer =
      std::min<int64_t>(std::max<int64_t>(n.longest + n.longest / 4, n.reserve.tokens), runtime_.contextLength());
  const int64_t roomy = roundUpCells(std::max(n.longest, longer));
  const bool easy = static_cast<double>(roomy) * static_cast<double>(n.lanes) <= budget / 4;
  const auto length = static_cast<double>(easy ? roomy : roundUpCells(n.longest));
  const auto fitting = static_cast<int64_t>(std::clamp(budget / length, 1.0, 1.0 * kMaxSequences));  // streams
  const auto cheap = static_cast<int64_t>(std::min(budget / 8 / length, 1.0 * kMaxSequences));
  const int64_t spare = std::clamp<int64_t>(cheap - n.lanes, 1, kSpare);
  // One stream to exchange others through, unless just that one is needed to let all lanes run at once.
  const int64_t streams = std::min(fitting, n.lanes + spare + 1);
  const bool scratch = streams > 2 && n.waiting != streams;
  return {static_cast<uint32_t>(streams - (scratch ? 1 : 0)), static_cast<uint32_t>(length), false, scratch};
}

bool Sizing::outgrown(Admission & admission) {
  const Shape present = runtime_.shape();
  const Needs n = needs();
  if (static_cast<int64_t>(present.cells) < n.longest) return longerAtOnce(admission);
  waited_ = 0;
  const Shape next = wanted(present.unified ? KvLayout::Unified : KvLayout::Split);
  // Doubling at least, so that it happens a few times in an engine's life.
  const bool more = std::min<int64_t>(n.waiting, next.sequences) >= 2 * static_cast<int64_t>(present.sequences);
  const bool larger = present.unified && next.cells > 2 * static_cast<int64_t>(present.cells);
  return (more || larger) && worthIt(next, admission);
}

// What is lost is read again; what is won is the fixed part of the decodes that are spared. In rows.
bool Sizing::worthIt(const Shape & wanted, Admission & admission) const {
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
  const double won =
      rows * fixed * (1 / std::max(1.0, together(runtime_.shape())) - 1 / std::max(1.0, together(wanted)));
  return won > static_cast<double>(admission.heldCells());
}

// Whether the jobs that are too long for the context get theirs now. Until then they wait, and the others go on.
bool Sizing::longerAtOnce(Admission & admission) {
  if (admission.idle() || ++waited_ >= kLongestWait) return true;
  double rows = 0;
  for (const Job & job : jobs_) {
    if (admission.fits(job)) continue;
    if (job.priority() == Priority::Interactive) return true;
    rows += static_cast<double>(job.cells());
  }
  return rows >= static_cast<double>(admission.heldCells());
}

}  // namespace t1
