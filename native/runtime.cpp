#include "runtime.h"

#include <algorithm>

#include "backend.h"
#include "classifier.h"
#include "log.h"

namespace t1 {
namespace {

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

ggml_type ggmlType(KvType type) {
  switch (type) {
    case KvType::Q8_0: return GGML_TYPE_Q8_0;
    case KvType::F32: return GGML_TYPE_F32;
    default: return GGML_TYPE_F16;
  }
}

llama_flash_attn_type flashAttentionType(FlashAttention choice) {
  if (choice == FlashAttention::Auto) return LLAMA_FLASH_ATTN_TYPE_AUTO;
  return choice == FlashAttention::On ? LLAMA_FLASH_ATTN_TYPE_ENABLED : LLAMA_FLASH_ATTN_TYPE_DISABLED;
}

double metadataNumber(const ModelInfo & info, const std::string & key, double fallback) {
  for (const auto & [name, value] : info.metadata) {
    if (name == info.architecture + key) return std::strtod(value.c_str(), nullptr);
  }
  return fallback;
}

}  // namespace

Runtime::Runtime(const EngineOptions & options, Vocabulary & vocabulary, const std::vector<Adapter> & adapters,
                 const Stop & stop)
    : options_(withDefaults(options, vocabulary.info().sizeBytes)),
      vocabulary_(vocabulary),
      adapters_(adapters),
      stop_(stop),
      pool_(options_.threads) {}

void Runtime::prepareWeights() {
  if (weights_) return;
  ModelHandle weights;
  try {
    weights = loadWeights(options_, vocabulary_.info().sizeBytes, [this] { return !stop_.requested(); });
  } catch (const Failure &) {
    stop_.check();  // which of the two it was
    throw;
  }
  // Before any context: a context's graphs have room for the adapters that its model has by then.
  std::vector<LoadedAdapter> loaded;
  for (const Adapter & adapter : adapters_) {
    loaded.push_back({&adapter, loadAdapter(weights.get(), adapter, vocabulary_.info()), false});
  }
  weights_ = std::move(weights);
  vocabulary_.moveTo(weights_);
  head_ = vocabulary_.info().head && vocabulary_.info().head->problem.empty();
  loaded_ = std::move(loaded);
}

void Runtime::dropContext() {
  if (context_) budget_.reset();
  context_.reset();
  used_ = 0;
  usesHead_ = false;
}

void Runtime::prepareHead() {
  requireHead(options_.path, vocabulary_.info());
  prepareWeights();
}

void Runtime::useHead(bool head) {
  if (head == usesHead_) return;
  llama_set_embeddings(context_.get(), head);
  usesHead_ = head;
}

std::vector<std::string> Runtime::classLabels() const {
  std::vector<std::string> labels;
  if (!weights_) return labels;  // nothing was classified
  for (uint32_t c = 0; c < llama_model_n_cls_out(weights_.get()); ++c) {
    const char * label = llama_model_cls_label(weights_.get(), c);
    labels.emplace_back(label ? label : "");
  }
  return labels;
}

int32_t Runtime::adapterNumber(const std::string & name) const {
  return name.empty() ? 0 : static_cast<int32_t>(&findAdapter(adapters_, name) - adapters_.data()) + 1;
}

int32_t Runtime::contextLength() const {
  const int32_t own = std::max(1, vocabulary_.info().contextLength);
  return options_.contextLength > 0 ? std::min(own, options_.contextLength) : own;
}

// K and V of one position in all layers. An estimate: layers that differ count as the first does.
double Runtime::bytesPerCell() const {
  const llama_model * model = weights_.get();
  const int32_t head = llama_model_n_embd(model) / std::max(1, llama_model_n_head(model));
  const double key = metadataNumber(vocabulary_.info(), ".attention.key_length", head);
  const double value = metadataNumber(vocabulary_.info(), ".attention.value_length", head);
  const double heads = 1.0 * std::max(1, llama_model_n_head_kv(model)) * std::max(1, llama_model_n_layer(model));
  const ggml_type type = ggmlType(options_.kvType);
  return heads * std::max(1.0, key + value) * ggml_type_size(type) / ggml_blck_size(type);
}

double Runtime::memoryBudget() const {
  if (options_.memoryBytes > 0) return options_.memoryBytes;
  // ggml calls all main memory free, used or not, and knows no cgroup.
  if (device().type == "cpu" && options_.hostFreeBytes > 0 && !options_.freeBytes) return options_.hostFreeBytes / 2;
  if (!budget_) budget_ = freeBytes() / 2;
  return *budget_;
}

const Device & Runtime::device() const {
  if (!device_) device_ = decodingDevice(options_.gpuLayers, options_.device);
  return *device_;
}

// Of the device, now.
double Runtime::freeBytes() const {
  return options_.freeBytes ? options_.freeBytes()
                            : decodingDevice(options_.gpuLayers, options_.device).memoryFreeBytes;
}

int32_t Runtime::maxOutputs() const { return static_cast<int32_t>(std::max(shape_.sequences, kOutputs)); }

// The next decode after a change plans its graphs anew.
bool Runtime::useAdapter(int32_t number) {
  if (number == used_) return false;
  setAdapter(context_.get(), number);
  used_ = number;
  return true;
}

void Runtime::setAdapter(llama_context * context, int32_t number) const {
  std::vector<llama_adapter_lora *> handles;
  std::vector<float> scales;
  if (number > 0) {
    for (const AdapterHandle & handle : loaded_[number - 1].handles) handles.push_back(handle.get());
    for (const AdapterFile & file : adapters_[number - 1].files) scales.push_back(file.scale);
  }
  if (llama_set_adapters_lora(context, handles.data(), handles.size(), scales.data()) != 0) {
    throw Failure(Code::Internal, "llama.cpp did not take the adapter");
  }
}

// Decodes a token with it: graphs that cannot be built from an adapter's tensors (llama.cpp checks only some shapes)
// fail in an assertion. On one thread, so that none waits for the one that failed, and in a context of its own: the
// other one's cells are in use, and what failed half-way is thrown away.
void Runtime::tryAdapter(int32_t number) {
  if (number == 0 || loaded_[number - 1].tried) return;
  const Adapter & adapter = adapters_[number - 1];
  const ContextHandle context = newContext({1, kCellStep}, 1);
  try {
    const AssertsThrow guard;
    setAdapter(context.get(), number);
    llama_set_n_threads(context.get(), 1, 1);
    Batch batch(1);
    batch.add(0, 0, 0, true);
    clearLog();
    const int32_t status = llama_decode(context.get(), batch.raw());
    llama_synchronize(context.get());
    stop_.check();
    checkDecode(status, false);
  } catch (const Failure &) {
    throw;
  } catch (const std::exception & error) {
    throw invalidAdapter(adapter.files.front().path, vocabulary_.info(), error.what());
  }
  loaded_[number - 1].tried = true;
}

void Runtime::makeContext(Shape shape) {
  dropContext();
  shape.cells = static_cast<uint32_t>(roundUpCells(shape.cells));
  shape_ = shape;
  context_ = newContext(shape, static_cast<uint32_t>(options_.batch));
}

// The KV cache, and the logits twice: as they are computed, and where they are read. Weights come from the same memory.
void Runtime::checkMemory(const Shape & shape) const {
  const Device & on = device();
  const double free = on.type == "cpu" ? options_.hostAvailableBytes - vocabulary_.info().sizeBytes : freeBytes();
  const double needed =
      shape.allCells() * bytesPerCell() + 8.0 * std::max(shape.streams(), kOutputs) * vocabulary_.size();
  if ((on.type == "cpu" && options_.hostAvailableBytes <= 0) || needed <= free) return;
  throw Failure(Code::OutOfMemory, "a context of " + std::to_string(shape.sequences) + " sequences takes " +
                                       mebibytes(needed) + ", and " + on.name + " has " +
                                       mebibytes(std::max(0.0, free)) +
                                       " free: lower the memory budget of the KV cache");
}

ContextHandle Runtime::newContext(Shape shape, uint32_t batch) const {
  const double total = shape.allCells();
  if (!(total <= kMostCells + 1.0 * kCellStep)) {
    throw Failure(Code::OutOfMemory, "a context of " + std::to_string(shape.streams()) + " × " +
                                         std::to_string(shape.cells) + " tokens is more than llama.cpp can count");
  }
  checkMemory(shape);
  clearLog();
  llama_context_params params = llama_context_default_params();
  params.n_seq_max = shape.streams();
  params.n_ctx = static_cast<uint32_t>(total);
  params.n_batch = batch;
  params.n_ubatch = std::min(batch, static_cast<uint32_t>(options_.ubatch));
  // Logits are wanted of about one token per sequence: room for a whole batch is 1 GiB at a 128k vocabulary.
  params.n_outputs_max = std::max(shape.streams(), kOutputs);  // llama.cpp wants one per sequence
  params.n_threads = options_.threads;
  params.n_threads_batch = options_.threads;
  params.kv_unified = shape.unified;
  params.type_k = ggmlType(options_.kvType);
  params.type_v = ggmlType(options_.kvType);
  params.flash_attn_type = flashAttentionType(options_.flashAttention);
  params.swa_full = true;
  if (head_) params.pooling_type = LLAMA_POOLING_TYPE_RANK;  // of decodes with useHead(true) only
  params.no_perf = true;
  params.abort_callback = [](void * stop) { return static_cast<const Stop *>(stop)->requested(); };
  params.abort_callback_data = const_cast<Stop *>(&stop_);
  ContextHandle context;
  {
    const AssertsThrow guard;
    context.reset(llama_init_from_model(weights_.get(), params));
  }
  const std::string reason = context ? "" : loggedReason();
  if (reason.find("cache type") != std::string::npos || reason.find("quantized V cache") != std::string::npos) {
    throw Failure(Code::Usage, "this model cannot have such a KV cache: " + reason);
  }
  if (!context) {
    throw Failure(Code::OutOfMemory, "cannot create a context of " + std::to_string(params.n_ctx) + " tokens (about " +
                                         mebibytes(total * bytesPerCell()) + "): " + reason);
  }
  if (llama_get_memory(context.get()) == nullptr) {
    throw Failure(Code::ModelInvalid,
                  "the model " + options_.path + " keeps no KV cache; T1 needs a decoder-only text model");
  }
  return context;
}

}  // namespace t1
