#include "classifier.h"

#include "handles.h"
#include "log.h"

namespace t1 {
namespace {

// Decoders that llama.cpp loads a head for; it reads it after the last token, and makes probabilities of what it says
// (llm_graph_context::build_pooling). The others that it knows are encoders, which keep no KV cache.
bool supported(const std::string & architecture) { return architecture == "qwen3" || architecture == "qwen3vl"; }

bool hasHead(const std::string & path) {
  clearLog();
  const AssertsThrow guard;
  try {
    const GgufHandle file(gguf_init_from_file(path.c_str(), {/*no_alloc=*/true, /*ctx=*/nullptr}));
    if (file) return gguf_find_tensor(file.get(), "cls.output.weight") >= 0;
  } catch (const std::exception & error) {
    throw Failure(Code::ModelInvalid, "cannot read the header of " + path + ": " + error.what());
  }
  throw Failure(Code::ModelInvalid, "cannot read the header of " + path + ": " + loggedReason());
}

}  // namespace

bool hasClassifier(const std::string & path, const ModelInfo & info) { return supported(info.architecture) && hasHead(path); }

void requireClassifier(const std::string & path, const ModelInfo & info) {
  if (!hasHead(path)) {
    throw Failure(Code::Usage, "the model " + path + " has no classification head (no tensor cls.output.weight in this file): "
                                   "give one that has, or score tokens instead");
  }
  if (supported(info.architecture)) return;
  throw Failure(Code::ModelInvalid, "the classification head of " + path + " cannot be used: T1 knows those of the architectures qwen3 "
                                        "and qwen3vl, this is " + info.architecture);
}

}  // namespace t1
