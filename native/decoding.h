// One decode, and what comes of its logits: tokens are drawn and lanes go on or end. Decode thread only, but for what
// the pool does meanwhile.
#pragma once

#include <exception>
#include <list>
#include <vector>

#include "admission.h"
#include "observed.h"
#include "packing.h"

namespace t1 {

// A context and all that belongs to it; its sequences are gone when it is.
struct Context {
  Context(Runtime & runtime, std::list<Job> & jobs)
      : sequences(runtime),
        decoder(runtime),
        admission(runtime, jobs, sequences),
        packing(runtime, sequences, decoder) {}
  Context(const Context &) = delete;
  Context & operator=(const Context &) = delete;

  Sequences sequences;
  Decoder decoder;
  Admission admission;
  Packing packing;
};

class Decoding {
 public:
  Decoding(Runtime & runtime, Observed<Statistics> & statistics, std::list<Job> & jobs)
      : runtime_(runtime), statistics_(statistics), jobs_(jobs) {}

  // First tokens of lanes whose prompt had been read for another lane. An output that fails ends its job alone.
  void drawFirst(Context & context);
  // Throws Failure for what concerns all that was in the decode.
  void decode(Context & context, std::vector<Entry> & entries);

 private:
  // A token whose logits were asked for.
  struct Output {
    Job * job;
    Lane * lane;
    int32_t position;  // in the lane
    int32_t row;       // in the batch
    const float * logits;
    Draw draw = {};
    bool valid = true;
    std::exception_ptr error = nullptr;  // instead
  };

  std::vector<Output> fill(Context & context, const std::vector<Entry> & entries);
  void count(const std::vector<Entry> & entries, bool adapterChanged);
  void advance(Context & context, const std::vector<Entry> & entries);
  void keepLogits(const std::vector<Output> & outputs);
  void evaluate(std::vector<Output> & outputs);
  void accept(Context & context, std::vector<Output> & outputs);
  void acceptDraw(Context & context, const Output & output);
  void finishRead(Context & context, const std::vector<Entry> & entries);

  Runtime & runtime_;
  Observed<Statistics> & statistics_;
  std::list<Job> & jobs_;
  int64_t decodes_ = 0;  // that have begun
};

}  // namespace t1
