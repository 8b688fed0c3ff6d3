// Grammars: what is refused and how it is told, and that what is allowed is what llama.cpp allows, token by token.
#include <algorithm>
#include <cmath>
#include <memory>
#include <random>

#include "../grammar.h"
#include "../model.h"
#include "check.h"
#include "llama_sampler.h"

using namespace t1;

namespace {

const char * const kJson = R"(root   ::= object
value  ::= object | array | string | number | ("true" | "false" | "null") ws

object ::=
  "{" ws (
            string ":" ws value
    ("," ws string ":" ws value)*
  )? "}" ws

array  ::=
  "[" ws (
            value
    ("," ws value)*
  )? "]" ws

string ::=
  "\"" (
    [^"\\\x7F\x00-\x1F] |
    "\\" (["\\bfnrt] | "u" [0-9a-fA-F]{4}) # escapes
  )* "\"" ws

number ::= ("-"? ([0-9] | [1-9] [0-9]{0,15})) ("." [0-9]+)? ([eE] [-+]? [0-9] [1-9]{0,15})? ws
ws ::= | " " | "\n" [ \t]{0,20}
)";

const char * const kChess = R"(root    ::= "1. " move " " move "\n" ([1-9] [0-9]? ". " move " " move "\n")+
move    ::= (pawn | nonpawn | castle) [+#]?
nonpawn ::= [NBKQR] [a-h]? [1-8]? "x"? [a-h] [1-8]
pawn    ::= ([a-h] "x")? [a-h] [1-8] ("=" [NBKQR])?
castle  ::= "O-O" "-O"?
)";

const std::vector<std::string> kGrammars = {
    kJson,
    kChess,
    "root ::= (expr \"=\" term \"\\n\")+\nexpr ::= term ([-+*/] term)*\nterm ::= num | \"(\" expr \")\"\nnum ::= [0-9]+",
    "root ::= [a-z]+",
    "root ::= \"größer → 日本\" | [α-ω]{2,3} | [ァ-ヿ一-龯]+ \"!\"",
    "root ::= \"ab\"{3} \"c\"{0,2} \"the\"{1,} | .{2}",
    "root ::= (\"t\" | \"th\" | \"the\") \"e\"? \"in\"*\r\n# over lines\r\n",
    "root ::= <[65]> !<[66]> \"x\" | <|im_start|> [a-c]",
    "root ::= \"\" | \"a\" root \"b\"",
    "root ::= a b c\na ::= \"x\"?\nb ::= \"y\"?\nc ::= a b | \"z\"",
    "root ::= [\\x61-\\x63] [\\u0064] [\\U00000065-f] [\\]\\[\\-\\\\\\\"] \"\\t\\n\\r\\x5a\"",
};

std::vector<float> llamaMask(llama_sampler * sampler, int32_t n) {
  std::vector<llama_token_data> data;
  for (Token token = 0; token < n; ++token) data.push_back({token, 0, 0});
  llama_token_data_array array{data.data(), data.size(), -1, false};
  llama_sampler_apply(sampler, &array);
  std::vector<float> logits;
  for (const auto & entry : data) logits.push_back(entry.logit);
  return logits;
}

// Follows a grammar along a random way; every token is to be allowed or not as llama.cpp says. Returns the tokens compared.
int compareWithLlama(const Vocabulary & vocabulary, const std::string & text, std::mt19937 & random) {
  const llama_vocab * vocab = llama_model_get_vocab(vocabulary.model().get());
  const SamplerHandle theirs(llama_sampler_init_grammar(vocab, text.c_str(), "root"));
  if (!theirs) return 0;  // it refuses repetitions of what may be empty
  Grammar ours(vocabulary, text);
  const bool lax = text.find("[^") != std::string::npos || text.find_first_of(".!") != std::string::npos;
  int compared = 0;
  for (int position = 0; position < 14; ++position) {
    std::vector<float> mask(static_cast<size_t>(vocabulary.size()));
    const bool any = ours.mask(mask);
    const std::vector<float> expected = llamaMask(theirs.get(), vocabulary.size());
    std::vector<Token> allowed;
    for (Token token = 0; token < vocabulary.size(); ++token) {
      const bool may = mask[static_cast<size_t>(token)] == 0;
      CHECK(ours.allows(token) == may);
      // A control token has no text of its own: llama.cpp reads its name as such. And it is lax about bytes that begin a
      // character: [^é] allows none of those that begin like é, F5 may begin anything.
      const std::string piece = vocabulary.piece(token);
      const bool control = piece.empty() && !vocabulary.isEog(token);
      const bool ascii = std::all_of(piece.begin(), piece.end(), [](char c) { return static_cast<unsigned char>(c) < 0x80; });
      if (!control && (ascii || !lax) && may != (expected[static_cast<size_t>(token)] == 0)) {
        std::fprintf(stderr, "token %d at %d: %d here\n%s\n", token, position, may, text.c_str());
        CHECK(false);
      }
      ++compared;
      if (may && !control && (ascii || !lax)) allowed.push_back(token);
    }
    CHECK(any || allowed.empty());
    if (allowed.empty()) return compared;
    const Token token = allowed[random() % allowed.size()];
    const Grammar before = ours;
    ours.accept(token);
    if (vocabulary.isEog(token)) return compared;
    llama_sampler_accept(theirs.get(), token);
    CHECK(Grammar(before).allows(token));  // a copy goes its own way
  }
  return compared;
}

std::string randomExpression(std::mt19937 & random, int depth) {
  static const char * const atoms[] = {"\"a\"", "\"t\"", "[a-e]", "\"the\"", "[^h]", "\"nd\"", "[ie]", ".", "\"\"", "r1", "r2", "r3"};
  std::string text;
  const auto parts = 1 + random() % 3;
  for (unsigned i = 0; i < parts; ++i) {
    if (i > 0) text += random() % 3 == 0 ? " | " : " ";
    text += depth > 0 && random() % 3 == 0 ? "(" + randomExpression(random, depth - 1) + ")" : atoms[random() % std::size(atoms)];
    static const char * const repeats[] = {"*", "+", "?", "{2}", "{0,2}", "{1,}", "{0}"};
    if (text.back() != '"' || text[text.size() - 2] != '"') {
      if (random() % 3 == 0) text += repeats[random() % std::size(repeats)];
    }
  }
  return text;
}

void testAsLlama() {
  const Vocabulary vocabulary(tinyModel());
  std::mt19937 random(7);
  for (const std::string & grammar : kGrammars) {
    for (int way = 0; way < 4; ++way) CHECK(compareWithLlama(vocabulary, grammar, random) > 0);
  }
  int compared = 0;
  for (int i = 0; i < 300; ++i) {
    std::string text = "root ::= " + randomExpression(random, 2);
    for (const char * name : {"r1", "r2", "r3"}) text += std::string("\n") + name + " ::= " + randomExpression(random, 1);
    try {
      Grammar::check(vocabulary, text);
    } catch (const Failure & failure) {
      CHECK(failure.code == Code::Usage);
      continue;  // llama.cpp would expand some of these for ever
    }
    compared += compareWithLlama(vocabulary, text, random) > 0 ? 1 : 0;
  }
  CHECK(compared > 75);
}

std::string reasonOf(const std::string & text) {
  static const Vocabulary vocabulary(tinyModel());
  try {
    Grammar::check(vocabulary, text);
    return "";
  } catch (const Failure & failure) {
    CHECK(failure.code == Code::Usage);
    const std::string reason = failure.what();
    CHECK(reason.starts_with("the grammar cannot be used: ") || reason.starts_with("the grammar leaves too many ways"));
    CHECK(reason.find('\n') == std::string::npos);
    return reason;
  }
}

void expectReason(const std::string & text, const std::string & part) {
  const std::string reason = reasonOf(text);
  if (reason.find(part) != std::string::npos) return;
  std::fprintf(stderr, "%s\n  says: %s\n  not: %s\n", text.substr(0, 200).c_str(), reason.c_str(), part.c_str());
  CHECK(false);
}

std::string repeated(const std::string & text, int times) {
  std::string all;
  for (int i = 0; i < times; ++i) all += text;
  return all;
}

void testRefused() {
  expectReason("", "empty");
  expectReason(" \n\t", "empty");
  expectReason(std::string("root ::= \"a\0b\"", 14), "NUL");
  expectReason("say yes", "line 1, column 5: ::= is expected");
  expectReason("answer ::= \"x\"", "no rule is called root");
  expectReason("root ::= answer", "no rule 'answer', which is named in line 1, column 10");
  expectReason("root ::= \"a\"\nroot ::= \"b\"", "line 2, column 1: the rule 'root' is there twice");
  expectReason("root ::= \"a\n", "line 1, column 10: the \" that begins here is not closed");
  expectReason("root ::= [a", "the [ that begins here is not closed");
  expectReason("root ::= []", "no character between [ and ]");
  expectReason("root ::= [z-a]", "ends before it begins");
  expectReason("root ::= \"\\q\"", "no such escape");
  expectReason("root ::= \"\\x4\"", "2 hexadecimal digits");
  expectReason("root ::= \"\\U00110000\"", "no such character");
  expectReason("root ::= (\"a\"", "a ) is expected");
  expectReason("root ::= \"a\" )", "line 1, column 14");
  expectReason("root ::= *", "nothing before it");
  expectReason("root ::= \"a\"{,3}", "a number is expected");
  expectReason("root ::= \"a\"{3", "a } is expected");
  expectReason("root ::= \"a\"{5,2}", "at least 5 and at most 2 times cannot be");
  expectReason("root ::= \"a\"{10001}", "more than 10000 repetitions");
  expectReason("root ::= \"a\"{0,99999999999999999999}", "more than 10000 repetitions");
  expectReason("root ::= <nothing of the kind>", "the model has no token <nothing of the kind>");
  expectReason("root ::= \"\xff\"", "UTF-8");
  expectReason("root ::= \"\xc3", "UTF-8");
  // Left recursion, in the open and behind what may be empty: llama.cpp expands the second one until memory is gone.
  expectReason("root ::= root \"a\" | \"b\"", "left recursion");
  expectReason("root ::= x root \"b\"\nx ::= y\ny ::= \"\"", "left recursion");
  expectReason("root ::= a \"x\"\na ::= b \"y\" | \"z\"\nb ::= a \"w\"", "left recursion");
  // Limits.
  expectReason("root ::= \"" + std::string(kMostGrammarBytes, 'a') + "\"", "longer than 256 KiB");
  expectReason("root ::= " + repeated("(", 200) + "\"a\"" + repeated(")", 200), "groups lie more than 100 deep");
  expectReason("root ::= " + repeated("\"a\"{10000} ", 40), "more than 262144 parts");
  expectReason("root ::= ((((\"a\"{9000}){9000}){9000}){9000} \"b\"{9000}){0,9000}" + repeated(" \"a\"{0,10000}", 10), "more than 262144 parts");
  // 2^30 ways to begin.
  std::string ways = "root ::= r0\n";
  for (int i = 0; i < 30; ++i) {
    const std::string next = "r" + std::to_string(i + 1);
    ways += "r" + std::to_string(i) + " ::= " + next + " \"x\" | " + next + " \"y\"\n";
  }
  expectReason(ways + "r30 ::= \"z\"", "too many ways");
}

void testAccepted() {
  CHECK(reasonOf("root ::= (\"a\"*)* (\"b\"?)+") == "");  // llama.cpp refuses it
  CHECK(reasonOf("root ::= " + repeated("(", 100) + "\"a\"" + repeated(")", 100)) == "");
  CHECK(reasonOf("root ::= \"a\"{10000}") == "");
  CHECK(reasonOf("root ::= ((\"a\"{2000}){2000}){2000}") == "");
}

// What bytes that are no character may do: nothing. llama.cpp lets C0 80 pass and then throws.
void testIllFormed() {
  const std::vector<std::string> bytes = {"a", "\xc0\x80", "\xe0\x80\x80", "\x80", "\xe0", "\x80\x80", "\xed\xa0\x80", "\xf5", std::string(1, '\0'), "\xc3", "\xa9", "", "end"};
  std::vector<bool> ends(bytes.size());
  ends.back() = true;
  const auto pieces = std::make_shared<const Pieces>(bytes, ends);
  const auto none = [](std::string_view) { return std::vector<Token>(); };
  Grammar grammar(pieces, parseGbnf("root ::= [^b]*", none));
  const auto allowed = [&] {
    std::vector<float> mask(bytes.size());
    grammar.mask(mask);
    std::string text;
    for (size_t t = 0; t < mask.size(); ++t) {
      CHECK(grammar.allows(static_cast<Token>(t)) == (mask[t] == 0));
      if (mask[t] == 0) text += std::to_string(t) + " ";
    }
    return text;
  };
  CHECK(allowed() == "0 4 9 12 ");
  grammar.accept(9);
  CHECK(allowed() == "3 10 ");  // it cannot end within a character
  grammar.accept(10);
  CHECK(allowed() == "0 4 9 12 ");
  grammar.accept(4);
  CHECK(allowed() == "10 ");  // E0 80 would be written too long
  bool thrown = false;
  try {
    grammar.accept(0);
  } catch (const Failure & failure) {
    thrown = failure.code == Code::Internal;
  }
  CHECK(thrown);
}

// However it is written, a call takes a bounded time: it ends, or says that it does not.
void testBounded() {
  const Vocabulary vocabulary(tinyModel());
  std::string spaces = "root ::= ";
  for (int i = 0; i < 20; ++i) spaces += "(\"a\" | \"an\" | \"and\"){0,50} ";
  for (const std::string & text : {std::string("root ::= (.?){0,9000} \"!\""), spaces + "\"!\"", std::string("root ::= \"(\" root \")\" | (root2 root2)*\nroot2 ::= \"(\"? \"(\"? \"a\"")}) {
    try {
      Grammar grammar(vocabulary, text);
      for (int position = 0; position < 20; ++position) {
        std::vector<float> mask(static_cast<size_t>(vocabulary.size()));
        if (!grammar.mask(mask) || mask[97] != 0) break;
        grammar.accept(97);
      }
    } catch (const Failure & failure) {
      CHECK(failure.code == Code::Usage);
    }
  }
  // A long way leaves nothing behind.
  Grammar grammar(vocabulary, kJson);
  for (const char c : std::string("{\"a\": [")) grammar.accept(static_cast<Token>(vocabulary.tokenize(std::string(1, c), false, false)[0]));
  const Token one = vocabulary.tokenize("1", false, false)[0];
  const Token comma = vocabulary.tokenize(",", false, false)[0];
  for (int i = 0; i < 3'000; ++i) {
    CHECK(grammar.allows(one));
    grammar.accept(one);
    grammar.accept(comma);
  }
}

}  // namespace

int main() {
  testRefused();
  testAccepted();
  testIllFormed();
  testAsLlama();
  testBounded();
}
