#include "model.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <new>

#if defined(__GLIBC__)
#include <malloc.h>
#endif

#include "backend.h"
#include "classifier.h"
#include "gguf_check.h"
#include "log.h"

namespace t1 {
namespace {

// llama.cpp's string getters return the length needed, like snprintf.
template <typename Get>
std::string getString(Get get) {
  const int32_t length = get(nullptr, 0);
  if (length <= 0) return {};
  std::string text(static_cast<size_t>(length) + 1, '\0');
  get(text.data(), text.size());
  text.resize(static_cast<size_t>(length));
  return text;
}

Failure invalid(const std::string & path, const std::string & fallback) {
  const std::string reason = loggedReason();
  return Failure(Code::ModelInvalid, "cannot load the model " + path + ": " + (reason.empty() ? fallback : reason));
}

std::string humanCount(double count) {
  char text[32];
  if (count >= 1e9) {
    std::snprintf(text, sizeof text, "%.1fB", count / 1e9);
  } else if (count >= 1e6) {
    std::snprintf(text, sizeof text, "%.0fM", count / 1e6);
  } else {
    std::snprintf(text, sizeof text, "%.0fK", count / 1e3);
  }
  return text;
}

// Hyperparameters and llama.cpp's own description are not there while only the vocabulary is loaded; the metadata's
// text is.
std::string metadataText(const ModelInfo & info, const std::string & key) {
  for (const auto & [name, value] : info.metadata) {
    if (name == key) return value;
  }
  return {};
}

// A non-negative integer; 0 if absent, and at most what int32 holds.
int32_t metadataNumber(const ModelInfo & info, const std::string & key) {
  const long long value = std::strtoll(metadataText(info, info.architecture + "." + key).c_str(), nullptr, 10);
  return static_cast<int32_t>(std::clamp(value, 0LL, 0x7fffffffLL));
}

// Quantisation, for example "Q4_0".
std::string fileType(const ModelInfo & info) {
  const std::string number = metadataText(info, "general.file_type");
  return number.empty() ? "" : llama_ftype_name(static_cast<llama_ftype>(std::strtol(number.c_str(), nullptr, 10)));
}

std::string tokenText(const llama_vocab * vocab, llama_token token) {
  const char * text = token == LLAMA_TOKEN_NULL ? nullptr : llama_vocab_get_text(vocab, token);
  return text ? text : "";
}

ModelInfo describe(const llama_model * model, const std::string & path) {
  ModelInfo info;
  const llama_vocab * vocab = llama_model_get_vocab(model);
  for (int32_t i = 0; i < llama_model_meta_count(model); ++i) {
    info.metadata.emplace_back(
        getString([&](char * buf, size_t size) { return llama_model_meta_key_by_index(model, i, buf, size); }),
        getString([&](char * buf, size_t size) { return llama_model_meta_val_str_by_index(model, i, buf, size); }));
  }
  info.architecture = metadataText(info, "general.architecture");
  info.name = metadataText(info, "general.name");
  if (info.name.empty()) info.name = std::filesystem::path(path).filename().string();
  info.parameters = static_cast<double>(llama_model_n_params(model));
  info.sizeBytes = static_cast<double>(llama_model_size(model));
  info.description = info.architecture + " " + humanCount(info.parameters) + " " + fileType(info);
  info.contextLength = metadataNumber(info, "context_length");
  info.layers = metadataNumber(info, "block_count");
  info.vocabularySize = llama_vocab_n_tokens(vocab);
  const char * chatTemplate = llama_model_chat_template(model, nullptr);
  info.hasChatTemplate = chatTemplate != nullptr;
  if (chatTemplate) info.chatTemplate = chatTemplate;
  info.bosToken = tokenText(vocab, llama_vocab_bos(vocab));
  info.eosToken = tokenText(vocab, llama_vocab_eos(vocab));
  info.head = findHead(path, info.architecture);
  return info;
}

// Null, with a reason in the log, for whatever llama.cpp does not like.
ModelHandle load(const std::string & path, const llama_model_params & params) {
  clearLog();
  const AssertsThrow guard;
  try {
    return ModelHandle(llama_model_load_from_file(path.c_str(), params));
  } catch (const std::bad_alloc &) {
    throw Failure(Code::OutOfMemory, "no memory to load " + path);
  } catch (const std::exception & error) {
    throw Failure(Code::ModelInvalid, "cannot load the model " + path + ": " + error.what());
  }
}

// What llama.cpp takes as it is and stumbles over while it computes.
void checkMetadata(const ModelInfo & info, const std::string & path) {
  const std::string damaged = "the model " + path + " is damaged: ";
  if (info.contextLength < 1) throw Failure(Code::ModelInvalid, damaged + "it states no context length");
  for (const char * key : {".attention.layer_norm_epsilon", ".attention.layer_norm_rms_epsilon"}) {
    const std::string text = metadataText(info, info.architecture + key);
    if (!text.empty() && !(std::strtod(text.c_str(), nullptr) >= 0)) {
      throw Failure(Code::ModelInvalid, damaged + info.architecture + key + " is " + text);
    }
  }
}

llama_model_params baseParams() {
  llama_model_params params = llama_model_default_params();
  params.load_mtp = false;
  return params;
}

}  // namespace

Vocabulary::Vocabulary(const std::string & path) {
  checkGguf(path, "model", Code::ModelInvalid);
  initBackend();
  llama_model_params params = baseParams();
  params.vocab_only = true;
  params.n_gpu_layers = 0;
  ModelHandle model = load(path, params);
  if (!model) throw invalid(path, "llama.cpp refused it without a reason");
  const llama_vocab * vocab = llama_model_get_vocab(model.get());
  if (llama_vocab_type(vocab) == LLAMA_VOCAB_TYPE_NONE || llama_vocab_n_tokens(vocab) <= 0) {
    throw Failure(Code::ModelInvalid, "the model " + path + " has no vocabulary");
  }
  const AssertsThrow guard;
  try {
    info_ = describe(model.get(), path);
  } catch (const Failure &) {
    throw;
  } catch (const std::exception & error) {
    throw Failure(Code::ModelInvalid, "cannot read the metadata of " + path + ": " + error.what());
  }
  checkMetadata(info_, path);
  model_ = std::move(model);
}

std::shared_ptr<const llama_model> Vocabulary::model() const {
  std::lock_guard lock(mutex_);
  if (!model_) throw Failure(Code::Disposed, "the engine was disposed");
  return model_;
}

void Vocabulary::moveTo(std::shared_ptr<const llama_model> weights) {
  {
    std::lock_guard lock(mutex_);
    model_.swap(weights);
  }
  weights.reset();
#if defined(__GLIBC__)
  malloc_trim(0);  // some 40 MiB in small pieces, which would stay with the process
#endif
}

void Vocabulary::release() {
  std::lock_guard lock(mutex_);
  model_.reset();
}

bool Vocabulary::addsBos() const { return llama_vocab_get_add_bos(llama_model_get_vocab(model().get())); }

bool Vocabulary::isEog(Token token) const { return llama_vocab_is_eog(llama_model_get_vocab(model().get()), token); }

// Runs `body`; what llama.cpp throws at an inconsistent vocabulary becomes a Failure.
template <typename Body>
auto Vocabulary::guarded(Body body) const {
  const AssertsThrow guard;
  try {
    return body();
  } catch (const Failure &) {
    throw;
  } catch (const std::bad_alloc &) {
    throw;
  } catch (const std::exception & error) {
    throw Failure(Code::ModelInvalid, "the vocabulary of " + info_.name + " is damaged: " + error.what());
  }
}

std::vector<Token> Vocabulary::tokenize(std::string_view text, bool special, bool addBos) const {
  if (text.size() > INT32_MAX / 2) throw Failure(Code::Usage, "text to tokenize is longer than 1 GiB");
  // One token per byte, and a little for an added space, is the most there can be.
  std::vector<Token> tokens(text.size() + 8);
  const auto held = model();
  const llama_vocab * vocab = llama_model_get_vocab(held.get());
  const int32_t n = guarded([&] {
    return llama_tokenize(vocab, text.data(), static_cast<int32_t>(text.size()), tokens.data(),
                          static_cast<int32_t>(tokens.size()), false, special);
  });
  if (n < 0) throw Failure(Code::Internal, "tokenizer needs " + std::to_string(-static_cast<int64_t>(n)) + " tokens");
  tokens.resize(static_cast<size_t>(n));
  const llama_token bos = llama_vocab_bos(vocab);
  if (addBos && bos != LLAMA_TOKEN_NULL) tokens.insert(tokens.begin(), bos);
  return tokens;
}

std::string Vocabulary::piece(Token token) const {
  const auto held = model();
  const llama_vocab * vocab = llama_model_get_vocab(held.get());
  return guarded([&] {
    std::string text(64, '\0');
    int32_t n = llama_token_to_piece(vocab, token, text.data(), static_cast<int32_t>(text.size()), 0, false);
    if (n < 0) {
      text.resize(static_cast<size_t>(-n));
      n = llama_token_to_piece(vocab, token, text.data(), static_cast<int32_t>(text.size()), 0, false);
    }
    text.resize(static_cast<size_t>(std::max(0, n)));
    return text;
  });
}

std::shared_ptr<const Pieces> Vocabulary::pieces() const {
  std::call_once(piecesMade_, [this] {
    std::vector<std::string> pieces;
    std::vector<bool> ends;
    for (Token token = 0; token < size(); ++token) {
      pieces.push_back(piece(token));
      ends.push_back(isEog(token));
    }
    pieces_ = std::make_shared<const Pieces>(pieces, std::move(ends));
  });
  return pieces_;
}

namespace {

// Every decode reads all weights: on the CPU they may be mapped from the file, but what does not fit into main memory
// would be read from the disk each time. On a GPU they must fit at once, unless the user says how many layers go there.
void checkMemory(const EngineOptions & options, double bytes) {
  const Device device = decodingDevice(options.gpuLayers, options.device);
  const bool host = device.type == "cpu";
  const double free = host ? options.hostAvailableBytes : options.gpuLayers < 0 ? device.memoryFreeBytes : 0;
  if (free <= 0 || bytes <= free) return;
  throw Failure(Code::OutOfMemory, "the weights of " + options.path + " take " + mebibytes(bytes) + ", and " +
                                       device.name + " has " + mebibytes(free) +
                                       " free: use a smaller model or quantisation" +
                                       (host ? "" : ", or put fewer layers on the GPU"));
}

}  // namespace

ModelHandle loadWeights(const EngineOptions & options, double bytes, const std::function<bool()> & proceed) {
  llama_model_params params = baseParams();
  params.n_gpu_layers = options.gpuLayers;
  // Ends with a null; llama.cpp reads it while it loads.
  ggml_backend_dev_t devices[2] = {options.device.empty() ? nullptr : gpuDevice(options.device), nullptr};
  if (devices[0] != nullptr) params.devices = devices;
  else if (!options.device.empty()) params.n_gpu_layers = 0;
  params.progress_callback = [](float, void * data) { return (*static_cast<const std::function<bool()> *>(data))(); };
  params.progress_callback_user_data = const_cast<std::function<bool()> *>(&proceed);
  checkMemory(options, bytes);
  ModelHandle model = load(options.path, params);
  if (!model && !proceed()) throw Failure(Code::Aborted, "stopped while loading the model");
  if (!model) {
    const std::string reason = loggedReason();
    if (reason.find("alloc") != std::string::npos) {
      throw Failure(Code::OutOfMemory, "no memory for the weights of " + options.path + ": " + reason);
    }
    throw invalid(options.path, "llama.cpp refused its weights without a reason");
  }
  if (llama_model_has_encoder(model.get()) || !llama_model_has_decoder(model.get())) {
    throw Failure(Code::ModelInvalid,
                  "the model " + options.path + " is an encoder; T1 needs a decoder-only text model");
  }
  return model;
}

}  // namespace t1
