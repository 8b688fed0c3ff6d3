#include "generate.h"

#include <algorithm>
#include <chrono>

#include "decoder.h"
#include "plan.h"
#include "prefix.h"
#include "sampler.h"
#include "text.h"

namespace t1 {
namespace {

// One sample in the making.
struct Row {
  Row(const SampleJob & job, int32_t prompt, int32_t index)
      : prompt(prompt), index(index), random(job.prompts[prompt].seeds[index]), text(job.stop) {}
  int32_t prompt;
  int32_t index;
  Random random;
  Text text;
  std::vector<Token> tokens;
  std::vector<float> logprobs;
  int32_t sequence = 0;  // place in the KV cache
  bool finished = false;
};

// A row and the logits its next token is drawn from.
struct Turn {
  Row * row;
  const float * logits;
};

class Generator {
 public:
  Generator(Runtime & runtime, const SampleJob & job, const Sink & sink) : runtime_(runtime), job_(job), sink_(sink) {}
  Usage run();

 private:
  void prepare();
  void wave(std::vector<Row> rows);
  void prefillHeads(std::vector<Row> & rows, Decoder & decoder);
  void decodeRows(std::vector<Row *> live, Decoder & decoder);
  void sample(const std::vector<Turn> & turns);
  void accept(Row & row, const Draw & draw);
  void finish(Row & row, Finish reason);
  void compact(std::vector<Row *> & live);
  void report();
  int32_t room(int32_t prompt) const;

  Runtime & runtime_;
  const SampleJob & job_;
  const Sink & sink_;
  Usage usage_;
  Plan plan_;
  std::vector<Lane> lanes_;
  std::vector<int32_t> indices_;  // per lane: index into its prompt's seeds
  Prefix prefix_;                 // of all prompts
  std::vector<int32_t> starts_;   // per prompt: first token that the adapter sees
  bool activated_ = false;        // the adapter sees the prompts' ends only
  std::vector<Sampler> samplers_;  // one per pool worker
  Progress progress_;
  std::chrono::steady_clock::time_point reported_;
};

// New tokens that a prompt has room for.
int32_t Generator::room(int32_t prompt) const {
  const auto length = static_cast<int32_t>(job_.prompts[prompt].tokens.size());
  return std::min(job_.maxTokens, runtime_.contextLength() - length);
}

void Generator::prepare() {
  std::vector<const std::vector<Token> *> prompts;
  const Adapter * adapter = runtime_.adapter(job_.adapter);
  activated_ = adapter && adapter->activated();
  int32_t earliest = INT32_MAX;
  for (int32_t p = 0; p < static_cast<int32_t>(job_.prompts.size()); ++p) {
    const SamplePrompt & prompt = job_.prompts[p];
    starts_.push_back(activated_ ? adapter->start(prompt.tokens) : 0);
    if (prompt.seeds.empty()) continue;
    if (room(p) < 1) {
      throw Failure(Code::PromptTooLong, "a prompt of " + std::to_string(prompt.tokens.size()) +
                                             " tokens leaves no room in the context of " +
                                             std::to_string(runtime_.contextLength()));
    }
    prompts.push_back(&prompt.tokens);
    if (activated_) earliest = std::min(earliest, starts_.back());
    for (int32_t i = 0; i < static_cast<int32_t>(prompt.seeds.size()); ++i) {
      lanes_.push_back({p, static_cast<int32_t>(prompt.tokens.size()) + room(p)});
      indices_.push_back(i);
    }
  }
  if (lanes_.empty()) return;
  prefix_.set(prompts.front()->data(), commonPrefix(prompts, earliest));
  progress_.total = static_cast<int64_t>(lanes_.size());
  for (int w = 0; w < runtime_.pool().workers(); ++w) samplers_.emplace_back(job_.sampler, runtime_.vocabulary().size());
}

Usage Generator::run() {
  prepare();
  if (lanes_.empty()) return usage_;
  runtime_.prepareWeights();
  plan_ = plan(runtime_, lanes_, prefix_.length());
  runtime_.prepareContext(plan_.shape, job_.adapter);
  for (const auto & lanes : plan_.waves) {
    std::vector<Row> rows;
    rows.reserve(lanes.size());
    for (const int32_t lane : lanes) rows.emplace_back(job_, lanes_[lane].prompt, indices_[lane]);
    wave(std::move(rows));
  }
  return usage_;
}

void Generator::wave(std::vector<Row> rows) {
  Decoder decoder(runtime_);
  prefillHeads(rows, decoder);
  std::vector<Row *> live;
  for (Row & row : rows) {
    if (!row.finished) live.push_back(&row);
  }
  std::sort(live.begin(), live.end(), [](const Row * a, const Row * b) { return a->sequence < b->sequence; });
  decodeRows(std::move(live), decoder);
  usage_.decodedTokens += decoder.decodedTokens();
}

// Sequences 0 … heads-1 read one prompt each, longest rest first; then every row gets its head's cells and first token.
void Generator::prefillHeads(std::vector<Row> & rows, Decoder & decoder) {
  std::vector<int32_t> heads;  // prompts of this wave
  for (const Row & row : rows) {
    if (heads.empty() || heads.back() != row.prompt) heads.push_back(row.prompt);
  }
  const auto length = [this](int32_t prompt) { return static_cast<int32_t>(job_.prompts[prompt].tokens.size()); };
  std::stable_sort(heads.begin(), heads.end(), [&](int32_t a, int32_t b) { return length(a) > length(b); });
  std::vector<std::vector<Row *>> rowsOf(heads.size());
  auto next = static_cast<int32_t>(heads.size());
  for (Row & row : rows) {
    const auto head = std::find(heads.begin(), heads.end(), row.prompt) - heads.begin();
    row.sequence = rowsOf[head].empty() ? static_cast<int32_t>(head) : next++;
    rowsOf[head].push_back(&row);
  }

  if (activated_) runtime_.switchAdapter(false);
  usage_.promptTokens += prefix_.share(runtime_, decoder, static_cast<int32_t>(heads.size()));
  std::vector<Span> unseen;  // by an activated adapter
  std::vector<Span> spans;
  std::vector<Turn> turns;
  for (size_t h = 0; h < heads.size(); ++h) {
    const std::vector<Token> & tokens = job_.prompts[heads[h]].tokens;
    const int32_t rest = length(heads[h]) - prefix_.length();
    const int32_t start = std::max(prefix_.length(), starts_[heads[h]]);
    unseen.push_back({static_cast<int32_t>(h), prefix_.length(), tokens.data() + prefix_.length(), start - prefix_.length()});
    spans.push_back({static_cast<int32_t>(h), start, tokens.data() + start, length(heads[h]) - start});
    usage_.promptTokens += rest;
    if (rest > 0) continue;
    for (Row * row : rowsOf[h]) turns.push_back({row, prefix_.logits()});
  }
  sample(turns);
  decoder.feed(unseen, [](int32_t, int32_t) { return false; }, [](const std::vector<Output> &) {});
  if (activated_) runtime_.switchAdapter(true);
  decoder.feed(spans, [&](int32_t s, int32_t i) { return i + 1 == spans[s].count; },
               [&](const std::vector<Output> & outputs) {
                 turns.clear();
                 for (const Output & output : outputs) {
                   for (Row * row : rowsOf[output.span]) turns.push_back({row, output.logits});
                 }
                 sample(turns);
               });
  for (size_t h = 0; h < heads.size(); ++h) {
    for (const Row * row : rowsOf[h]) {
      if (row->sequence == static_cast<int32_t>(h) || row->finished) continue;
      llama_memory_seq_cp(runtime_.memory(), static_cast<int32_t>(h), row->sequence, -1, -1);
    }
  }
}

// One token of every live row per decode.
void Generator::decodeRows(std::vector<Row *> live, Decoder & decoder) {
  std::vector<Turn> turns;
  compact(live);
  while (!live.empty()) {
    for (size_t begin = 0; begin < live.size();) {
      size_t end = begin;
      for (; end < live.size() && !decoder.full(); ++end) {
        const Row & row = *live[end];
        const size_t length = job_.prompts[row.prompt].tokens.size() + row.tokens.size();
        decoder.add(row.tokens.back(), static_cast<int32_t>(length) - 1, row.sequence, true);
      }
      decoder.run();
      turns.clear();
      for (size_t i = begin; i < end; ++i) turns.push_back({live[i], decoder.logits(static_cast<int32_t>(i - begin))});
      sample(turns);
      begin = end;
    }
    report();
    compact(live);
  }
}

void Generator::sample(const std::vector<Turn> & turns) {
  std::vector<Draw> draws(turns.size());
  runtime_.pool().run(static_cast<int>(turns.size()), [&](int worker, int i) {
    draws[i] = samplers_[worker].draw(turns[i].logits, turns[i].row->random);
  });
  for (size_t i = 0; i < turns.size(); ++i) accept(*turns[i].row, draws[i]);
}

void Generator::accept(Row & row, const Draw & draw) {
  if (!draw.valid) {
    throw Failure(Code::DecodeFailed, "the logits of " + runtime_.vocabulary().info().name +
                                          " hold no usable number (NaN or infinite): the file is damaged or the device is faulty");
  }
  ++usage_.generatedTokens;
  ++progress_.generatedTokens;
  if (runtime_.vocabulary().isEog(draw.token)) return finish(row, Finish::Eog);
  row.tokens.push_back(draw.token);
  row.logprobs.push_back(draw.logprob);
  if (row.text.append(runtime_.vocabulary().piece(draw.token))) return finish(row, Finish::Stop);
  if (static_cast<int32_t>(row.tokens.size()) >= room(row.prompt)) finish(row, Finish::Length);
}

void Generator::finish(Row & row, Finish reason) {
  row.finished = true;
  ++progress_.finished;
  sink_(Sample{row.prompt, row.index, row.text.utf8(), std::move(row.tokens), std::move(row.logprobs), reason});
}

// Drops finished rows. With a split KV cache the last rows move into the gaps: llama.cpp computes only
// neighbouring sequences together, each gap would cost a graph of its own in every further decode.
void Generator::compact(std::vector<Row *> & live) {
  llama_memory_t memory = runtime_.memory();
  const bool split = !runtime_.options().unified;
  std::vector<int32_t> gaps;
  for (const Row * row : live) {
    if (!row->finished) continue;
    gaps.push_back(row->sequence);
    // What the prefix does not need is free for others (unified), sequence 0 keeps the prefix for the next wave.
    if (!split) llama_memory_seq_rm(memory, row->sequence, row->sequence == 0 ? prefix_.length() : -1, -1);
  }
  std::erase_if(live, [](const Row * row) { return row->finished; });
  if (!split || live.empty()) return;
  const auto count = static_cast<int32_t>(live.size());
  std::vector<bool> used(static_cast<size_t>(llama_n_seq_max(runtime_.context())), false);
  for (const Row * row : live) used[row->sequence] = true;
  int32_t gap = 0;
  for (Row * row : live) {
    if (row->sequence < count) continue;
    while (used[gap]) ++gap;
    llama_memory_seq_rm(memory, gap, -1, -1);
    llama_memory_seq_cp(memory, row->sequence, gap, -1, -1);
    llama_memory_seq_rm(memory, row->sequence, -1, -1);
    row->sequence = gap++;
  }
  std::sort(live.begin(), live.end(), [](const Row * a, const Row * b) { return a->sequence < b->sequence; });
}

void Generator::report() {
  const auto now = std::chrono::steady_clock::now();
  if (now - reported_ < std::chrono::milliseconds(100)) return;
  reported_ = now;
  sink_(progress_);
}

}  // namespace

Usage generate(Runtime & runtime, const SampleJob & job, const Sink & sink) { return Generator(runtime, job, sink).run(); }

}  // namespace t1
