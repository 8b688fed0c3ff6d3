// LoRA adapters. A GGUF's header is read with the vocabulary, on any thread; its weights load with the
// model's, on the decode thread.
#pragma once

#include <string>
#include <vector>

#include "handles.h"
#include "types.h"

namespace t1 {

struct AdapterFile {
  std::string path;
  float scale = 1;
  std::vector<Token> invocation;  // see Adapter
};

// One or several GGUFs, whose headers fit the model, that are used together. Read-only, so any thread may use it.
struct Adapter {
  std::string name;
  std::vector<AdapterFile> files;
  // Activated LoRA: used from the last occurrence of these tokens on, the base model before it. Empty: used throughout.
  std::vector<Token> invocation;

  bool activated() const { return !invocation.empty(); }
  // Index of the first token that goes through the adapter; -1 where it is never activated.
  int32_t start(const std::vector<Token> & tokens) const;
};

// Reads the headers. Throws Failure: USAGE for names and scales that cannot be used, FILE_NOT_FOUND, ADAPTER_INVALID.
std::vector<Adapter> readAdapters(const EngineOptions & options, const ModelInfo & model);

// The adapter of this name. Throws Failure (USAGE) naming those that there are.
const Adapter & findAdapter(const std::vector<Adapter> & adapters, const std::string & name);

// Throws Failure (ADAPTER_INVALID, OUT_OF_MEMORY). The handles must go before the model does.
std::vector<AdapterHandle> loadAdapter(llama_model * model, const Adapter & adapter, const ModelInfo & info);

// What is wrong with the file, and how to mend it.
Failure invalidAdapter(const std::string & path, const ModelInfo & model, const std::string & reason);

}  // namespace t1
