// Stop strings across pieces, and bytes to UTF-8.
#include <random>

#include "check.h"
#include "text.h"

using namespace t1;

namespace {

// Appends one byte at a time until a stop.
std::string build(const std::string & bytes, const std::vector<std::string> & stops, bool * stopped = nullptr) {
  Text text(stops);
  bool hit = false;
  for (size_t i = 0; i < bytes.size() && !hit; ++i) hit = text.append(bytes.substr(i, 1));
  if (stopped) *stopped = hit;
  return text.utf8();
}

void testStops() {
  bool stopped = false;
  CHECK(build("one\n\ntwo", {"\n\n"}, &stopped) == "one" && stopped);
  CHECK(build("one\ntwo", {"\n\n"}, &stopped) == "one\ntwo" && !stopped);
  CHECK(build("aab", {"ab"}) == "a");
  CHECK(build("xyz", {"z", "yz"}) == "x");  // both complete at once: the earlier beginning wins
  CHECK(build("stop", {"stop"}) == "");
  const std::vector<std::string> stops = {"```"};
  Text text(stops);
  CHECK(!text.append("code``"));
  CHECK(text.append("`\nmore"));
  CHECK(text.utf8() == "code");
}

void testUtf8() {
  CHECK(toUtf8("äö€😀", false) == "äö€😀");
  CHECK(toUtf8("a\xff"
               "b",
               false) ==
        "a\xef\xbf\xbd"
        "b");
  CHECK(toUtf8("a\xc3", false) == "a\xef\xbf\xbd");
  CHECK(toUtf8("a\xc3", true) == "a");
  CHECK(toUtf8("a\xf0\x9f\x98", true) == "a");
  CHECK(toUtf8("\xed\xa0\x80", false) == "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd");  // a surrogate
  CHECK(toUtf8("\xc0\xaf", false) == "\xef\xbf\xbd\xef\xbf\xbd");                  // overlong
  CHECK(toUtf8("\xe2\x82"
               "a",
               false) ==
        "\xef\xbf\xbd"
        "a");
  CHECK(toUtf8("\x80", true) == "\xef\xbf\xbd");
}

void testTake() {
  const std::vector<std::string> stops = {"```", "``<end>"};
  Text text(stops);
  text.append("code``");
  CHECK(text.take() == "code");  // a stop string may be beginning
  CHECK(text.take() == "");
  text.append("x");
  CHECK(text.take() == "``x");  // it was none
  text.append("\xe2\x82");
  CHECK(text.take() == "");  // half a character
  text.append("\xac``");
  CHECK(text.take() == "\xe2\x82\xac");
  text.append("<en");
  CHECK(text.take() == "" && text.rest() == "``<en");
  CHECK(text.append("d>"));
  CHECK(text.take() == "" && text.rest() == "");
  CHECK(text.utf8() == "code``x\xe2\x82\xac");

  const std::vector<std::string> none;
  Text broken(none);
  broken.append("a\xc3");
  CHECK(broken.take() == "a");
  broken.append("b\xff");
  CHECK(broken.take() ==
        "\xef\xbf\xbd"
        "b\xef\xbf\xbd");
  broken.append("\xf0\x9f");
  CHECK(broken.take() == "" && broken.rest() == "");  // an unfinished last character is no part of the text
}

// Pieces of any bytes, and stop strings that begin often: what was taken is never taken back, and nothing is lost.
void testTakeAnything() {
  std::mt19937 random(1);
  const std::vector<std::string> parts = {
      "a", "b", "ab", "ä", "\xc3", "\xa4", "\xe2\x82", "€", "\xf0\x9f\x98\x80", "\xff", "\xf0", ""};
  const auto some = [&](uint32_t most) {
    std::string bytes;
    for (uint32_t left = 1 + random() % most; left > 0; --left) bytes += parts[random() % parts.size()];
    return bytes;
  };
  int held = 0;
  for (int round = 0; round < 20'000; ++round) {
    std::vector<std::string> stops;
    for (uint32_t left = random() % 4; left > 0; --left) {
      if (std::string stop = some(4); !stop.empty()) stops.push_back(std::move(stop));
    }
    Text text(stops);
    std::string taken;
    bool stopped = false;
    for (uint32_t left = random() % 30; left > 0 && !stopped; --left) {
      stopped = text.append(some(2));
      if (random() % 2) continue;
      const std::string piece = text.take();
      CHECK(toUtf8(piece, false) == piece);
      taken += piece;
      CHECK(text.utf8().starts_with(taken));
      held += taken.size() < text.utf8().size() ? 1 : 0;
    }
    CHECK(taken + text.rest() == text.utf8());
  }
  CHECK(held > 1000);
}

}  // namespace

int main() {
  testStops();
  testUtf8();
  testTake();
  testTakeAnything();
}
