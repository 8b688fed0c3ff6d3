#include "prefix_cache.h"

#include <algorithm>

namespace t1 {

PrefixCache::PrefixCache(int32_t slots, bool cuttable) : cuttable_(cuttable), slots_(static_cast<size_t>(slots)) {}

PrefixCache::Match PrefixCache::find(const Path & path, int32_t limit) const {
  Match best;
  match(root_, path, std::min(limit, path.length), best);
  return best;
}

// Goes on below a node that matched as a whole.
void PrefixCache::match(const Node & node, const Path & path, int32_t limit, Match & best) const {
  for (const auto & child : node.children) {
    const int32_t end = std::min(child->end(), limit);
    int32_t at = child->begin;
    while (at < end && path.weights(at) == child->weights && path.tokens[at] == child->tokens[at - child->begin]) ++at;
    if (at == child->begin) continue;
    consider(*child, at, best);
    if (at == child->end()) match(*child, path, limit, best);
  }
}

// The path's first `depth` tokens are those of the node's slots.
void PrefixCache::consider(const Node & node, int32_t depth, Match & best) const {
  for (int32_t s = 0; s < size(); ++s) {
    if (!node.slots[s]) continue;
    const Slot & slot = slots_[s];
    const int32_t ready = std::min(depth, slot.ready);
    if (ready > 0 && (cuttable_ || slot.ready <= depth) &&
        (ready > best.ready || (ready == best.ready && easier(slot, best.slot)))) {
      best.slot = s;
      best.ready = ready;
    }
    if (depth > best.planned && (cuttable_ || slot.length == depth)) {
      best.planned = depth;
      best.plannedSlot = s;
    }
  }
}

// Among equals the one that can be taken over, and loses least by it.
bool PrefixCache::easier(const Slot & slot, int32_t other) const {
  if (slot.state != slots_[other].state) return slot.state == State::Idle;
  return slot.length < slots_[other].length;
}

int32_t PrefixCache::freeSlot() const {
  for (int32_t s = 0; s < size(); ++s) {
    if (slots_[s].state == State::Free) return s;
  }
  return -1;
}

int32_t PrefixCache::count(State state) const {
  return static_cast<int32_t>(
      std::count_if(slots_.begin(), slots_.end(), [=](const Slot & slot) { return slot.state == state; }));
}

int32_t PrefixCache::oldestIdle(const std::bitset<kMaxSequences> & keep) const {
  int32_t oldest = -1;
  for (int32_t s = 0; s < size(); ++s) {
    if (slots_[s].state != State::Idle || keep[s]) continue;
    if (oldest < 0 || slots_[s].used < slots_[oldest].used) oldest = s;
  }
  return oldest;
}

int64_t PrefixCache::ownCells(int32_t slot, int32_t from) const {
  int64_t own = 0;
  for (const Node * node = slots_[slot].leaf; node && node != &root_ && node->end() > from; node = node->parent) {
    if (node->slots.count() > 1) break;  // and all above it
    own += node->end() - std::max(from, node->begin);
  }
  return own;
}

PrefixCache::Node * PrefixCache::addChild(Node * parent, int32_t begin, int32_t weights, int32_t slot) {
  auto child = std::make_unique<Node>();
  child->parent = parent;
  child->begin = begin;
  child->weights = weights;
  child->slots.set(static_cast<size_t>(slot));
  parent->children.push_back(std::move(child));
  return parent->children.back().get();
}

// Afterwards the node ends at `position`, and one child has the rest and all its slots whose paths go on.
void PrefixCache::split(Node * node, int32_t position) {
  auto rest = std::make_unique<Node>();
  rest->parent = node;
  rest->begin = position;
  rest->weights = node->weights;
  rest->tokens.assign(node->tokens.begin() + (position - node->begin), node->tokens.end());
  rest->slots = node->slots;
  rest->children = std::move(node->children);
  for (const auto & child : rest->children) child->parent = rest.get();
  for (Slot & slot : slots_) {
    if (slot.leaf == node) slot.leaf = rest.get();
  }
  node->tokens.resize(static_cast<size_t>(position - node->begin));
  node->children.clear();
  node->children.push_back(std::move(rest));
}

int64_t PrefixCache::cells(const Node & node, const std::bitset<kMaxSequences> & slots) const {
  auto count = static_cast<int64_t>(node.tokens.size());
  for (const auto & child : node.children) {
    if ((child->slots & slots).any()) count += cells(*child, slots);
  }
  return count;
}

void PrefixCache::open(int32_t slot, const Path & path, int32_t source, int32_t shared) {
  Slot & opened = slots_[slot];
  if (source == slot) {
    trim(slot, shared);
  } else if (shared > 0) {
    Node * node = slots_[source].leaf;
    while (node->begin >= shared) node = node->parent;
    if (node->end() > shared) split(node, shared);
    opened.leaf = node;
    opened.length = shared;
    for (; node != &root_; node = node->parent) node->slots.set(static_cast<size_t>(slot));
  }
  opened.ready = shared;
  opened.state = State::Busy;
  for (int32_t at = shared; at < path.length; ++at) append(slot, path.tokens[at], path.weights(at));
  touch(slot);
}

void PrefixCache::append(int32_t slot, Token token, int32_t weights) {
  Slot & s = slots_[slot];
  Node * leaf = s.leaf;
  const bool grows = leaf && leaf->slots.count() == 1 && leaf->children.empty() && leaf->weights == weights;
  if (!grows) leaf = s.leaf = addChild(leaf ? leaf : &root_, s.length, weights, slot);
  leaf->tokens.push_back(token);
  ++s.length;
  ++cells_;
}

void PrefixCache::trim(int32_t slot, int32_t length) {
  Slot & s = slots_[slot];
  while (s.leaf && s.leaf->begin >= length) {
    Node * node = s.leaf;
    Node * parent = node->parent;
    node->slots.reset(static_cast<size_t>(slot));
    s.leaf = parent == &root_ ? nullptr : parent;
    if (node->slots.none()) {
      cells_ -= static_cast<int64_t>(node->tokens.size());
      std::erase_if(parent->children, [=](const auto & child) { return child.get() == node; });
    }
  }
  if (s.leaf && s.leaf->end() > length) {
    Node * node = s.leaf;
    if (node->slots.count() == 1) {
      cells_ -= node->end() - length;
      node->tokens.resize(static_cast<size_t>(length - node->begin));
    } else {
      split(node, length);
      s.leaf->slots.reset(static_cast<size_t>(slot));
      s.leaf = node;
    }
  }
  s.length = std::min(s.length, length);
  s.ready = std::min(s.ready, length);
}

void PrefixCache::rest(int32_t slot) {
  trim(slot, slots_[slot].ready);
  if (slots_[slot].length == 0) return release(slot);
  slots_[slot].state = State::Idle;
  touch(slot);
}

void PrefixCache::release(int32_t slot) {
  trim(slot, 0);
  slots_[slot] = {};
}

void PrefixCache::move(int32_t from, int32_t to) {
  for (Node * node = slots_[from].leaf; node && node != &root_; node = node->parent) {
    node->slots.reset(static_cast<size_t>(from));
    node->slots.set(static_cast<size_t>(to));
  }
  slots_[to] = slots_[from];
  slots_[from] = {};
}

void PrefixCache::exchange(int32_t a, int32_t b) {
  const auto place = [this](int32_t slot, int32_t as, bool set) {
    for (Node * node = slots_[slot].leaf; node && node != &root_; node = node->parent) {
      node->slots.set(static_cast<size_t>(as), set);
    }
  };
  place(a, a, false);
  place(b, b, false);
  place(a, b, true);
  place(b, a, true);
  std::swap(slots_[a], slots_[b]);
}

}  // namespace t1
