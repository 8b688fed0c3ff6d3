#include "grammar.h"

#include <cmath>

#include "log.h"

namespace t1 {
namespace {

Failure unusable(const std::string & reason) {
  return Failure(Code::Usage, "the grammar cannot be used: " +
                                  (reason.empty() ? "it is not GBNF; every rule is written name ::= …, and one is called root" : reason));
}

}  // namespace

Grammar::Grammar(const Vocabulary & vocabulary, const std::string & text) : model_(vocabulary.model()) {
  if (text.find_first_not_of(" \t\r\n") == std::string::npos) throw unusable("it is empty");
  if (text.find('\0') != std::string::npos) throw unusable("it holds a NUL");
  clearLog();
  const AssertsThrow guard;
  try {
    sampler_.reset(llama_sampler_init_grammar(llama_model_get_vocab(model_.get()), text.c_str(), "root"));
  } catch (const std::bad_alloc &) {
    throw;
  } catch (const std::exception & error) {
    throw unusable(error.what());
  }
  if (!sampler_) throw unusable(loggedReason());
}

void Grammar::check(const Vocabulary & vocabulary, const std::string & text) {
  StandardErrorKept printed;
  try {
    Grammar(vocabulary, text);
  } catch (const Failure &) {
    const std::string before = "error parsing grammar: ";
    const std::string line = printed.firstLine();
    const size_t reason = line.find(before);
    if (reason == std::string::npos) throw;
    throw unusable(line.substr(reason + before.size()));
  }
}

Grammar Grammar::clone() const { return Grammar(model_, SamplerHandle(llama_sampler_clone(sampler_.get()))); }

bool Grammar::allows(Token token) {
  llama_token_data one{token, 0, 0};
  llama_token_data_array array{&one, 1, -1, false};
  llama_sampler_apply(sampler_.get(), &array);
  return one.logit > -INFINITY;
}

bool Grammar::mask(std::vector<float> & logits) {
  scratch_.resize(logits.size());
  for (size_t token = 0; token < logits.size(); ++token) scratch_[token] = {static_cast<Token>(token), logits[token], 0};
  llama_token_data_array array{scratch_.data(), scratch_.size(), -1, false};
  llama_sampler_apply(sampler_.get(), &array);
  bool any = false;
  for (size_t i = 0; i < array.size; ++i) {
    logits[static_cast<size_t>(array.data[i].id)] = array.data[i].logit;
    any = any || array.data[i].logit > -INFINITY;
  }
  return any;
}

void Grammar::accept(Token token) {
  try {
    llama_sampler_accept(sampler_.get(), token);
  } catch (const std::bad_alloc &) {
    throw;
  } catch (const std::exception & error) {
    throw Failure(Code::Internal, std::string("llama.cpp's grammar: ") + error.what());
  }
}

}  // namespace t1
