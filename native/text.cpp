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

// Reads bytes off the front, as valid UTF-8; `keepTail`: but for an unfinished last character, which remains there.
std::string decode(std::string_view & bytes, bool keepTail) {
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
    const bool unfinished =
        partial == bytes.size() && static_cast<uint8_t>(bytes[0]) >= 0xc2 && static_cast<uint8_t>(bytes[0]) <= 0xf4;
    if (unfinished && keepTail) break;
    out += "\xef\xbf\xbd";
    bytes.remove_prefix(partial);
  }
  return out;
}

// Bytes at the end of `bytes` with which one of `stops` may be beginning.
size_t heldBack(std::string_view bytes, const std::vector<std::string> & stops) {
  size_t held = 0;
  for (const std::string_view stop : stops) {
    for (size_t length = std::min(stop.size() - 1, bytes.size()); length > held; --length) {
      if (bytes.ends_with(stop.substr(0, length))) held = length;
    }
  }
  return held;
}

}  // namespace

std::string toUtf8(std::string_view bytes, bool cutTail) { return decode(bytes, cutTail); }

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

// A stop string that is completed later begins at or after what is not held back, so it never cuts off what was taken.
// And characters are read from left to right: where one has ended, what comes later reads the same without what was
// before.
std::string Text::take() {
  const size_t held = heldBack(bytes_, *stops_);
  // What a stop string has left may end like the beginning of another one, and be taken already.
  const size_t sure = std::max(taken_, bytes_.size() - held);
  std::string_view bytes(bytes_);
  bytes = bytes.substr(taken_, sure - taken_);
  std::string text = decode(bytes, true);
  taken_ = sure - bytes.size();
  return text;
}

std::string Text::rest() const { return toUtf8(std::string_view(bytes_).substr(taken_), true); }

}  // namespace t1
