#include "gbnf.h"

#include <algorithm>
#include <map>

namespace t1 {
namespace {

using Kind = Gbnf::Kind;
using Element = Gbnf::Element;
using Range = Gbnf::Range;
using Sequence = std::vector<Element>;
using Alternatives = std::vector<Sequence>;

constexpr uint32_t kLastCodePoint = 0x10FFFF;

Failure unusable(const std::string & reason) { return Failure(Code::Usage, "the grammar cannot be used: " + reason); }

bool isWordChar(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-';
}
bool isDigit(char c) { return c >= '0' && c <= '9'; }

// Sorted, without overlaps; NUL belongs to none, for no text holds it.
std::vector<Range> normalised(std::vector<Range> ranges, bool negated) {
  std::sort(ranges.begin(), ranges.end());
  std::vector<Range> merged;
  for (const auto & [first, last] : ranges) {
    if (!merged.empty() && first <= merged.back().second + 1) {
      merged.back().second = std::max(merged.back().second, last);
    } else {
      merged.emplace_back(first, last);
    }
  }
  if (negated) {
    std::vector<Range> others;
    uint32_t next = 1;
    for (const auto & [first, last] : merged) {
      if (first > next) others.emplace_back(next, first - 1);
      next = std::max(next, last + 1);
    }
    if (next <= kLastCodePoint) others.emplace_back(next, kLastCodePoint);
    return others;
  }
  if (!merged.empty() && merged.front().first == 0) merged.front().first = 1;
  if (!merged.empty() && merged.front().second == 0) merged.erase(merged.begin());
  return merged;
}

// Recursive descent over the text; a group's depth is bounded, so is the stack.
class Parser {
 public:
  Parser(const std::string & text, const std::function<std::vector<Token>(std::string_view)> & tokenize)
      : text_(text), tokenize_(tokenize) {}

  Gbnf parse() {
    skipSpace(true);
    while (!atEnd()) parseRule();
    const auto root = numbers_.find("root");
    if (root == numbers_.end() || !defined_[root->second]) throw unusable("no rule is called root (root ::= …)");
    for (const auto & [name, number] : numbers_) {
      if (!defined_[number]) {
        throw unusable("there is no rule '" + name + "', which is named " + place(firstUse_[number]));
      }
    }
    Gbnf gbnf;
    gbnf.root = root->second;
    gbnf.ranges = std::move(ranges_);
    for (const Alternatives & alternatives : rules_) {
      gbnf.rules.emplace_back();
      for (const Sequence & sequence : alternatives) {
        gbnf.rules.back().push_back(static_cast<uint32_t>(gbnf.elements.size()));
        gbnf.elements.insert(gbnf.elements.end(), sequence.begin(), sequence.end());
        gbnf.elements.push_back({});
      }
    }
    return gbnf;
  }

  // What the user calls the rule, or the one that the repetition or group is in.
  const std::string & nameOf(size_t rule) const { return names_[rule]; }

 private:
  bool atEnd() const { return at_ == text_.size(); }
  char peek() const { return atEnd() ? '\0' : text_[at_]; }

  std::string place(size_t at) const {
    const auto begin = text_.begin();
    const auto end = begin + static_cast<ptrdiff_t>(std::min(at, text_.size()));
    const auto line = std::count(begin, end, '\n') + 1;
    const size_t before = at == 0 ? std::string::npos : text_.rfind('\n', at - 1);
    const size_t column = at - (before == std::string::npos ? 0 : before + 1) + 1;
    return "in line " + std::to_string(line) + ", column " + std::to_string(column);
  }
  Failure wrong(const std::string & what, size_t at) const { return unusable(place(at) + ": " + what); }
  Failure wrong(const std::string & what) const { return wrong(what, at_); }

  void skipSpace(bool newlines) {
    while (!atEnd()) {
      const char c = peek();
      if (c == '#') {
        while (!atEnd() && peek() != '\n' && peek() != '\r') ++at_;
      } else if (c == ' ' || c == '\t' || (newlines && (c == '\n' || c == '\r'))) {
        ++at_;
      } else {
        return;
      }
    }
  }

  uint32_t addRule(const std::string & name) {
    rules_.emplace_back();
    names_.push_back(name);
    defined_.push_back(true);
    firstUse_.push_back(at_);
    return static_cast<uint32_t>(rules_.size() - 1);
  }

  uint32_t numberOf(const std::string & name, size_t at) {
    const auto [entry, fresh] = numbers_.try_emplace(name, static_cast<uint32_t>(rules_.size()));
    if (fresh) {
      addRule(name);
      defined_.back() = false;
      firstUse_.back() = at;
    }
    return entry->second;
  }

  std::string parseName() {
    const size_t first = at_;
    while (!atEnd() && isWordChar(peek())) ++at_;
    if (at_ == first) throw wrong("a rule's name is expected here (letters, digits and -)");
    return text_.substr(first, at_ - first);
  }

  void parseRule() {
    const size_t first = at_;
    const std::string name = parseName();
    const uint32_t rule = numberOf(name, first);
    if (defined_[rule]) throw wrong("the rule '" + name + "' is there twice", first);
    defined_[rule] = true;
    skipSpace(false);
    if (text_.compare(at_, 3, "::=") != 0) throw wrong("::= is expected after the rule's name '" + name + "'");
    at_ += 3;
    skipSpace(true);
    Alternatives alternatives = parseAlternatives(name, 0);
    rules_[rule] = std::move(alternatives);
    if (!atEnd() && peek() != '\n' && peek() != '\r') throw wrong("a part of a rule or its end is expected here");
    skipSpace(true);
  }

  Alternatives parseAlternatives(const std::string & rule, int depth) {
    Alternatives alternatives;
    alternatives.push_back(parseSequence(rule, depth));
    while (peek() == '|') {
      ++at_;
      skipSpace(true);
      alternatives.push_back(parseSequence(rule, depth));
    }
    return alternatives;
  }

  Sequence parseSequence(const std::string & rule, int depth) {
    Sequence sequence;
    size_t last = 0;  // where the last item begins
    while (!atEnd()) {
      const char c = peek();
      const size_t before = sequence.size();
      if (c == '"') {
        parseLiteral(sequence);
      } else if (c == '[') {
        parseClass(sequence);
      } else if (c == '<' || c == '!') {
        parseToken(sequence);
      } else if (isWordChar(c)) {
        const size_t at = at_;
        const std::string name = parseName();
        sequence.push_back({Kind::Rule, false, numberOf(name, at), 0});
      } else if (c == '(') {
        if (depth == kMostGrammarDepth) {
          throw wrong("groups lie more than " + std::to_string(kMostGrammarDepth) + " deep in one another");
        }
        ++at_;
        skipSpace(true);
        Alternatives inner = parseAlternatives(rule, depth + 1);
        if (peek() != ')') throw wrong("a ) is expected here");
        ++at_;
        const uint32_t group = addRule(rule);
        rules_[group] = std::move(inner);
        sequence.push_back({Kind::Rule, false, group, 0});
      } else if (c == '.') {
        ++at_;
        sequence.push_back(characters({{1, kLastCodePoint}}));
      } else if (c == '*' || c == '+' || c == '?' || c == '{') {
        const size_t at = at_;
        const auto [least, most] = parseRepetition();
        if (last == sequence.size()) throw wrong("there is nothing before it that could be repeated", at);
        repeat(sequence, last, least, most, rule);
        skipSpace(depth > 0);
        continue;
      } else {
        break;
      }
      last = before;
      count(sequence.size() - before);
      skipSpace(depth > 0);
    }
    return sequence;
  }

  void count(size_t elements) {
    elements_ += elements;
    if (elements_ > kMostGrammarElements) {
      throw wrong("with its repetitions written out it has more than " + std::to_string(kMostGrammarElements) +
                  " parts");
    }
  }

  void parseLiteral(Sequence & sequence) {
    const size_t first = at_++;
    while (peek() != '"') {
      if (atEnd()) throw wrong("the \" that begins here is not closed", first);
      const uint32_t c = parseCharacter();
      sequence.push_back(characters({{c, c}}));
    }
    ++at_;
  }

  void parseClass(Sequence & sequence) {
    const size_t opening = at_++;
    const bool negated = peek() == '^';
    at_ += negated ? 1 : 0;
    std::vector<Range> ranges;
    while (peek() != ']') {
      if (atEnd()) throw wrong("the [ that begins here is not closed", opening);
      const size_t at = at_;
      const uint32_t first = parseCharacter();
      uint32_t last = first;
      if (peek() == '-' && at_ + 1 < text_.size() && text_[at_ + 1] != ']') {
        ++at_;
        last = parseCharacter();
        if (last < first) throw wrong("a range of characters ends before it begins", at);
      }
      ranges.emplace_back(first, last);
    }
    ++at_;
    if (ranges.empty()) throw wrong("there is no character between [ and ]", opening);
    sequence.push_back(characters(normalised(std::move(ranges), negated)));
  }

  // Those of one character are shared: texts have few different ones.
  Element characters(const std::vector<Range> & ranges) {
    const auto [known, fresh] = known_.try_emplace(ranges, static_cast<uint32_t>(ranges_.size()));
    if (fresh) ranges_.insert(ranges_.end(), ranges.begin(), ranges.end());
    return {Kind::Characters, false, known->second, static_cast<uint32_t>(ranges.size())};
  }

  // A code point, escaped or not.
  uint32_t parseCharacter() {
    if (peek() == '\\') return parseEscape();
    const auto lead = static_cast<unsigned char>(text_[at_]);
    const size_t length = lead < 0x80 ? 1 : lead < 0xC0 ? 0 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : lead < 0xF8 ? 4 : 0;
    if (length == 0 || at_ + length > text_.size()) throw wrong("the text is not valid UTF-8");
    uint32_t value = length == 1 ? lead : lead & ((1u << (7 - length)) - 1);
    for (size_t i = 1; i < length; ++i) {
      const auto next = static_cast<unsigned char>(text_[at_ + i]);
      if ((next & 0xC0) != 0x80) throw wrong("the text is not valid UTF-8");
      value = value << 6 | (next & 0x3F);
    }
    if (value > kLastCodePoint) throw wrong("the text is not valid UTF-8");
    at_ += length;
    return value;
  }

  uint32_t parseEscape() {
    const size_t first = at_++;
    const char kind = peek();
    if (!atEnd()) ++at_;
    switch (kind) {
      case 'x': return parseHex(2, first);
      case 'u': return parseHex(4, first);
      case 'U': return parseHex(8, first);
      case 't': return '\t';
      case 'r': return '\r';
      case 'n': return '\n';
      case '\\':
      case '"':
      case '[':
      case ']':
      case '-': return static_cast<unsigned char>(kind);
      default:
        throw wrong("there is no such escape; there are \\n \\r \\t \\\\ \\\" \\[ \\] \\- \\xHH \\uHHHH \\UHHHHHHHH",
                    first);
    }
  }

  uint32_t parseHex(int digits, size_t first) {
    uint32_t value = 0;
    for (int i = 0; i < digits; ++i, ++at_) {
      const char c = peek();
      const int digit = isDigit(c)             ? c - '0'
                        : c >= 'a' && c <= 'f' ? c - 'a' + 10
                        : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                               : -1;
      if (digit < 0) throw wrong("the escape wants " + std::to_string(digits) + " hexadecimal digits", first);
      value = value << 4 | static_cast<uint32_t>(digit);
    }
    if (value > kLastCodePoint) throw wrong("there is no such character", first);
    return value;
  }

  // <[id]> or <text of one token>, ! before it for any other.
  void parseToken(Sequence & sequence) {
    const size_t first = at_;
    const bool negated = peek() == '!';
    at_ += negated ? 1 : 0;
    const size_t close = text_.find('>', at_);
    if (peek() != '<' || close == std::string::npos) throw wrong("a token is written <text> or <[id]>", first);
    const std::string text = text_.substr(at_, close + 1 - at_);
    const bool numbered = text.size() > 4 && text[1] == '[' && text[text.size() - 2] == ']' &&
                          std::all_of(text.begin() + 2, text.end() - 2, isDigit);
    std::vector<Token> tokens;
    if (!numbered) tokens = tokenize_(text);
    else if (text.size() < 14)
      tokens = {static_cast<Token>(std::min<long long>(std::stoll(text.substr(2)), INT32_MAX))};
    if (tokens.size() != 1) throw wrong("the model has no token " + text, first);
    at_ = close + 1;
    sequence.push_back({Kind::Token, negated, static_cast<uint32_t>(tokens.front()), 0});
  }

  // Least and most times; kMostRepetitions + 1: without end.
  std::pair<uint32_t, uint32_t> parseRepetition() {
    constexpr uint32_t endless = kMostRepetitions + 1;
    const size_t first = at_;
    const char c = text_[at_++];
    if (c == '*') return {0, endless};
    if (c == '+') return {1, endless};
    if (c == '?') return {0, 1};
    skipSpace(true);
    const uint32_t least = parseCount();
    skipSpace(true);
    uint32_t most = least;
    if (peek() == ',') {
      ++at_;
      skipSpace(true);
      most = isDigit(peek()) ? parseCount() : endless;
      skipSpace(true);
    }
    if (peek() != '}') throw wrong("a } is expected here: repetitions are {n}, {n,} or {n,m}");
    ++at_;
    if (most < least) {
      throw wrong("at least " + std::to_string(least) + " and at most " + std::to_string(most) + " times cannot be",
                  first);
    }
    return {least, most};
  }

  uint32_t parseCount() {
    const size_t first = at_;
    uint32_t value = 0;
    for (; isDigit(peek()); ++at_) {
      value = std::min(value * 10 + static_cast<uint32_t>(peek() - '0'), kMostRepetitions + 1);
    }
    if (at_ == first) throw wrong("a number is expected here: repetitions are {n}, {n,} or {n,m}");
    if (value > kMostRepetitions) throw wrong("more than " + std::to_string(kMostRepetitions) + " repetitions", first);
    return value;
  }

  // S{m,n}: S S … S (m times), then S' with  S' ::= S S'' | , S'' ::= S S''' | …, each one time less;
  // S{m,}:  S S … S (m times), then S' with  S' ::= S S' | .
  void repeat(Sequence & sequence, size_t first, uint32_t least, uint32_t most, const std::string & rule) {
    Sequence item(sequence.begin() + static_cast<ptrdiff_t>(first), sequence.end());
    sequence.resize(first);
    if (item.size() > 1) {
      const uint32_t whole = addRule(rule);
      rules_[whole] = {item};
      item = {{Kind::Rule, false, whole, 0}};
    }
    count(static_cast<size_t>(least) + (most > kMostRepetitions ? 3 : 3 * static_cast<size_t>(most - least)));
    sequence.insert(sequence.end(), least, item.front());
    if (most == least) return;
    Element rest;
    if (most > kMostRepetitions) {
      const uint32_t again = addRule(rule);
      rest = {Kind::Rule, false, again, 0};
      rules_[again] = {{item.front(), rest}, {}};
    } else {
      for (uint32_t i = least; i < most; ++i) {
        const uint32_t once = addRule(rule);
        if (i == least) rules_[once] = {item, {}};
        else rules_[once] = {{item.front(), rest}, {}};
        rest = {Kind::Rule, false, once, 0};
      }
    }
    sequence.push_back(rest);
  }

  const std::string & text_;
  const std::function<std::vector<Token>(std::string_view)> & tokenize_;
  size_t at_ = 0;
  size_t elements_ = 0;
  std::map<std::string, uint32_t> numbers_;
  std::map<std::vector<Range>, uint32_t> known_;
  std::vector<Range> ranges_;
  // [rules]
  std::vector<Alternatives> rules_;
  std::vector<std::string> names_;
  std::vector<bool> defined_;
  std::vector<size_t> firstUse_;
};

// [rules] whether a rule may say nothing.
std::vector<bool> emptyRules(const Gbnf & gbnf) {
  std::vector<bool> empty(gbnf.rules.size());
  std::vector<std::vector<uint32_t>> users(
      gbnf.rules.size());        // alternatives that need this rule to be empty, by number
  std::vector<uint32_t> needed;  // [alternatives] rules that are not known to be empty yet
  std::vector<uint32_t> ruleOf;  // [alternatives]
  std::vector<uint32_t> ready;
  for (uint32_t rule = 0; rule < gbnf.rules.size(); ++rule) {
    for (const uint32_t begin : gbnf.rules[rule]) {
      uint32_t end = begin;
      bool terminals = false;
      for (; gbnf.elements[end].kind != Kind::End; ++end) {
        terminals = terminals || gbnf.elements[end].kind != Kind::Rule;
      }
      if (terminals) continue;
      const auto alternative = static_cast<uint32_t>(needed.size());
      needed.push_back(end - begin);
      ruleOf.push_back(rule);
      for (uint32_t e = begin; e < end; ++e) users[gbnf.elements[e].value].push_back(alternative);
      if (begin == end) ready.push_back(rule);
    }
  }
  while (!ready.empty()) {
    const uint32_t rule = ready.back();
    ready.pop_back();
    if (empty[rule]) continue;
    empty[rule] = true;
    for (const uint32_t alternative : users[rule]) {
      if (--needed[alternative] == 0) ready.push_back(ruleOf[alternative]);
    }
  }
  return empty;
}

// A rule that can come back to itself before anything was said, with more to say after it each time: it could be
// expanded without end. -1: none. Tarjan's components of what may stand first, with a stack of its own.
int64_t leftRecursive(const Gbnf & gbnf) {
  struct Edge {
    uint32_t to;
    bool more;
  };
  const std::vector<bool> empty = emptyRules(gbnf);
  const size_t n = gbnf.rules.size();
  std::vector<std::vector<Edge>> edges(n);
  for (size_t rule = 0; rule < n; ++rule) {
    for (uint32_t e : gbnf.rules[rule]) {
      for (; gbnf.elements[e].kind == Kind::Rule; ++e) {
        edges[rule].push_back({gbnf.elements[e].value, gbnf.elements[e + 1].kind != Kind::End});
        if (!empty[gbnf.elements[e].value]) break;
      }
    }
  }
  std::vector<uint32_t> order(n), low(n), component(n);
  std::vector<size_t> next(n);
  std::vector<uint32_t> open, path;
  uint32_t visited = 0;
  uint32_t components = 0;
  for (uint32_t start = 0; start < n; ++start) {
    if (order[start] != 0) continue;
    path = {start};
    while (!path.empty()) {
      const uint32_t rule = path.back();
      if (order[rule] == 0) {
        order[rule] = low[rule] = ++visited;
        open.push_back(rule);
      }
      bool deeper = false;
      while (next[rule] < edges[rule].size() && !deeper) {
        const uint32_t to = edges[rule][next[rule]].to;
        if (order[to] == 0) {
          path.push_back(to);
          deeper = true;
        } else {
          if (component[to] == 0) low[rule] = std::min(low[rule], low[to]);
          ++next[rule];
        }
      }
      if (deeper) continue;
      path.pop_back();
      if (low[rule] != order[rule]) continue;
      ++components;
      uint32_t member;
      do {
        member = open.back();
        open.pop_back();
        component[member] = components;
      } while (member != rule);
    }
  }
  for (size_t rule = 0; rule < n; ++rule) {
    for (const Edge & edge : edges[rule]) {
      if (edge.more && component[edge.to] == component[rule]) return static_cast<int64_t>(rule);
    }
  }
  return -1;
}

}  // namespace

bool Gbnf::matches(const Element & element, uint32_t first, uint32_t last) const {
  const auto begin = ranges.begin() + element.value;
  const auto end = begin + element.count;
  const auto range =
      std::lower_bound(begin, end, first, [](const Range & r, uint32_t value) { return r.second < value; });
  return range != end && range->first <= last;
}

Gbnf parseGbnf(const std::string & text, const std::function<std::vector<Token>(std::string_view)> & tokenize) {
  if (text.size() > kMostGrammarBytes) {
    throw unusable("it is longer than " + std::to_string(kMostGrammarBytes >> 10) + " KiB");
  }
  if (text.find('\0') != std::string::npos) throw unusable("it holds a NUL");
  if (text.find_first_not_of(" \t\r\n") == std::string::npos) throw unusable("it is empty");
  Parser parser(text, tokenize);
  Gbnf gbnf = parser.parse();
  if (const int64_t rule = leftRecursive(gbnf); rule >= 0) {
    throw unusable("the rule '" + parser.nameOf(static_cast<size_t>(rule)) +
                   "' can come back to itself before anything is said (left recursion): put what it says first before "
                   "the repetition");
  }
  return gbnf;
}

}  // namespace t1
