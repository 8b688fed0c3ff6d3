#include "calibration.h"

#include <algorithm>
#include <chrono>
#include <limits>

#include "log.h"

namespace t1 {
namespace {

// Sequences that are decoded together, and tokens each of them holds: the fewer-token measurement and the more-token
// one.
constexpr int32_t kRows = 16;
constexpr int32_t kFew = 192;
constexpr int32_t kMany = 448;  // with the tokens that are added while measuring, below the 512 cells of a stream
constexpr int32_t kCells = 512;
constexpr int kRepeats = 2;
constexpr int kRounds = 2;

using Clock = std::chrono::steady_clock;

double secondsSince(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

// Seconds of a decode while each sequence holds few tokens, and many.
struct Pair {
  double few;
  double many;
};

// A context of one layout whose sequences 0 … kRows-1 each hold cells of their own.
class Bench {
 public:
  Bench(const Runtime & runtime, KvLayout layout)
      : runtime_(runtime),
        unified_(layout == KvLayout::Unified),
        context_(runtime.newContext({kRows, unified_ ? static_cast<uint32_t>(kRows * kCells) : kCells, unified_}, 512)),
        batch_(512) {}

  // Lets every sequence hold `length` tokens; returns the seconds that copying a cell took (0 if unified).
  double fill(int32_t length) {
    llama_memory_t memory = llama_get_memory(context_.get());
    llama_memory_clear(memory, false);
    for (int32_t i = 0; i < length; ++i) batch_.add(token(i), i, 0, i + 1 == length);
    decode();
    length_ = length;
    if (!unified_) {
      const auto start = Clock::now();
      for (int32_t s = 1; s < kRows; ++s) llama_memory_seq_cp(memory, 0, s, -1, -1);
      const double step = stepOnce();  // does the copying
      const double copying = secondsSince(start);
      return std::max(0.0, copying - std::min(step, stepOnce())) / ((kRows - 1.0) * kCells);
    }
    // Not seq_cp: it would share the cells.
    std::vector<uint8_t> state(llama_state_seq_get_size(context_.get(), 0));
    llama_state_seq_get_data(context_.get(), state.data(), state.size(), 0);
    for (int32_t s = 1; s < kRows; ++s) {
      if (llama_state_seq_set_data(context_.get(), state.data(), state.size(), s) == 0) {
        throw Failure(Code::Internal, "llama.cpp took no copy of a sequence");
      }
    }
    stepOnce();
    return 0;
  }

  // Of a decode with one token of each of the first `rows` sequences.
  double step(int32_t rows = kRows) {
    double best = std::numeric_limits<double>::infinity();
    for (int i = 0; i < kRepeats; ++i) best = std::min(best, stepOnce(rows));
    return best;
  }

 private:
  static Token token(int32_t i) { return i % 7 + 1; }

  double stepOnce(int32_t rows = kRows) {
    llama_memory_t memory = llama_get_memory(context_.get());
    for (int32_t s = 0; s < rows; ++s) batch_.add(token(s), length_, s, true);
    const auto start = Clock::now();
    decode();
    const double seconds = secondsSince(start);
    for (int32_t s = 0; s < rows; ++s) llama_memory_seq_rm(memory, s, length_, -1);
    return seconds;
  }

  void decode() {
    clearLog();
    const int32_t status = llama_decode(context_.get(), batch_.raw());
    if (status == 0) llama_synchronize(context_.get());
    batch_.clear();
    runtime_.stop().check();
    checkDecode(status, false);
  }

  const Runtime & runtime_;
  const bool unified_;
  ContextHandle context_;
  Batch batch_;
  int32_t length_ = 0;
};

}  // namespace

KvCosts calibrate(const Runtime & runtime) {
  if (runtime.cellBudget() < kRows * kCells || runtime.contextLength() <= kMany) {
    throw Failure(Code::OutOfMemory,
                  "the memory budget has no room for " + std::to_string(kRows * kCells) + " cells to measure in");
  }
  // In turn, and the least of each: whatever else the machine does meanwhile only adds.
  const double never = std::numeric_limits<double>::infinity();
  double one = never;
  Pair split = {never, never};
  Pair unified = {never, never};
  double copy = never;
  Bench inSplit(runtime, KvLayout::Split);
  Bench inUnified(runtime, KvLayout::Unified);
  for (int round = 0; round < kRounds; ++round) {
    inSplit.fill(kFew);
    split.few = std::min(split.few, inSplit.step());
    one = std::min(one, inSplit.step(1));
    inUnified.fill(kFew);
    unified.few = std::min(unified.few, inUnified.step());
    copy = std::min(copy, inSplit.fill(kMany));
    split.many = std::min(split.many, inSplit.step());
    inUnified.fill(kMany);
    unified.many = std::min(unified.many, inUnified.step());
  }
  constexpr double cells = kMany - kFew;
  KvCosts costs;
  costs.copy = copy;
  costs.cellUnified = std::max(0.0, unified.many - unified.few) / (kRows * (kRows * cells));
  // A cell that counts costs at least what one costs that is masked.
  costs.cellSplit = std::max(costs.cellUnified, (split.many - split.few) / (kRows * cells));
  costs.rowSplit = std::max(0.0, split.few - one) / (kRows - 1) - costs.cellSplit * kFew;
  costs.decode = std::max(1e-9, one - costs.rowSplit - costs.cellSplit * kFew);
  costs.rowUnified = (unified.few - costs.decode) / kRows - costs.cellUnified * (kRows * kFew);
  return costs;
}

}  // namespace t1
