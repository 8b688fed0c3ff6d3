#include "gguf_check.h"

#include <cstring>
#include <filesystem>
#include <fstream>

namespace t1 {

void checkGguf(const std::string & path, const std::string & what, Code invalid) {
  std::error_code error;
  const auto status = std::filesystem::status(std::filesystem::path(path), error);
  if (!std::filesystem::exists(status)) {
    throw Failure(Code::FileNotFound, "no " + what + " file at " + path + ": check the path");
  }
  if (std::filesystem::is_directory(status)) throw Failure(invalid, path + " is a folder, not a GGUF file");
  std::ifstream file(path, std::ios::binary);
  if (!file) throw Failure(Code::FileNotFound, "cannot read the " + what + " file " + path);
  char magic[4] = {};
  file.read(magic, sizeof magic);
  if (file.gcount() < 4 || std::memcmp(magic, "GGUF", 4) != 0) {
    throw Failure(invalid, path + " is not a GGUF file");
  }
}

}  // namespace t1
