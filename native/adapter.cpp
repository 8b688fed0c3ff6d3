#include "adapter.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <new>

#include "gguf_check.h"
#include "log.h"

namespace t1 {
namespace {

// Of a string key; empty if the key is absent or holds something else.
std::string text(const gguf_context * file, const char * key) {
  const int64_t id = gguf_find_key(file, key);
  return id >= 0 && gguf_get_kv_type(file, id) == GGUF_TYPE_STRING ? gguf_get_val_str(file, id) : "";
}

int64_t experts(const ModelInfo & model) {
  for (const auto & [key, value] : model.metadata) {
    if (key == model.architecture + ".expert_count") return std::max(1LL, std::strtoll(value.c_str(), nullptr, 10));
  }
  return 1;
}

// What llama.cpp takes as it is and would stumble over, or read beyond the end of, while it computes.
void checkTensors(const gguf_context * file, const std::string & path, const ModelInfo & model) {
  for (int64_t i = 0; i < gguf_get_n_tensors(file); ++i) {
    const std::string name = gguf_get_tensor_name(file, i);
    const int64_t * extent = gguf_get_tensor_ne(file, i);
    const ggml_type type = gguf_get_tensor_type(file, i);
    if (type != GGML_TYPE_F32 && type != GGML_TYPE_F16 && type != GGML_TYPE_BF16 && type != GGML_TYPE_Q8_0) {
      throw invalidAdapter(path, model,
                           "tensor " + name + " is " + ggml_type_name(type) + ", not F32, F16, BF16 or Q8_0");
    }
    const int64_t matrices = name.find("_exps.") == std::string::npos ? 1 : experts(model);
    if (extent[0] < 1 || extent[1] < 1 || extent[2] != matrices || extent[3] != 1) {
      throw invalidAdapter(path, model, "tensor " + name + " has an unusable shape");
    }
  }
}

std::vector<Token> readInvocation(const gguf_context * file, const std::string & path, const ModelInfo & model) {
  const int64_t id = gguf_find_key(file, "adapter.alora.invocation_tokens");
  if (id < 0) return {};
  if (gguf_get_kv_type(file, id) != GGUF_TYPE_ARRAY || gguf_get_arr_type(file, id) != GGUF_TYPE_UINT32) {
    throw invalidAdapter(path, model, "its invocation tokens are no array of uint32");
  }
  const size_t count = gguf_get_arr_n(file, id);
  const auto * ids = static_cast<const uint32_t *>(gguf_get_arr_data(file, id));
  const auto size = static_cast<uint32_t>(model.vocabularySize);
  if (std::any_of(ids, ids + count, [size](uint32_t token) { return token >= size; })) {
    throw invalidAdapter(path, model, "its invocation tokens are not in the model's vocabulary");
  }
  return {ids, ids + count};
}

AdapterFile readFile(const AdapterOptions & options, const ModelInfo & model) {
  const std::string & path = options.path;
  checkGguf(path, "adapter", Code::AdapterInvalid);
  clearLog();
  const AssertsThrow guard;
  const GgufHandle file(gguf_init_from_file(path.c_str(), {/*no_alloc=*/true, /*ctx=*/nullptr}));
  if (!file) throw invalidAdapter(path, model, loggedReason());
  const std::string type = text(file.get(), "general.type");
  const std::string kind = text(file.get(), "adapter.type");
  const std::string architecture = text(file.get(), "general.architecture");
  if (type != "adapter" || kind != "lora") {
    throw invalidAdapter(path, model,
                         type == "adapter" ? "it is an adapter of the type '" + kind + "'" : "it is no adapter");
  }
  if (architecture != model.architecture) {
    throw invalidAdapter(path, model,
                         "it is for the architecture " + architecture + ", the model's is " + model.architecture);
  }
  const std::vector<Token> invocation = readInvocation(file.get(), path, model);
  checkTensors(file.get(), path, model);
  return {path, static_cast<float>(options.scale), invocation};
}

void addFile(std::vector<Adapter> & adapters, const std::string & name, AdapterFile file) {
  auto adapter =
      std::find_if(adapters.begin(), adapters.end(), [&](const Adapter & other) { return other.name == name; });
  if (adapter == adapters.end()) adapter = adapters.insert(adapters.end(), Adapter{name, {}, file.invocation});
  if (adapter->invocation != file.invocation) {
    throw Failure(Code::Usage, "the files of the adapter '" + name +
                                   "' are not activated by the same tokens: they cannot be used together");
  }
  adapter->files.push_back(std::move(file));
}

void checkOptions(const std::vector<AdapterOptions> & adapters) {
  for (const AdapterOptions & adapter : adapters) {
    if (adapter.name.empty()) throw Failure(Code::Usage, "the adapter " + adapter.path + " has no name");
    if (!std::isfinite(static_cast<float>(adapter.scale))) {
      throw Failure(Code::Usage, "the scale of the adapter '" + adapter.name + "' is not finite");
    }
  }
}

}  // namespace

int32_t Adapter::start(const std::vector<Token> & tokens) const {
  if (!activated()) return 0;
  const auto found = std::find_end(tokens.begin(), tokens.end(), invocation.begin(), invocation.end());
  return found == tokens.end() ? -1 : static_cast<int32_t>(found - tokens.begin());
}

std::vector<Adapter> readAdapters(const EngineOptions & options, const ModelInfo & model) {
  checkOptions(options.adapters);
  std::vector<Adapter> adapters;
  for (const AdapterOptions & adapter : options.adapters) {
    try {
      addFile(adapters, adapter.name, readFile(adapter, model));
    } catch (const Failure &) {
      throw;
    } catch (const std::bad_alloc &) {
      throw Failure(Code::OutOfMemory, "no memory to read the adapter " + adapter.path);
    } catch (const std::exception & error) {
      throw Failure(Code::AdapterInvalid, "cannot read the adapter " + adapter.path + ": " + error.what());
    }
  }
  return adapters;
}

const Adapter & findAdapter(const std::vector<Adapter> & adapters, const std::string & name) {
  std::string known;
  for (const Adapter & adapter : adapters) {
    if (adapter.name == name) return adapter;
    known += (known.empty() ? "" : ", ") + adapter.name;
  }
  throw Failure(Code::Usage, "the engine has no adapter '" + name +
                                 "': " + (known.empty() ? "it was loaded without any" : "it was loaded with " + known));
}

namespace {

AdapterHandle loadFile(llama_model * model, const std::string & path, const ModelInfo & info) {
  clearLog();
  const AssertsThrow guard;
  try {
    AdapterHandle handle(llama_adapter_lora_init(model, path.c_str()));
    if (handle) return handle;
  } catch (const std::bad_alloc &) {
    throw Failure(Code::OutOfMemory, "no memory for the adapter " + path);
  } catch (const std::exception & error) {
    throw invalidAdapter(path, info, error.what());
  }
  const std::string reason = loggedReason();
  if (reason.find("alloc") != std::string::npos) {
    throw Failure(Code::OutOfMemory, "no memory for the adapter " + path + ": " + reason);
  }
  throw invalidAdapter(path, info, reason);
}

}  // namespace

std::vector<AdapterHandle> loadAdapter(llama_model * model, const Adapter & adapter, const ModelInfo & info) {
  std::vector<AdapterHandle> handles;
  for (const AdapterFile & file : adapter.files) handles.push_back(loadFile(model, file.path, info));
  return handles;
}

Failure invalidAdapter(const std::string & path, const ModelInfo & model, const std::string & reason) {
  return Failure(Code::AdapterInvalid, "cannot use the adapter " + path + ": " +
                                           (reason.empty() ? "llama.cpp refused it without a reason" : reason) +
                                           "; give a LoRA GGUF that was made for " + model.name);
}

}  // namespace t1
