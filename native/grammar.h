// What a sample may still say: llama.cpp's GBNF grammar and how far the sample has come in it.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "handles.h"
#include "model.h"

namespace t1 {

// Of one sample; one thread at a time.
class Grammar {
 public:
  // Begins with the rule `root`. Throws Failure (USAGE).
  Grammar(const Vocabulary & vocabulary, const std::string & text);
  // Throws Failure (USAGE) with what is wrong with the text. For a thread that writes nothing to standard error meanwhile.
  static void check(const Vocabulary & vocabulary, const std::string & text);
  // At the same place in the grammar.
  Grammar clone() const;

  // Whether the sample may go on with this token. End-of-generation tokens may come where the grammar may end.
  bool allows(Token token);
  // [vocabulary] sets the logits of all other tokens to -inf. False: there is no token that may come.
  bool mask(std::vector<float> & logits);
  // Goes on with a token that it allows. Throws Failure if it does not.
  void accept(Token token);

 private:
  Grammar(std::shared_ptr<const llama_model> model, SamplerHandle sampler) : model_(std::move(model)), sampler_(std::move(sampler)) {}

  std::shared_ptr<const llama_model> model_;  // whose vocabulary the sampler reads
  SamplerHandle sampler_;
  std::vector<llama_token_data> scratch_;  // [vocabulary]
};

}  // namespace t1
