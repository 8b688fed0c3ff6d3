// Stop strings across pieces, and bytes to UTF-8.
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
  CHECK(toUtf8("a\xff" "b", false) == "a\xef\xbf\xbd" "b");
  CHECK(toUtf8("a\xc3", false) == "a\xef\xbf\xbd");
  CHECK(toUtf8("a\xc3", true) == "a");
  CHECK(toUtf8("a\xf0\x9f\x98", true) == "a");
  CHECK(toUtf8("\xed\xa0\x80", false) == "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd");  // a surrogate
  CHECK(toUtf8("\xc0\xaf", false) == "\xef\xbf\xbd\xef\xbf\xbd");                  // overlong
  CHECK(toUtf8("\xe2\x82" "a", false) == "\xef\xbf\xbd" "a");
  CHECK(toUtf8("\x80", true) == "\xef\xbf\xbd");
}

}  // namespace

int main() {
  testStops();
  testUtf8();
}
