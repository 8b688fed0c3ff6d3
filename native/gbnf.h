// The text of a GBNF grammar (llama.cpp, grammars/README.md) as rules that can be followed. Ours, because llama.cpp's
// own parser prints what is wrong to standard error, loops on {5,2}, and takes rules that can be expanded without end.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "types.h"

namespace t1 {

struct Gbnf {
  enum class Kind : uint8_t { End, Characters, Token, Rule };
  struct Element {
    Kind kind = Kind::End;
    bool negated = false;  // Token: any other
    uint32_t value = 0;    // Rule: its number; Token: its id; Characters: the first of its ranges
    uint32_t count = 0;    // Characters: ranges
  };
  using Range = std::pair<uint32_t, uint32_t>;  // code points, both ends belong to it

  std::vector<Element> elements;             // of all alternatives, each closed by an End
  std::vector<Range> ranges;                 // of each element ascending, apart from one another
  std::vector<std::vector<uint32_t>> rules;  // [rules][alternatives] where it begins in `elements`
  uint32_t root = 0;

  bool matches(const Element & element, uint32_t first, uint32_t last) const;
};

// Limits, far above what grammars need that are written or made from a JSON schema.
inline constexpr size_t kMostGrammarBytes = 256 << 10;
inline constexpr size_t kMostGrammarElements = 1 << 18;
inline constexpr int kMostGrammarDepth = 100;  // of groups
inline constexpr uint32_t kMostRepetitions = 10'000;

// `tokenize` reads control tokens as such. Throws Failure (USAGE) with line, column and what is wrong there: text that
// is no GBNF, a rule that is missing, twice there or left-recursive, or more than the limits allow.
Gbnf parseGbnf(const std::string & text, const std::function<std::vector<Token>(std::string_view)> & tokenize);

}  // namespace t1
