// One GGUF. Its vocabulary and metadata load at once and are read-only, so any thread may use them;
// its weights load later, on the decode thread.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "handles.h"
#include "types.h"

namespace t1 {

class Vocabulary {
 public:
  // Throws Failure (FILE_NOT_FOUND, MODEL_INVALID).
  explicit Vocabulary(const std::string & path);

  const llama_vocab * handle() const { return vocab_; }
  const ModelInfo & info() const { return info_; }
  int32_t size() const { return info_.vocabularySize; }
  std::vector<Token> tokenize(std::string_view text, bool special, bool addBos) const;
  // Whether the model wants a beginning-of-sequence token before its text.
  bool addsBos() const { return llama_vocab_get_add_bos(vocab_); }
  bool isEog(Token token) const { return llama_vocab_is_eog(vocab_, token); }
  // The token's bytes; control tokens have none.
  std::string piece(Token token) const;

 private:
  template <typename Body>
  auto guarded(Body body) const;

  ModelHandle model_;
  const llama_vocab * vocab_ = nullptr;
  ModelInfo info_;
};

// Loads weights, which take so many bytes. `proceed` is asked during the load; false gives it up (ABORTED).
ModelHandle loadWeights(const EngineOptions & options, double bytes, const std::function<bool()> & proceed);

}  // namespace t1
