// A job on the decode thread: its prompts or sequences, and those of them that are on their way.
#pragma once

#include <atomic>
#include <chrono>
#include <list>
#include <optional>
#include <variant>
#include <vector>

#include "lane.h"
#include "prefix_cache.h"
#include "runtime.h"

namespace t1 {

using Work = std::variant<SampleJob, ScoreJob, ClassifyJob>;

// Added to the weights of a row that goes through the classification head: see Job::kind().
inline constexpr int32_t kHead = 1 << 30;

// A job between the threads: once it is queued, everything is only read but for the two flags.
struct Ticket {
  Ticket(Work work, Sink sink, int64_t decodes)
      : work(std::move(work)),
        sink(std::move(sink)),
        priority(std::visit([](const auto & job) { return job.priority; }, this->work)),
        ordinal(std::visit([](const auto & job) { return job.ordinal; }, this->work)),
        decodes(decodes) {}
  uint64_t id = 0;
  const Work work;
  const Sink sink;
  const Priority priority;
  const int64_t ordinal;
  const int64_t decodes;             // that had begun when it was queued
  std::atomic<bool> aborted{false};  // set by any thread
  bool ended = false;                // its final event was sent; decode thread only
};

class Job {
 public:
  // Throws Failure (PROMPT_TOO_LONG).
  Job(std::shared_ptr<Ticket> ticket, const Runtime & runtime);
  Job(const Job &) = delete;
  Job & operator=(const Job &) = delete;

  const Ticket & ticket() const { return *ticket_; }
  Priority priority() const { return ticket_->priority; }
  int64_t ordinal() const { return ticket_->ordinal; }
  bool ended() const { return ticket_->ended; }
  // Nothing is left to do but to say so.
  bool complete() const { return finished_ == total_; }
  bool sampling() const { return sampling_ != nullptr; }
  int32_t adapter() const { return adapter_; }
  // Lanes that have not come to their end.
  int64_t unfinished() const { return total_ - finished_; }
  // Lanes in all, and tokens of the longest.
  int64_t total() const { return total_; }
  int32_t longest() const { return longest_; }
  // Cells of all lanes if only each prompt's own samples share.
  int64_t cells() const { return cells_; }

  Reserve reserve() const { return sampling_ ? sampling_->reserve : Reserve{}; }

  std::vector<Item> & items() { return items_; }
  const std::vector<Item> & items() const { return items_; }
  std::list<Lane> & lanes() { return lanes_; }
  const std::list<Lane> & lanes() const { return lanes_; }
  Usage & usage() { return usage_; }
  // Begins the item's next lane.
  Lane & begin(int32_t item);
  Path path(const Lane & lane) const;
  Path path(const Item & item) const { return {item.tokens->data(), item.length, adapter_, item.start}; }
  // Rows of one kind may go into one decode: those of the same weights, and through the classification head or not.
  int32_t kind(const Lane & lane, int32_t position) const;
  // Most tokens that the lane may come to hold.
  int32_t most(const Lane & lane) const;
  int32_t most(const Item & item) const;
  // Tokens of the lane that may come from the cache.
  int32_t shareable(const Lane & lane) const;
  // Whether the logits after this token of the lane are wanted.
  bool wants(const Lane & lane, int32_t position) const;

  // Any thread of the pool, which catches what they throw; `worker` is its number. Logits are [vocabulary], or what the
  // classification head gave [classes]; false: they hold no distribution.
  Draw draw(Lane & lane, const float * logits, int worker);
  bool score(const Lane & lane, int32_t position, const float * logits, int worker);

  // Takes the lane's next token and says whether the lane goes on. `decodes`: that had begun by now.
  bool accept(Lane & lane, const Draw & draw, int64_t decodes);
  // Counts a lane that scores or classifies and whose tokens were all read.
  void finishScoring() { ++finished_; }
  // Sends the final event, the result or this failure. Once.
  void end(const Failure * failure = nullptr);
  // Sends what there is to tell: texts, as often as the job wants them, and progress, ten times a second at most.
  void report();

 private:
  void addPrompts();
  void addSequences();
  void addClassified();
  bool classify(const Lane & lane, const float * probabilities);
  void tellSample(Lane & lane, Finish reason);
  ScoreDone scored();
  void tellTexts(std::chrono::steady_clock::time_point now);
  template <typename Logprob>
  void addTop(TopLogprobs & top, size_t row, const float * logits, int worker, Logprob logprob);

  const std::shared_ptr<Ticket> ticket_;
  const Runtime & runtime_;
  const SampleJob * sampling_;
  const ScoreJob * scoring_;
  const ClassifyJob * classifying_;
  int32_t adapter_ = 0;
  std::vector<Item> items_;
  std::list<Lane> lanes_;                     // begun and unfinished
  std::vector<Sampler> samplers_;             // one per pool worker
  std::optional<Grammar> grammar_;            // at its beginning
  std::vector<std::vector<float>> scratch_;   // one per pool worker
  std::vector<std::vector<float>> logprobs_;  // [sequences][positions × targets], or [sequences][classes]
  int32_t top_ = 0;                           // most likely tokens wanted of each position; at most the vocabulary
  std::vector<TopTokens> topTokens_;          // one per pool worker, if any are wanted
  std::vector<std::vector<float>> next_;      // [sequences][positions], if wanted
  std::vector<TopLogprobs> tops_;             // [sequences], if wanted
  Usage usage_;
  int64_t total_ = 0;
  int64_t finished_ = 0;
  int64_t cells_ = 0;
  int32_t longest_ = 0;
  int64_t firstTokenDecodes_ = 0;
  std::chrono::steady_clock::time_point reported_;
  std::chrono::steady_clock::time_point toldTexts_;
};

// The order in which jobs are served: by rank, which is interactive ones first, then those of earlier problems, so that
// problems are finished one after the other; among those of one rank in order of arrival.
bool earlierRank(const Job & a, const Job & b);
bool before(const Job & a, const Job & b);

}  // namespace t1
