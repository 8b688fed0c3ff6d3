// The bytes of a vocabulary's tokens in alphabetical order, so that what follows text byte by byte follows what tokens
// have in common once. Read-only.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "types.h"

namespace t1 {

class Pieces {
 public:
  struct Entry {
    Token token;
    uint32_t shared;  // bytes that it has in common with the entry before
  };

  // [vocabulary] the bytes of each token, empty where it has none, and whether it ends generation.
  Pieces(const std::vector<std::string> & pieces, std::vector<bool> ends);

  int32_t size() const { return static_cast<int32_t>(ends_.size()); }
  std::string_view of(Token token) const {
    const auto begin = begins_[static_cast<size_t>(token)];
    return std::string_view(bytes_).substr(begin, begins_[static_cast<size_t>(token) + 1] - begin);
  }
  bool ends(Token token) const { return ends_[static_cast<size_t>(token)]; }
  // Of all tokens that have bytes and do not end generation, by bytes.
  const std::vector<Entry> & sorted() const { return sorted_; }

 private:
  std::string bytes_;
  std::vector<size_t> begins_;  // [vocabulary + 1]
  std::vector<bool> ends_;      // [vocabulary]
  std::vector<Entry> sorted_;
};

}  // namespace t1
