// One GGUF. Its vocabulary and metadata load at once and are read-only, so any thread may use them;
// its weights load later, on the decode thread, and bring the vocabulary with them again.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "handles.h"
#include "pieces.h"
#include "types.h"

namespace t1 {

class Vocabulary {
 public:
  // Throws Failure (FILE_NOT_FOUND, MODEL_INVALID).
  explicit Vocabulary(const std::string & path);

  // What holds the vocabulary; a copy keeps it there.
  std::shared_ptr<const llama_model> model() const;
  // The file's weights bring the same vocabulary with them: from now on it is theirs, and the memory of this one is
  // given back.
  void moveTo(std::shared_ptr<const llama_model> weights);
  // Only info() and size() afterwards.
  void release();
  const ModelInfo & info() const { return info_; }
  int32_t size() const { return info_.vocabularySize; }
  std::vector<Token> tokenize(std::string_view text, bool special, bool addBos) const;
  // Whether the model wants a beginning-of-sequence token before its text.
  bool addsBos() const;
  bool isEog(Token token) const;
  // The token's bytes; control tokens have none.
  std::string piece(Token token) const;
  // Of all tokens; made when they are first asked for. Any thread.
  std::shared_ptr<const Pieces> pieces() const;

 private:
  template <typename Body>
  auto guarded(Body body) const;

  mutable std::mutex mutex_;  // guards model_
  mutable std::once_flag piecesMade_;
  mutable std::shared_ptr<const Pieces> pieces_;
  std::shared_ptr<const llama_model> model_;
  ModelInfo info_;
};

// Loads weights, which take so many bytes. `proceed` is asked during the load; false gives it up (ABORTED).
ModelHandle loadWeights(const EngineOptions & options, double bytes, const std::function<bool()> & proceed);

}  // namespace t1
