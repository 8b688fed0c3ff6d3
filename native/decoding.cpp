#include "decoding.h"

#include <algorithm>

#include "weights_check.h"

namespace t1 {
namespace {

Failure noDistribution(const Runtime & runtime) {
  const std::string weights = unusableWeights(runtime.options().path);
  return Failure(
      Code::DecodeFailed,
      "the logits of " + runtime.vocabulary().info().name + " hold no usable number (NaN or infinite): " +
          (weights.empty()
               ? "no NaN lies open in the file's weights, so they are damaged otherwise or the device is faulty"
               : "the file is damaged, " + weights));
}

Failure noToken(const Runtime & runtime) {
  return Failure(Code::Usage, "grammar and logit bias leave no token of " + runtime.vocabulary().info().name +
                                  " that could come next: widen the grammar, or ban fewer tokens");
}

void forgetFinished(std::list<Job> & jobs) {
  for (Job & job : jobs) {
    job.lanes().remove_if([](const Lane & lane) { return lane.state() == Lane::State::Finished; });
  }
}

}  // namespace

void Decoding::drawFirst(Context & context) {
  std::vector<Output> outputs;
  for (Job & job : jobs_) {
    for (Lane & lane : job.lanes()) {
      if (lane.state() != Lane::State::Drawing) continue;
      outputs.push_back({&job, &lane, static_cast<int32_t>(lane.tokens.size()) - 1, 0, lane.logits()});
    }
  }
  if (outputs.empty()) return;
  evaluate(outputs);
  accept(context, outputs);
  forgetFinished(jobs_);
  for (Job & job : jobs_) {
    for (Item & item : job.items()) {
      if (item.unbegun() == 0 && !item.logits.empty()) item.logits = {};
    }
  }
}

void Decoding::decode(Context & context, std::vector<Entry> & entries) {
  context.admission.compact();
  std::sort(entries.begin(), entries.end(),
            [](const Entry & a, const Entry & b) { return a.lane->slot() < b.lane->slot(); });
  const bool changed = runtime_.useAdapter(context.packing.adapter());
  runtime_.useHead(context.packing.head());
  std::vector<Output> outputs = fill(context, entries);
  ++decodes_;
  count(entries, changed);
  if (!context.decoder.run()) return context.admission.giveWay();
  advance(context, entries);
  for (Output & output : outputs) {
    output.logits =
        context.packing.head() ? context.decoder.classes(output.lane->slot()) : context.decoder.logits(output.row);
  }
  keepLogits(outputs);
  evaluate(outputs);
  accept(context, outputs);
  finishRead(context, entries);
  forgetFinished(jobs_);
}

std::vector<Decoding::Output> Decoding::fill(Context & context, const std::vector<Entry> & entries) {
  std::vector<Output> outputs;
  context.decoder.clear();
  for (const Entry & entry : entries) {
    const int32_t slot = entry.lane->slot();
    const int32_t first = context.sequences.cache().ready(slot);
    for (int32_t position = first; position < first + entry.count; ++position) {
      const bool output = entry.job->wants(*entry.lane, position);
      const int32_t row =
          context.decoder.add(entry.lane->tokens[static_cast<size_t>(position)], position, slot, output);
      if (output) outputs.push_back({entry.job, entry.lane, position, row, nullptr});
    }
  }
  return outputs;
}

void Decoding::count(const std::vector<Entry> & entries, bool adapterChanged) {
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

// What was in the decode has been read.
void Decoding::advance(Context & context, const std::vector<Entry> & entries) {
  for (const Entry & entry : entries) {
    const int32_t first = context.sequences.cache().ready(entry.lane->slot());
    const int32_t length = entry.job->items()[static_cast<size_t>(entry.lane->item)].length;
    entry.job->usage().promptTokens += std::clamp(length - first, 0, entry.count);
    entry.job->usage().decodedTokens += entry.count;
    entry.lane->turn = decodes_;
    context.sequences.advance(entry.lane->slot(), entry.count);
  }
}

// Of prompts that were read to their end, while other lanes are to begin from there.
void Decoding::keepLogits(const std::vector<Output> & outputs) {
  for (const Output & output : outputs) {
    Item & item = output.job->items()[static_cast<size_t>(output.lane->item)];
    const bool more = output.job->sampling() && item.unbegun() > 0 && output.position + 1 == item.length;
    if (more && item.logits.empty()) item.logits.assign(output.logits, output.logits + runtime_.vocabulary().size());
  }
}

// On all threads of the pool. What one output throws is kept with it and ends its job alone.
void Decoding::evaluate(std::vector<Output> & outputs) {
  const Pool::Errors errors = runtime_.pool().run(static_cast<int>(outputs.size()), [&](int worker, int i) {
    Output & output = outputs[static_cast<size_t>(i)];
    if (output.job->sampling()) {
      output.draw = output.job->draw(*output.lane, output.logits, worker);
      output.valid = output.draw.valid;
    } else {
      output.valid = output.job->score(*output.lane, output.position, output.logits, worker);
    }
  });
  for (size_t i = 0; i < outputs.size(); ++i) outputs[i].error = errors[i];
}

void Decoding::accept(Context & context, std::vector<Output> & outputs) {
  for (const Output & output : outputs) {
    Job & job = *output.job;
    if (job.ended()) continue;  // by another of its outputs
    const std::optional<Failure> failure = failureOf([&] {
      if (output.error) std::rethrow_exception(output.error);
      if (!output.valid) throw noDistribution(runtime_);
      if (job.sampling()) acceptDraw(context, output);
    });
    if (!failure) continue;
    context.admission.release(job);
    job.end(&*failure);
  }
}

void Decoding::acceptDraw(Context & context, const Output & output) {
  if (output.draw.stuck) throw noToken(runtime_);
  Lane & lane = *output.lane;
  if (!output.job->accept(lane, output.draw, decodes_)) return context.admission.rest(lane);
  const auto last = static_cast<int32_t>(lane.tokens.size()) - 1;
  context.sequences.append(lane.slot(), lane.tokens.back(), output.job->path(lane).weights(last));
  lane.read();
}

// Lanes that score or classify end where all their tokens were read.
void Decoding::finishRead(Context & context, const std::vector<Entry> & entries) {
  for (const Entry & entry : entries) {
    if (entry.job->ended() || entry.job->sampling()) continue;
    if (context.sequences.cache().ready(entry.lane->slot()) < static_cast<int32_t>(entry.lane->tokens.size())) continue;
    entry.job->finishScoring();
    context.admission.rest(*entry.lane);
  }
}

}  // namespace t1
