// A sample's text, built from token pieces.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace t1 {

// Bytes as valid UTF-8: each ill-formed part becomes U+FFFD; with `cutTail` an unfinished last character is dropped.
std::string toUtf8(std::string_view bytes, bool cutTail);

class Text {
 public:
  // `stops` must outlive this.
  explicit Text(const std::vector<std::string> & stops) : stops_(&stops) {}

  // Appends a piece. Returns true if a stop string is now complete; the text ends before it.
  bool append(std::string_view piece);

  std::string utf8() const { return toUtf8(bytes_, true); }

 private:
  const std::vector<std::string> * stops_;
  std::string bytes_;
};

}  // namespace t1
