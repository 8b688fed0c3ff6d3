// What goes into the next decode. Of one context; decode thread only.
#pragma once

#include <list>
#include <vector>

#include "decoder.h"
#include "job.h"
#include "sequences.h"

namespace t1 {

// A lane's part of a decode: its next `count` tokens.
struct Entry {
  Job * job;
  Lane * lane;
  int32_t count;
};

class Packing {
 public:
  Packing(const Runtime & runtime, const Sequences & sequences, const Decoder & decoder)
      : runtime_(runtime), sequences_(sequences), decoder_(decoder) {}

  // Of what lanes have to read, all of one kind (Job::kind()), samples that go on before prompts; jobs in the order in
  // which they are served. Empty: nothing can be decoded.
  std::vector<Entry> pack(std::list<Job> & jobs);
  // Of the last entries: the adapter, and whether they go through the classification head.
  int32_t adapter() const { return head() ? kind_ - kHead : kind_; }
  bool head() const { return kind_ >= kHead; }

 private:
  std::vector<Entry> unread(std::list<Job> & jobs) const;
  void sort(std::vector<Entry> & ready) const;
  int32_t chooseKind(const std::vector<Entry> & ready);
  int32_t position(const Entry & entry) const { return sequences_.cache().ready(entry.lane->slot()); }
  int32_t kindOf(const Entry & entry) const { return entry.job->kind(*entry.lane, position(entry)); }

  const Runtime & runtime_;
  const Sequences & sequences_;
  const Decoder & decoder_;
  int32_t kind_ = 0;
  int32_t stayed_ = 0;  // decodes in a row with it
};

}  // namespace t1
