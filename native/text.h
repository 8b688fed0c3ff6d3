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

  // What has come since the last call, as far as it stays whatever comes next: an unfinished character waits for its
  // end, and what may be the beginning of a stop string until it is none. May be empty.
  std::string take();
  // What no call of take() has given; the text has ended. All that was taken, and this, is utf8().
  std::string rest() const;

 private:
  const std::vector<std::string> * stops_;
  std::string bytes_;
  size_t taken_ = 0;  // of bytes_, by take(); no character crosses it
};

}  // namespace t1
