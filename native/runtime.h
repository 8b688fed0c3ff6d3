// What the decode thread owns: weights, context, sampling threads. No other thread touches any of it.
#pragma once

#include <algorithm>
#include <atomic>
#include <memory>
#include <optional>

#include "adapter.h"
#include "backend.h"
#include "handles.h"
#include "model.h"
#include "pool.h"
#include "types.h"

namespace t1 {

// Asked between decodes, and by llama.cpp while it computes.
struct Stop {
  std::atomic<bool> disposed{false};  // the engine
  std::atomic<int> wanted{0};         // running jobs that nobody has aborted; at 0 a decode is not worth its end
  bool requested() const { return disposed || wanted == 0; }
  void check() const {
    if (disposed) throw Failure(Code::Disposed, "the engine was disposed");
    if (wanted == 0) throw Failure(Code::Aborted, "aborted");
  }
};

// Of the KV cache: streams of `cells` each (split), or `cells` for all of them (unified).
struct Shape {
  uint32_t sequences = 1;
  uint32_t cells = 0;
  bool unified = false;
  bool scratch = false;  // split: one stream more, to exchange two through
  uint32_t streams() const { return sequences + (scratch ? 1 : 0); }
  double allCells() const { return unified ? cells : 1.0 * cells * streams(); }
};

// Cells of a stream, in steps as llama.cpp takes them. 64 bits: a length near the most that there is does not fit into
// 32 then.
constexpr int64_t kCellStep = 256;
constexpr int64_t roundUpCells(int64_t cells) { return (cells + kCellStep - 1) / kCellStep * kCellStep; }
// That a KV cache has at most: llama.cpp counts them in 32 bits.
constexpr int64_t kMostCells = 2'000'000'000;

class Runtime {
 public:
  Runtime(const EngineOptions & options, Vocabulary & vocabulary, const std::vector<Adapter> & adapters,
          const Stop & stop);

  // Loads the weights, and those of the adapters, if they are not there yet.
  void prepareWeights();
  // What the weights decode on, but for its free memory, which was asked once.
  const Device & device() const;
  // A new, empty context of this shape; the one before it is gone, also if this fails. Throws Failure.
  void makeContext(Shape shape);
  // 0 for an empty name, else the number of the adapter that has it.
  int32_t adapterNumber(const std::string & name) const;
  // Null for 0.
  const Adapter * adapter(int32_t number) const { return number == 0 ? nullptr : &adapters_[number - 1]; }
  // Makes sure that it can be decoded with. Throws Failure.
  void tryAdapter(int32_t number);
  // Of the next decodes. Says whether it was another one before.
  bool useAdapter(int32_t number);
  // As prepareWeights(), of a model that has a classification head; no other is loaded. Throws Failure (USAGE,
  // MODEL_INVALID).
  void prepareHead();
  // Whether the next decodes go through the classification head; then logits must be wanted of all their rows.
  void useHead(bool head);
  // Of the classification head; the weights must be there.
  int32_t classes() const { return static_cast<int32_t>(llama_model_n_cls_out(weights_.get())); }
  std::vector<std::string> classLabels() const;
  // After an error that leaves the context in doubt.
  void dropContext();

  const EngineOptions & options() const { return options_; }
  const Vocabulary & vocabulary() const { return vocabulary_; }
  const Stop & stop() const { return stop_; }
  Shape shape() const { return shape_; }
  // Whether a sequence can be cut back to a prefix of itself.
  bool cuttable() const { return !llama_model_is_recurrent(weights_.get()) && !llama_model_is_hybrid(weights_.get()); }
  llama_context * context() const { return context_.get(); }
  llama_memory_t memory() const { return llama_get_memory(context_.get()); }
  Pool & pool() { return pool_; }
  int workers() const { return pool_.workers(); }
  // Most tokens of one sequence.
  int32_t contextLength() const;
  // Cells that the memory budget holds, and the bytes of one.
  double cellBudget() const { return std::min(memoryBudget() / bytesPerCell(), 1.0 * kMostCells); }
  double bytesPerCell() const;
  // Half of what the device has free while no context of ours holds a part of it: asked once for each context.
  double memoryBudget() const;
  // Most tokens with logits in one decode of the present context.
  int32_t maxOutputs() const;
  // For measurements; the present one stays. Throws Failure.
  ContextHandle newContext(Shape shape, uint32_t batch) const;

 private:
  struct LoadedAdapter {
    const Adapter * adapter;
    std::vector<AdapterHandle> handles;  // of its files
    bool tried;
  };

  void checkMemory(const Shape & shape) const;
  double freeBytes() const;
  void setAdapter(llama_context * context, int32_t number) const;

  const EngineOptions options_;
  Vocabulary & vocabulary_;
  const std::vector<Adapter> & adapters_;
  const Stop & stop_;
  std::shared_ptr<llama_model> weights_;
  std::vector<LoadedAdapter> loaded_;  // as adapters_, once there are weights
  Shape shape_;
  ContextHandle context_;
  mutable std::optional<Device> device_;  // once it was asked for
  mutable std::optional<double> budget_;  // likewise; again once a context has gone
  int32_t used_ = 0;                      // adapter that the context has
  bool head_ = false;                     // the model's, once there are weights
  bool usesHead_ = false;                 // the context
  Pool pool_;
};

}  // namespace t1
