#include "text.h"

#include <algorithm>
#include <cstdint>

namespace t1 {
namespace {

// Length of the well-formed sequence at the front of `s` (Unicode 15, table 3-7); 0 if ill-formed.
// `partial` becomes the length of the longest well-formed beginning.
size_t sequenceLength(std::string_view s, size_t & partial) {
  const auto byte = [&](size_t i) { return static_cast<uint8_t>(s[i]); };
  partial = 1;
  const uint8_t lead = byte(0);
  if (lead < 0x80) return 1;
  if (lead < 0xc2 || lead > 0xf4) return 0;
  const size_t length = lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
  uint8_t low = 0x80;
  uint8_t high = 0xbf;
  if (lead == 0xe0) low = 0xa0;
  if (lead == 0xed) high = 0x9f;
  if (lead == 0xf0) low = 0x90;
  if (lead == 0xf4) high = 0x8f;
  for (; partial < length; ++partial) {
    if (partial == s.size() || byte(partial) < low || byte(partial) > high) return 0;
    low = 0x80;
    high = 0xbf;
  }
  return length;
}

}  // namespace

std::string toUtf8(std::string_view bytes, bool cutTail) {
  std::string out;
  out.reserve(bytes.size());
  while (!bytes.empty()) {
    size_t partial = 0;
    const size_t length = sequenceLength(bytes, partial);
    if (length > 0) {
      out += bytes.substr(0, length);
      bytes.remove_prefix(length);
      continue;
    }
    const bool unfinished = partial == bytes.size() && static_cast<uint8_t>(bytes[0]) >= 0xc2 &&
                            static_cast<uint8_t>(bytes[0]) <= 0xf4;
    if (unfinished && cutTail) break;
    out += "\xef\xbf\xbd";
    bytes.remove_prefix(partial);
  }
  return out;
}

bool Text::append(std::string_view piece) {
  const size_t before = bytes_.size();
  bytes_ += piece;
  size_t cut = std::string::npos;
  for (const std::string & stop : *stops_) {
    // A match that ends in the new piece begins at most stop.size() - 1 bytes before it.
    const size_t from = before >= stop.size() - 1 ? before - (stop.size() - 1) : 0;
    cut = std::min(cut, bytes_.find(stop, from));
  }
  if (cut == std::string::npos) return false;
  bytes_.resize(cut);
  return true;
}

}  // namespace t1
