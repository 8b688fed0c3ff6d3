#include "pieces.h"

#include <algorithm>

namespace t1 {

Pieces::Pieces(const std::vector<std::string> & pieces, std::vector<bool> ends) : ends_(std::move(ends)) {
  for (const std::string & piece : pieces) {
    begins_.push_back(bytes_.size());
    bytes_ += piece;
  }
  begins_.push_back(bytes_.size());
  for (Token token = 0; token < size(); ++token) {
    if (!of(token).empty() && !this->ends(token)) sorted_.push_back({token, 0});
  }
  std::sort(sorted_.begin(), sorted_.end(), [this](const Entry & a, const Entry & b) {
    const int order = of(a.token).compare(of(b.token));
    return order != 0 ? order < 0 : a.token < b.token;
  });
  for (size_t i = 1; i < sorted_.size(); ++i) {
    const std::string_view a = of(sorted_[i - 1].token);
    const std::string_view b = of(sorted_[i].token);
    sorted_[i].shared = static_cast<uint32_t>(std::mismatch(a.begin(), a.end(), b.begin(), b.end()).first - a.begin());
  }
}

}  // namespace t1
