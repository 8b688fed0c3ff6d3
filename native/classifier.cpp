#include "classifier.h"

#include <algorithm>

#include "handles.h"
#include "log.h"

namespace t1 {
namespace {

constexpr const char * kHead = "cls.output.weight";

// Decoders that llama.cpp loads a head for; it reads it after the last token, and makes probabilities of what it says
// (llm_graph_context::build_pooling). The others that it knows are encoders, which keep no KV cache.
bool supported(const std::string & architecture) { return architecture == "qwen3" || architecture == "qwen3vl"; }

// What heads are called in GGUFs, and in the checkpoints that people convert by hand.
bool isHead(const std::string & tensor) {
  constexpr const char * kPrefixes[] = {"cls.", "score.", "v_head.", "value_head.", "reward_head.", "classifier."};
  return std::any_of(std::begin(kPrefixes), std::end(kPrefixes),
                     [&](const char * prefix) { return tensor.rfind(prefix, 0) == 0; });
}

std::vector<std::string> headTensors(const gguf_context * file) {
  std::vector<std::string> tensors;
  for (int64_t i = 0; i < gguf_get_n_tensors(file); ++i) {
    const std::string name = gguf_get_tensor_name(file, i);
    if (isHead(name)) tensors.push_back(name);
  }
  return tensors;
}

// As llama.cpp counts: a file that names no classes has one.
std::vector<std::string> classLabels(const gguf_context * file, const std::string & architecture) {
  const int64_t key = gguf_find_key(file, (architecture + ".classifier.output_labels").c_str());
  if (key < 0 || gguf_get_kv_type(file, key) != GGUF_TYPE_ARRAY || gguf_get_arr_type(file, key) != GGUF_TYPE_STRING) {
    return {""};
  }
  std::vector<std::string> labels;
  for (size_t i = 0; i < gguf_get_arr_n(file, key); ++i) labels.emplace_back(gguf_get_arr_str(file, key, i));
  return labels;
}

std::string problemOf(const Head & head, const std::string & architecture) {
  const bool known = std::find(head.tensors.begin(), head.tensors.end(), kHead) != head.tensors.end();
  if (!known) return "llama.cpp knows no head of the tensors " + head.tensors.front() + ", …: it reads " + kHead;
  if (!supported(architecture)) return "T1 knows those of the architectures qwen3 and qwen3vl, this is " + architecture;
  if (head.labels.size() > 1) return "";
  return "it has one class, and llama.cpp makes probabilities of what it says: that would always be 1; give a model "
         "with two classes or more";
}

}  // namespace

std::optional<Head> findHead(const std::string & path, const std::string & architecture) {
  clearLog();
  const AssertsThrow guard;
  try {
    const GgufHandle file(gguf_init_from_file(path.c_str(), {/*no_alloc=*/true, /*ctx=*/nullptr}));
    if (!file) throw Failure(Code::ModelInvalid, "cannot read the header of " + path + ": " + loggedReason());
    Head head{headTensors(file.get()), {}, ""};
    if (head.tensors.empty()) return std::nullopt;
    head.labels = classLabels(file.get(), architecture);
    head.problem = problemOf(head, architecture);
    return head;
  } catch (const Failure &) {
    throw;
  } catch (const std::exception & error) {
    throw Failure(Code::ModelInvalid, "cannot read the header of " + path + ": " + error.what());
  }
}

void requireHead(const std::string & path, const ModelInfo & info) {
  if (!info.head) {
    throw Failure(Code::Usage, "the model " + path + " has no classification head (no tensor " + kHead +
                                   " in this file): "
                                   "give one that has, or score tokens instead");
  }
  if (info.head->problem.empty()) return;
  throw Failure(Code::ModelInvalid, "the classification head of " + path + " cannot be used: " + info.head->problem);
}

}  // namespace t1
