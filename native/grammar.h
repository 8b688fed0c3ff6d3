// What a sample may still say: its grammar and how far it has come in it. The state is a set of stacks of places in the
// rules, as in llama.cpp's; the work of every call is bounded.
#pragma once

#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "gbnf.h"
#include "pieces.h"

namespace t1 {

class Vocabulary;

// Of one sample; one thread at a time.
class Grammar {
 public:
  // Begins with the rule `root`. Throws Failure (USAGE) with what is wrong with the text, and where.
  Grammar(const Vocabulary & vocabulary, const std::string & text);
  Grammar(std::shared_ptr<const Pieces> pieces, Gbnf rules);
  // Throws as the first one does; reads no vocabulary.
  static void check(const Vocabulary & vocabulary, const std::string & text);

  // Each of them throws Failure (USAGE) where there are more ways to go on than can be followed.
  // Whether the sample may go on with this token. End-of-generation tokens may come where the grammar may end.
  bool allows(Token token);
  // [vocabulary] sets the logits of all other tokens to -inf. False: there is no token that may come.
  bool mask(std::vector<float> & logits);
  // Goes on with a token that it allows. Throws Failure (INTERNAL) if it does not.
  void accept(Token token);

 private:
  // A stack is its number: what is on top, and the rest. They are shared, and equal ones are one.
  using Stack = int32_t;
  static constexpr Stack kDone = -1;  // the empty one: the grammar may end here
  struct Node {
    uint32_t at;  // of rules_->elements; never an End
    Stack below;
  };
  // A character of which `missing` bytes are still to come, so that it lies between these.
  struct Partial {
    uint32_t value = 0;
    int missing = 0;
    int length = 0;
  };
  // Where text can have come to: ascending, and each only once. Empty: nowhere.
  struct State {
    std::vector<Stack> stacks;
    Partial partial;
  };
  class Walk;

  Stack push(uint32_t at, Stack below);
  void expand(std::vector<Stack> & todo, std::vector<Stack> & out);
  bool follow(State & state, std::string_view bytes);
  bool step(State & state, unsigned char byte);
  std::vector<Stack> after(const std::vector<Stack> & stacks, uint32_t character);
  void keepPossible(State & state) const;
  std::vector<Stack> afterToken(const State & state, Token token);
  bool names(const Gbnf::Element & element, Token token) const;
  bool mayEnd() const;
  void shrink(size_t nodes);
  void compact();
  void work(size_t amount);

  std::shared_ptr<const Pieces> pieces_;
  std::shared_ptr<const Gbnf> rules_;
  State state_;
  std::vector<Node> nodes_;
  std::unordered_map<uint64_t, Stack> known_;  // number of each node
  std::vector<uint32_t> seen_;                 // [nodes] in which expansion
  uint32_t expansions_ = 0;
  size_t work_ = 0;  // of this call
};

}  // namespace t1
