#include "grammar.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>

#include "model.h"

namespace t1 {
namespace {

// Stacks that are looked at in one call, and that there are at once. A grammar that is no riddle needs a few dozen per
// character.
constexpr size_t kMostWork = 1 << 22;
constexpr size_t kMostNodes = 1 << 20;
// From this many stacks on, those that are out of use are looked for.
constexpr size_t kCompactFrom = 256;

Failure tooAmbiguous() {
  return Failure(Code::Usage,
                 "the grammar leaves too many ways to read the same text: use fewer optional and repeated parts that "
                 "may say the same");
}

Gbnf parse(const Vocabulary & vocabulary, const std::string & text) {
  return parseGbnf(text, [&](std::string_view token) { return vocabulary.tokenize(token, true, false); });
}

}  // namespace

Grammar::Grammar(const Vocabulary & vocabulary, const std::string & text)
    : Grammar(vocabulary.pieces(), parse(vocabulary, text)) {}

void Grammar::check(const Vocabulary & vocabulary, const std::string & text) {
  Grammar(nullptr, parse(vocabulary, text));
}

Grammar::Grammar(std::shared_ptr<const Pieces> pieces, Gbnf rules)
    : pieces_(std::move(pieces)), rules_(std::make_shared<const Gbnf>(std::move(rules))) {
  std::vector<Stack> todo;
  for (const uint32_t alternative : rules_->rules[rules_->root]) todo.push_back(push(alternative, kDone));
  expand(todo, state_.stacks);
  std::sort(state_.stacks.begin(), state_.stacks.end());
}

void Grammar::work(size_t amount) {
  work_ += amount;
  if (work_ > kMostWork) throw tooAmbiguous();
}

// `below` with this place on top, unless nothing is left to say there.
Grammar::Stack Grammar::push(uint32_t at, Stack below) {
  if (rules_->elements[at].kind == Gbnf::Kind::End) return below;
  const uint64_t key = static_cast<uint64_t>(at) << 32 | static_cast<uint32_t>(below);
  const auto [known, fresh] = known_.try_emplace(key, static_cast<Stack>(nodes_.size()));
  if (!fresh) return known->second;
  if (nodes_.size() == kMostNodes) {
    known_.erase(known);
    throw tooAmbiguous();
  }
  nodes_.push_back({at, below});
  seen_.push_back(0);
  return static_cast<Stack>(nodes_.size() - 1);
}

// Replaces rules on top by what they may begin with, until characters and tokens are on top of all; adds those to
// `out`.
void Grammar::expand(std::vector<Stack> & todo, std::vector<Stack> & out) {
  ++expansions_;
  bool done = false;
  while (!todo.empty()) {
    const Stack stack = todo.back();
    todo.pop_back();
    work(1);
    if (stack == kDone) {
      if (!done) out.push_back(kDone);
      done = true;
      continue;
    }
    if (seen_[static_cast<size_t>(stack)] == expansions_) continue;
    seen_[static_cast<size_t>(stack)] = expansions_;
    const Node node = nodes_[static_cast<size_t>(stack)];
    const Gbnf::Element & element = rules_->elements[node.at];
    if (element.kind != Gbnf::Kind::Rule) {
      out.push_back(stack);
      continue;
    }
    const Stack rest = push(node.at + 1, node.below);
    for (const uint32_t alternative : rules_->rules[element.value]) todo.push_back(push(alternative, rest));
  }
}

std::vector<Grammar::Stack> Grammar::after(const std::vector<Stack> & stacks, uint32_t character) {
  std::vector<Stack> todo;
  work(stacks.size());
  for (const Stack stack : stacks) {
    if (stack == kDone) continue;
    const Node node = nodes_[static_cast<size_t>(stack)];
    const Gbnf::Element & element = rules_->elements[node.at];
    if (element.kind == Gbnf::Kind::Characters && rules_->matches(element, character, character)) {
      todo.push_back(push(node.at + 1, node.below));
    }
  }
  std::vector<Stack> out;
  expand(todo, out);
  std::sort(out.begin(), out.end());
  return out;
}

// Whether the element is a token, and this one; a text holds no NUL, whatever it is called.
bool Grammar::names(const Gbnf::Element & element, Token token) const {
  if (element.kind != Gbnf::Kind::Token || pieces_->of(token).starts_with('\0')) return false;
  return (element.value == static_cast<uint32_t>(token)) != element.negated;
}

// Whole tokens, which may stand between characters.
std::vector<Grammar::Stack> Grammar::afterToken(const State & state, Token token) {
  std::vector<Stack> todo;
  if (state.partial.missing > 0) return todo;
  work(state.stacks.size());
  for (const Stack stack : state.stacks) {
    if (stack == kDone) continue;
    const Node node = nodes_[static_cast<size_t>(stack)];
    const Gbnf::Element & element = rules_->elements[node.at];
    if (names(element, token)) todo.push_back(push(node.at + 1, node.below));
  }
  std::vector<Stack> out;
  expand(todo, out);
  return out;
}

// Leaves the stacks for which some character that begins so may come.
void Grammar::keepPossible(State & state) const {
  const Partial & p = state.partial;
  constexpr uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
  const int bits = 6 * p.missing;
  const uint32_t first = std::max(p.value << bits, least[p.length]);
  const uint32_t last = std::min(p.value << bits | ((1u << bits) - 1), 0x10FFFFu);
  const bool impossible = first > last || (first >= 0xD800 && last < 0xE000);
  std::erase_if(state.stacks, [&](Stack stack) {
    if (stack == kDone || impossible) return true;
    const Gbnf::Element & element = rules_->elements[nodes_[static_cast<size_t>(stack)].at];
    return element.kind != Gbnf::Kind::Characters || !rules_->matches(element, first, last);
  });
}

// False: nothing may begin so.
bool Grammar::step(State & state, unsigned char byte) {
  Partial & p = state.partial;
  if (p.missing == 0) {
    p.length = byte < 0x80 ? 1 : byte < 0xC2 ? 0 : byte < 0xE0 ? 2 : byte < 0xF0 ? 3 : byte < 0xF5 ? 4 : 0;
    if (p.length == 0 || byte == 0) return false;
    p.missing = p.length - 1;
    p.value = p.length == 1 ? byte : byte & ((1u << (7 - p.length)) - 1);
  } else {
    if ((byte & 0xC0) != 0x80) return false;
    p.value = p.value << 6 | (byte & 0x3F);
    --p.missing;
  }
  // The last byte too: it says whether the character was written with more bytes than it takes.
  keepPossible(state);
  work(state.stacks.size() + 1);
  if (p.missing > 0 || state.stacks.empty()) return !state.stacks.empty();
  state.stacks = after(state.stacks, p.value);
  p = {};
  return !state.stacks.empty();
}

bool Grammar::follow(State & state, std::string_view bytes) {
  for (const char byte : bytes) {
    if (!step(state, static_cast<unsigned char>(byte))) return false;
  }
  return true;
}

bool Grammar::mayEnd() const {
  return state_.partial.missing == 0 && !state_.stacks.empty() && state_.stacks.front() == kDone;
}

bool Grammar::allows(Token token) {
  work_ = 0;
  if (pieces_->ends(token)) return mayEnd();
  const size_t before = nodes_.size();
  bool allowed = !afterToken(state_, token).empty();
  if (!allowed && !pieces_->of(token).empty()) {
    State state = state_;
    allowed = follow(state, pieces_->of(token));
  }
  shrink(before);
  return allowed;
}

// The way of one text through the grammar, of which only the end changes from token to token. Equal states are one, and
// each of them is left with each byte once.
class Grammar::Walk {
 public:
  explicit Walk(Grammar & grammar) : grammar_(grammar) { path_.push_back(number(grammar.state_)); }

  // `shared` bytes are as those of the call before. Whether the grammar may go on with them.
  bool to(std::string_view bytes, uint32_t shared) {
    const size_t reached = path_.size() - 1;
    if (dead_ && shared > reached) return false;  // what it died of is the same
    path_.resize(std::min<size_t>(reached, shared) + 1);
    dead_ = false;
    for (size_t i = path_.size() - 1; i < bytes.size(); ++i) {
      const int32_t next = leave(path_.back(), static_cast<unsigned char>(bytes[i]));
      dead_ = next == kNowhere;
      if (dead_) return false;
      path_.push_back(next);
    }
    return true;
  }

 private:
  static constexpr int32_t kUnknown = -2;
  static constexpr int32_t kNowhere = -1;
  struct Known {
    State state;
    std::array<int32_t, 256> next;
  };
  using Key = std::pair<std::vector<Stack>, std::pair<uint32_t, int>>;

  int32_t number(const State & state) {
    const Partial & p = state.partial;
    const auto [known, fresh] = numbers_.try_emplace(Key{state.stacks, {p.value, p.missing * 8 + p.length}},
                                                     static_cast<int32_t>(states_.size()));
    if (!fresh) return known->second;
    grammar_.work(256);  // memory is work
    states_.push_back({state, {}});
    states_.back().next.fill(kUnknown);
    return known->second;
  }

  int32_t leave(int32_t from, unsigned char byte) {
    if (const int32_t known = states_[static_cast<size_t>(from)].next[byte]; known != kUnknown) return known;
    State state = states_[static_cast<size_t>(from)].state;
    const int32_t next = grammar_.step(state, byte) ? number(state) : kNowhere;
    states_[static_cast<size_t>(from)].next[byte] = next;
    return next;
  }

  Grammar & grammar_;
  std::vector<Known> states_;
  std::map<Key, int32_t> numbers_;
  std::vector<int32_t> path_;  // after each byte that was possible
  bool dead_ = false;          // the byte after those was not
};

bool Grammar::mask(std::vector<float> & logits) {
  work_ = 0;
  const size_t before = nodes_.size();
  std::vector<bool> allowed(static_cast<size_t>(pieces_->size()));
  {
    Walk walk(*this);
    for (const Pieces::Entry & entry : pieces_->sorted()) {
      allowed[static_cast<size_t>(entry.token)] = walk.to(pieces_->of(entry.token), entry.shared);
    }
  }
  for (const Stack stack : state_.stacks) {
    const Gbnf::Element element =
        stack == kDone ? Gbnf::Element{} : rules_->elements[nodes_[static_cast<size_t>(stack)].at];
    if (element.kind != Gbnf::Kind::Token) continue;
    for (size_t t = 0; t < allowed.size(); ++t) allowed[t] = allowed[t] || names(element, static_cast<Token>(t));
  }
  bool any = false;
  for (size_t t = 0; t < allowed.size(); ++t) {
    if (!(pieces_->ends(static_cast<Token>(t)) ? mayEnd() : allowed[t])) logits[t] = -INFINITY;
    any = any || logits[t] > -INFINITY;
  }
  shrink(before);
  return any;
}

void Grammar::accept(Token token) {
  work_ = 0;
  if (pieces_->ends(token)) {
    if (!mayEnd()) throw Failure(Code::Internal, "the grammar was to end where it may not");
    return;
  }
  std::vector<Stack> stacks = afterToken(state_, token);
  State state = state_;
  const std::string_view bytes = pieces_->of(token);
  // A token that the grammar names ends no character.
  if (!bytes.empty() && follow(state, bytes) && (stacks.empty() || state.partial.missing == 0)) {
    stacks.insert(stacks.end(), state.stacks.begin(), state.stacks.end());
  } else {
    state.partial = {};
  }
  std::sort(stacks.begin(), stacks.end());
  stacks.erase(std::unique(stacks.begin(), stacks.end()), stacks.end());
  if (stacks.empty()) throw Failure(Code::Internal, "the grammar was to go on with a token that it does not allow");
  state.stacks = std::move(stacks);
  state_ = std::move(state);
  if (nodes_.size() >= kCompactFrom) compact();
}

// Forgets all but the first so many.
void Grammar::shrink(size_t nodes) {
  while (nodes_.size() > nodes) {
    known_.erase(static_cast<uint64_t>(nodes_.back().at) << 32 | static_cast<uint32_t>(nodes_.back().below));
    nodes_.pop_back();
  }
  seen_.resize(nodes);
}

// Forgets all that no stack of the state rests on. A node comes after those below it.
void Grammar::compact() {
  std::vector<bool> used(nodes_.size());
  for (const Stack stack : state_.stacks) {
    if (stack != kDone) used[static_cast<size_t>(stack)] = true;
  }
  for (size_t n = nodes_.size(); n-- > 0;) {
    if (used[n] && nodes_[n].below != kDone) used[static_cast<size_t>(nodes_[n].below)] = true;
  }
  std::vector<Stack> moved(nodes_.size(), kDone);
  const std::vector<Node> old = std::move(nodes_);
  nodes_.clear();
  known_.clear();
  seen_.clear();
  for (size_t n = 0; n < old.size(); ++n) {
    if (used[n]) moved[n] = push(old[n].at, old[n].below == kDone ? kDone : moved[static_cast<size_t>(old[n].below)]);
  }
  for (Stack & stack : state_.stacks) {
    if (stack != kDone) stack = moved[static_cast<size_t>(stack)];
  }
}

}  // namespace t1
