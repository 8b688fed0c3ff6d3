#include "job.h"

#include <algorithm>
#include <cmath>

namespace t1 {
namespace {

void checkLength(int32_t length, const Runtime & runtime) {
  if (length <= runtime.contextLength()) return;
  throw Failure(Code::PromptTooLong, "a sequence of " + std::to_string(length) +
                                         " tokens does not fit into the context of " +
                                         std::to_string(runtime.contextLength()));
}

}  // namespace

Job::Job(std::shared_ptr<Ticket> ticket, const Runtime & runtime)
    : ticket_(std::move(ticket)),
      runtime_(runtime),
      sampling_(std::get_if<SampleJob>(&ticket_->work)),
      scoring_(std::get_if<ScoreJob>(&ticket_->work)),
      classifying_(std::get_if<ClassifyJob>(&ticket_->work)),
      adapter_(std::visit([&](const auto & job) { return runtime.adapterNumber(job.adapter); }, ticket_->work)) {
  if (!classifying_) {
    top_ = std::min(sampling_ ? sampling_->topLogprobs : scoring_->topLogprobs, runtime.vocabulary().size());
    if (top_ > 0) topTokens_.resize(static_cast<size_t>(runtime.workers()));
  }
  if (sampling_) addPrompts();
  else if (scoring_) addSequences();
  else addClassified();
}

void Job::addPrompts() {
  const Adapter * adapter = runtime_.adapter(adapter_);
  for (const SamplePrompt & prompt : sampling_->prompts) {
    const auto length = static_cast<int32_t>(prompt.tokens.size());
    const auto lanes = static_cast<int32_t>(prompt.seeds.size());
    items_.push_back(
        {&prompt.tokens, length, adapter ? adapter->start(prompt.tokens) : 0, length - 1, lanes, 0, {}, {}});
    if (lanes == 0) continue;
    if (length >= runtime_.contextLength()) {
      throw Failure(Code::PromptTooLong, "a prompt of " + std::to_string(length) +
                                             " tokens leaves no room in the context of " +
                                             std::to_string(runtime_.contextLength()));
    }
    const int32_t cells = most(items_.back());
    longest_ = std::max(longest_, cells);
    cells_ += length + static_cast<int64_t>(lanes) * (cells - length);
    total_ += lanes;
  }
  if (!sampling_->grammar.empty()) grammar_.emplace(runtime_.vocabulary(), sampling_->grammar);
  scratch_.resize(static_cast<size_t>(runtime_.workers()));
  for (int w = 0; w < runtime_.workers(); ++w) samplers_.emplace_back(sampling_->sampler, runtime_.vocabulary().size());
}

void Job::addSequences() {
  const Adapter * adapter = runtime_.adapter(adapter_);
  scratch_.resize(static_cast<size_t>(runtime_.workers()));
  for (const auto & [tokens, positions] : scoring_->sequences) {
    logprobs_.emplace_back(positions.size() * scoring_->targets.size());
    next_.emplace_back(scoring_->next ? positions.size() : 0);
    const size_t tops = positions.size() * static_cast<size_t>(top_);
    tops_.push_back({top_, std::vector<Token>(tops), std::vector<float>(tops)});
    items_.push_back({&tokens, 0, 0, 0, 0, 0, {}, {}});
    if (logprobs_.back().empty() && next_.back().empty() && tops == 0) continue;
    Item & item = items_.back();
    for (size_t row = 0; row < positions.size(); ++row) {
      item.rows.emplace_back(positions[row], static_cast<int32_t>(row));
    }
    std::sort(item.rows.begin(), item.rows.end());
    item.shareable = item.rows.front().first;
    item.length = item.rows.back().first + 1;  // what comes after the last position is not read
    item.start = adapter ? adapter->start(tokens) : 0;
    item.lanes = 1;
    checkLength(item.length, runtime_);
    longest_ = std::max(longest_, item.length);
    cells_ += item.length;
    ++total_;
  }
}

void Job::addClassified() {
  const Adapter * adapter = runtime_.adapter(adapter_);
  logprobs_.resize(classifying_->sequences.size());
  for (const std::vector<Token> & tokens : classifying_->sequences) {
    const auto length = static_cast<int32_t>(tokens.size());
    items_.push_back({&tokens, length, adapter ? adapter->start(tokens) : 0, length - 1, 1, 0, {}, {}});
    checkLength(length, runtime_);
    longest_ = std::max(longest_, length);
    cells_ += length;
    ++total_;
  }
}

Lane & Job::begin(int32_t i) {
  Item & item = items_[i];
  Lane & lane = lanes_.emplace_back(i, item.begun++);
  lane.tokens.assign(item.tokens->begin(), item.tokens->begin() + item.length);
  if (sampling_) {
    lane.random.emplace(sampling_->prompts[i].seeds[lane.index]);
    lane.text.emplace(sampling_->stop);
    if (grammar_) lane.grammar = grammar_;
  }
  return lane;
}

Path Job::path(const Lane & lane) const {
  return {lane.tokens.data(), static_cast<int32_t>(lane.tokens.size()), adapter_, items_[lane.item].start};
}

int32_t Job::kind(const Lane & lane, int32_t position) const {
  const bool head = classifying_ && position + 1 == static_cast<int32_t>(lane.tokens.size());
  return path(lane).weights(position) + (head ? kHead : 0);
}

int32_t Job::most(const Item & item) const {
  // In this order: the sum of the two could overflow.
  return sampling_ ? item.length + std::min(sampling_->maxTokens, runtime_.contextLength() - item.length) : item.length;
}

int32_t Job::most(const Lane & lane) const { return most(items_[lane.item]); }

int32_t Job::shareable(const Lane & lane) const {
  return sampling_ ? static_cast<int32_t>(lane.tokens.size()) - 1 : items_[lane.item].shareable;
}

bool Job::wants(const Lane & lane, int32_t position) const {
  if (!scoring_) return position + 1 == static_cast<int32_t>(lane.tokens.size());
  const auto & rows = items_[lane.item].rows;
  const auto row = std::lower_bound(rows.begin(), rows.end(), std::pair(position, 0));
  return row != rows.end() && row->first == position;
}

// As in llama.cpp's own programs: first without the grammar, whose look at a whole vocabulary is slow, and only if the
// token is not allowed once more among those that are. Both together draw from what the grammar leaves. The
// log-probability is that of the raw distribution.
Draw Job::draw(Lane & lane, const float * logits, int worker) {
  Sampler & sampler = samplers_[worker];
  if (sampling_->bias.empty() && !lane.grammar) {
    const Draw draw = sampler.draw(logits, *lane.random);
    if (top_ > 0 && draw.valid) {
      addTop(lane.top, lane.logprobs.size(), logits, worker, [&](float logit) { return sampler.logprob(logit); });
    }
    return draw;
  }
  std::vector<float> & row = scratch_[worker];
  const auto size = static_cast<size_t>(runtime_.vocabulary().size());
  std::vector<float> summary;
  const double total = logSumExp(logits, runtime_.vocabulary().size(), summary);
  if (std::isnan(total)) return {.valid = false};
  row.assign(logits, logits + size);
  for (const auto & [token, bias] : sampling_->bias) row[static_cast<size_t>(token)] += bias;
  Draw draw = sampler.draw(row.data(), *lane.random);
  if (lane.grammar && (!draw.valid || !lane.grammar->allows(draw.token))) {
    if (!lane.grammar->mask(row)) return {.stuck = true};
    draw = sampler.draw(row.data(), *lane.random);
  }
  // The logits themselves were fine.
  if (!draw.valid) return {.stuck = true};
  if (lane.grammar) lane.grammar->accept(draw.token);
  draw.logprob = static_cast<float>(logits[draw.token] - total);
  if (top_ > 0) {
    addTop(lane.top, lane.logprobs.size(), logits, worker,
           [&](float logit) { return static_cast<float>(logit - total); });
  }
  return draw;
}

// Fills, or adds, this row of `top`. `logprob`: of a logit.
template <typename Logprob>
void Job::addTop(TopLogprobs & top, size_t row, const float * logits, int worker, Logprob logprob) {
  const auto k = static_cast<size_t>(top_);
  const std::vector<Candidate> & best = topTokens_[worker].find(logits, runtime_.vocabulary().size(), top_);
  if (top.tokens.size() < (row + 1) * k) {
    top.tokens.resize((row + 1) * k);
    top.logprobs.resize((row + 1) * k);
  }
  for (size_t i = 0; i < k; ++i) {
    top.tokens[row * k + i] = best[i].token;
    top.logprobs[row * k + i] = logprob(best[i].logit);
  }
}

bool Job::score(const Lane & lane, int32_t position, const float * logits, int worker) {
  if (classifying_) return classify(lane, logits);
  const double total = logSumExp(logits, runtime_.vocabulary().size(), scratch_[worker]);
  if (std::isnan(total)) return false;
  const auto logprob = [&](float logit) { return static_cast<float>(logit - total); };
  const std::vector<Token> & tokens = *items_[lane.item].tokens;
  const auto & rows = items_[lane.item].rows;
  for (auto at = std::lower_bound(rows.begin(), rows.end(), std::pair(position, 0));
       at != rows.end() && at->first == position; ++at) {
    const auto row = static_cast<size_t>(at->second);
    float * out = logprobs_[lane.item].data() + row * scoring_->targets.size();
    for (const Token target : scoring_->targets) *out++ = logprob(logits[target]);
    if (scoring_->next) next_[lane.item][row] = logprob(logits[tokens[static_cast<size_t>(position) + 1]]);
    if (top_ > 0) addTop(tops_[lane.item], row, logits, worker, logprob);
  }
  return true;
}

// llama.cpp has made probabilities of what the head gave. Anything else would be taken for something that it is not.
bool Job::classify(const Lane & lane, const float * probabilities) {
  const auto classes = static_cast<size_t>(runtime_.classes());
  std::vector<float> & scores = logprobs_[lane.item];
  double total = 0;
  for (size_t c = 0; c < classes; ++c) {
    if (!(probabilities[c] >= 0)) return false;
    total += probabilities[c];
    scores.push_back(std::log(probabilities[c]));
  }
  return std::abs(total - 1) < 1e-3;
}

bool Job::accept(Lane & lane, const Draw & draw, int64_t decodes) {
  if (usage_.generatedTokens++ == 0) firstTokenDecodes_ = decodes - ticket_->decodes;
  std::optional<Finish> reason;
  if (runtime_.vocabulary().isEog(draw.token)) {
    reason = Finish::Eog;
  } else {
    lane.tokens.push_back(draw.token);
    lane.logprobs.push_back(draw.logprob);
    if (lane.text->append(runtime_.vocabulary().piece(draw.token))) reason = Finish::Stop;
    else if (static_cast<int32_t>(lane.tokens.size()) >= most(lane)) reason = Finish::Length;
  }
  if (reason) tellSample(lane, *reason);
  return !reason;
}

void Job::tellSample(Lane & lane, Finish reason) {
  ++finished_;
  Sample sample{lane.item, lane.index, lane.text->utf8(), {}, std::move(lane.logprobs), reason, {}, {}};
  sample.tokens.assign(lane.tokens.begin() + items_[lane.item].length, lane.tokens.end());
  if (sampling_->topLogprobs > 0) {
    sample.top = std::move(lane.top);
    sample.top->k = top_;
    sample.top->tokens.resize(sample.tokens.size() * static_cast<size_t>(top_));
    sample.top->logprobs.resize(sample.top->tokens.size());
  }
  if (sampling_->textIntervalMs) sample.rest = lane.text->rest();
  ticket_->sink(std::move(sample));
}

void Job::end(const Failure * failure) {
  ticket_->ended = true;
  if (failure) ticket_->sink(*failure);
  else if (sampling_) ticket_->sink(SampleDone{usage_, firstTokenDecodes_});
  else if (scoring_) ticket_->sink(scored());
  else ticket_->sink(ClassifyDone{std::move(logprobs_), runtime_.classLabels(), usage_});
}

ScoreDone Job::scored() {
  ScoreDone done{std::move(logprobs_), usage_, {}, {}};
  if (scoring_->next) done.next = std::move(next_);
  if (scoring_->topLogprobs > 0) done.top = std::move(tops_);
  return done;
}

void Job::tellTexts(std::chrono::steady_clock::time_point now) {
  if (now - toldTexts_ < std::chrono::milliseconds(*sampling_->textIntervalMs)) return;
  Texts texts;
  for (Lane & lane : lanes_) {
    if (lane.state() == Lane::State::Finished) continue;
    std::string text = lane.text->take();
    if (text.empty()) continue;
    texts.pieces.push_back({lane.item, lane.index, std::move(text), static_cast<int32_t>(lane.logprobs.size())});
  }
  if (texts.pieces.empty()) return;
  toldTexts_ = now;
  ticket_->sink(std::move(texts));
}

void Job::report() {
  if (!sampling_) return;
  const auto now = std::chrono::steady_clock::now();
  if (sampling_->textIntervalMs) tellTexts(now);
  if (now - reported_ < std::chrono::milliseconds(100)) return;
  reported_ = now;
  ticket_->sink(Progress{finished_, total_, usage_.generatedTokens});
}

bool earlierRank(const Job & a, const Job & b) {
  return a.priority() != b.priority() ? a.priority() > b.priority() : a.ordinal() < b.ordinal();
}

bool before(const Job & a, const Job & b) {
  if (earlierRank(a, b)) return true;
  return !earlierRank(b, a) && a.ticket().id < b.ticket().id;
}

}  // namespace t1
