#include "gguf_check.h"

#include <cstring>
#include <filesystem>
#include <fstream>

#include "error.h"

namespace t1 {

void checkGguf(const std::string & path) {
  std::error_code error;
  const auto status = std::filesystem::status(std::filesystem::path(path), error);
  if (!std::filesystem::exists(status)) throw Failure(Code::FileNotFound, "no model file at " + path);
  if (std::filesystem::is_directory(status)) throw Failure(Code::ModelInvalid, path + " is a folder, not a GGUF file");
  std::ifstream file(path, std::ios::binary);
  if (!file) throw Failure(Code::FileNotFound, "cannot read the model file " + path);
  char magic[4] = {};
  file.read(magic, sizeof magic);
  if (file.gcount() < 4 || std::memcmp(magic, "GGUF", 4) != 0) {
    throw Failure(Code::ModelInvalid, path + " is not a GGUF file");
  }
}

}  // namespace t1
