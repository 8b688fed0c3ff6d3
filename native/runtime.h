// What the decode thread owns: weights, context, sampling threads. No other thread touches any of it.
#pragma once

#include <atomic>
#include <memory>

#include "adapter.h"
#include "handles.h"
#include "model.h"
#include "pool.h"
#include "types.h"

namespace t1 {

// Asked between decodes, and by llama.cpp while it computes.
struct Stop {
  std::atomic<bool> aborted{false};   // the running job
  std::atomic<bool> disposed{false};  // the engine
  bool requested() const { return aborted || disposed; }
  void check() const {
    if (disposed) throw Failure(Code::Disposed, "the engine was disposed");
    if (aborted) throw Failure(Code::Aborted, "aborted");
  }
};

// KV cells a job needs: `sequences` streams of `cells` each (split), or `cells` for all of them (unified).
struct Shape {
  uint32_t sequences = 1;
  uint32_t cells = 0;
};

class Runtime {
 public:
  Runtime(const EngineOptions & options, const Vocabulary & vocabulary, const std::vector<Adapter> & adapters, const Stop & stop);

  // Loads the weights, and those of the adapters, if they are not there yet.
  void prepareWeights();
  // A context for at least `shape`, its memory empty: keys of one adapter are wrong under another. Reuses the present
  // one if that fits and is not far too large. Decodes use the adapter of this name, or none if it is empty.
  void prepareContext(Shape shape, const std::string & adapter);
  // Whether the next decodes use the adapter that was named; for activated ones, whose prompts begin without it.
  void switchAdapter(bool on) { useAdapter(on ? named_ : nullptr); }
  // Of this name; null if it is empty.
  const Adapter * adapter(const std::string & name) const { return name.empty() ? nullptr : &findAdapter(adapters_, name); }
  // After an error that leaves the context in doubt.
  void dropContext();

  const EngineOptions & options() const { return options_; }
  const Vocabulary & vocabulary() const { return vocabulary_; }
  const Stop & stop() const { return stop_; }
  llama_context * context() const { return context_.get(); }
  llama_memory_t memory() const { return llama_get_memory(context_.get()); }
  Pool & pool() { return pool_; }
  // Most tokens of one sequence.
  int32_t contextLength() const;
  // Cells that the memory budget holds, and the bytes of one.
  double cellBudget() const { return memoryBudget() / bytesPerCell(); }
  double bytesPerCell() const;
  double memoryBudget() const;
  // Most tokens with logits in one decode.
  int32_t maxOutputs() const;

 private:
  struct LoadedAdapter {
    const Adapter * adapter;
    AdapterHandle handle;
    bool tried;
  };

  void makeContext(Shape shape);
  void useAdapter(LoadedAdapter * adapter);
  void tryAdapter(LoadedAdapter & adapter);

  const EngineOptions options_;
  const Vocabulary & vocabulary_;
  const std::vector<Adapter> & adapters_;
  const Stop & stop_;
  ModelHandle weights_;
  std::vector<LoadedAdapter> loaded_;  // as adapters_, once there are weights
  Shape shape_;
  ContextHandle context_;
  LoadedAdapter * named_ = nullptr;       // by the job
  const LoadedAdapter * used_ = nullptr;  // by the context
  Pool pool_;
};

}  // namespace t1
