#include "runtime.h"

#include <algorithm>

#include "backend.h"
#include "log.h"

namespace t1 {
namespace {

// llama.cpp rounds the cells of a stream up to this.
constexpr uint32_t kCellStep = 256;
// A context this many times larger than a job needs is replaced: its memory is better spent elsewhere.
constexpr double kSlack = 4;
// A scoring job may want several positions of one sequence in a decode.
constexpr uint32_t kOutputs = 64;

// Threads wait for each other by spinning after every operation. The operations of a model this small are so short
// that a second thread gains nothing, and costs a hundredfold where something else uses the cores.
constexpr double kOneThreadBytes = 16 << 20;

EngineOptions withDefaults(EngineOptions options, double modelBytes) {
  if (options.threads <= 0) options.threads = modelBytes < kOneThreadBytes ? 1 : physicalCores();
  options.ubatch = std::min(options.ubatch, options.batch);
  return options;
}

uint32_t roundUp(uint32_t cells) { return (cells + kCellStep - 1) / kCellStep * kCellStep; }

int32_t metadataNumber(const ModelInfo & info, const std::string & key, int32_t fallback) {
  for (const auto & [name, value] : info.metadata) {
    if (name == info.architecture + key) return static_cast<int32_t>(std::strtol(value.c_str(), nullptr, 10));
  }
  return fallback;
}

}  // namespace

Runtime::Runtime(const EngineOptions & options, const Vocabulary & vocabulary, const std::vector<Adapter> & adapters, const Stop & stop)
    : options_(withDefaults(options, vocabulary.info().sizeBytes)),
      vocabulary_(vocabulary),
      adapters_(adapters),
      stop_(stop),
      pool_(options_.threads) {}

void Runtime::prepareWeights() {
  if (weights_) return;
  ModelHandle weights;
  try {
    weights = loadWeights(options_, [this] { return !stop_.requested(); });
  } catch (const Failure &) {
    stop_.check();  // which of the two it was
    throw;
  }
  // Before any context: a context's graphs have room for the adapters that its model has by then.
  std::vector<LoadedAdapter> loaded;
  for (const Adapter & adapter : adapters_) loaded.push_back({&adapter, loadAdapter(weights.get(), adapter, vocabulary_.info()), false});
  weights_ = std::move(weights);
  loaded_ = std::move(loaded);
}

void Runtime::dropContext() {
  context_.reset();
  used_ = nullptr;
}

int32_t Runtime::contextLength() const {
  const int32_t own = std::max(1, vocabulary_.info().contextLength);
  return options_.contextLength > 0 ? std::min(own, options_.contextLength) : own;
}

// K and V of one position in all layers, in F16. An estimate: layers that differ count as the first does.
double Runtime::bytesPerCell() const {
  const llama_model * model = weights_.get();
  const int32_t head = llama_model_n_embd(model) / std::max(1, llama_model_n_head(model));
  const int32_t key = metadataNumber(vocabulary_.info(), ".attention.key_length", head);
  const int32_t value = metadataNumber(vocabulary_.info(), ".attention.value_length", head);
  const double width = static_cast<double>(std::max(1, llama_model_n_head_kv(model))) * std::max(1, key + value);
  return 2.0 * width * std::max(1, llama_model_n_layer(model));
}

double Runtime::memoryBudget() const {
  if (options_.memoryBytes > 0) return options_.memoryBytes;
  const Device device = decodingDevice(options_.gpuLayers);
  // ggml calls all main memory free, used or not, and knows no cgroup.
  const bool host = device.type == "cpu" && options_.hostFreeBytes > 0;
  return (host ? options_.hostFreeBytes : device.memoryFreeBytes) / 2;
}

int32_t Runtime::maxOutputs() const { return static_cast<int32_t>(std::max(shape_.sequences, kOutputs)); }

void Runtime::prepareContext(Shape shape, const std::string & adapter) {
  makeContext(shape);
  const auto named = std::find_if(loaded_.begin(), loaded_.end(), [&](const LoadedAdapter & l) { return l.adapter->name == adapter; });
  named_ = named == loaded_.end() ? nullptr : &*named;
  useAdapter(named_);
}

// The next decode after a change plans its graphs anew.
void Runtime::useAdapter(LoadedAdapter * adapter) {
  if (adapter && !adapter->tried) tryAdapter(*adapter);
  if (adapter == used_) return;
  llama_adapter_lora * handle = adapter ? adapter->handle.get() : nullptr;
  float scale = adapter ? adapter->adapter->scale : 0;
  if (llama_set_adapters_lora(context_.get(), &handle, adapter ? 1 : 0, &scale) != 0) {
    throw Failure(Code::Internal, "llama.cpp did not take the adapter");
  }
  used_ = adapter;
}

// Decodes a token with it: graphs that cannot be built from an adapter's tensors (llama.cpp checks only some shapes)
// fail in an assertion. On one thread, so that none waits for the one that failed. The memory must be empty.
void Runtime::tryAdapter(LoadedAdapter & adapter) {
  adapter.tried = true;
  try {
    const AssertsThrow guard;
    useAdapter(&adapter);
    llama_set_n_threads(context_.get(), 1, 1);
    Batch batch(1);
    batch.add(0, 0, 0, true);
    clearLog();
    const int32_t status = llama_decode(context_.get(), batch.raw());
    llama_synchronize(context_.get());
    stop_.check();
    checkDecode(status, false);
  } catch (const Failure &) {
    adapter.tried = false;
    throw;
  } catch (const std::exception & error) {
    adapter.tried = false;
    throw invalidAdapter(*adapter.adapter, vocabulary_.info(), error.what());
  }
  llama_set_n_threads(context_.get(), options_.threads, options_.threads);
  llama_memory_clear(memory(), false);
}

void Runtime::makeContext(Shape shape) {
  shape.cells = roundUp(shape.cells);
  const auto total = [this](Shape s) { return options_.unified ? 1.0 * s.cells : 1.0 * s.cells * s.sequences; };
  const bool fits = context_ && shape_.sequences >= shape.sequences && shape_.cells >= shape.cells &&
                    total(shape_) <= kSlack * total(shape);
  if (fits) {
    llama_memory_clear(memory(), false);
    return;
  }
  dropContext();
  clearLog();
  llama_context_params params = llama_context_default_params();
  params.n_seq_max = shape.sequences;
  params.n_ctx = static_cast<uint32_t>(total(shape));
  params.n_batch = static_cast<uint32_t>(options_.batch);
  params.n_ubatch = static_cast<uint32_t>(options_.ubatch);
  // Logits are wanted of about one token per sequence: room for a whole batch is 1 GiB at a 128k vocabulary.
  params.n_outputs_max = std::max(shape.sequences, kOutputs);
  params.n_threads = options_.threads;
  params.n_threads_batch = options_.threads;
  params.kv_unified = options_.unified;
  params.swa_full = true;
  params.no_perf = true;
  params.abort_callback = [](void * stop) { return static_cast<const Stop *>(stop)->requested(); };
  params.abort_callback_data = const_cast<Stop *>(&stop_);
  {
    const AssertsThrow guard;
    context_.reset(llama_init_from_model(weights_.get(), params));
  }
  shape_ = shape;
  if (!context_) {
    throw Failure(Code::OutOfMemory, "cannot create a context of " + std::to_string(params.n_ctx) + " tokens (about " +
                                         mebibytes(total(shape) * bytesPerCell()) + "): " + loggedReason());
  }
  if (memory() == nullptr) {
    throw Failure(Code::ModelInvalid, "the model " + options_.path + " keeps no KV cache; T1 needs a decoder-only text model");
  }
}

}  // namespace t1
