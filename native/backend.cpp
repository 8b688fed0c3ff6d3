#include "backend.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <thread>

#if defined(_WIN32)
#define WIN32_LEAN_AND_MEAN
#include <windows.h>
#else
#include <dlfcn.h>
#endif
#if defined(__APPLE__)
#include <sys/sysctl.h>
#endif

#include "error.h"
#include "llama_api.h"
#include "log.h"

namespace t1 {
namespace {

// The library (or addon, or program) that this code lies in; empty if the system does not say.
std::filesystem::path fileOf(const void * code) {
#if defined(_WIN32)  // untested
  HMODULE module = nullptr;
  wchar_t path[MAX_PATH];
  GetModuleHandleExW(GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS | GET_MODULE_HANDLE_EX_FLAG_UNCHANGED_REFCOUNT,
                     reinterpret_cast<LPCWSTR>(code), &module);
  if (GetModuleFileNameW(module, path, MAX_PATH) == 0) return {};
  return std::filesystem::path(path);
#else
  Dl_info info;
  if (dladdr(code, &info) == 0) return {};
  return std::filesystem::absolute(info.dli_fname);
#endif
}

// The folder that libllama was loaded from: its CPU and GPU backends lie beside it.
std::filesystem::path libraryFolder() {
  return fileOf(reinterpret_cast<const void *>(&llama_backend_init)).parent_path();
}

const std::string CPU_PREFIX = "libggml-cpu-";

// "zen4" of ".../libggml-cpu-zen4.so"; empty for any other file.
std::string variantOf(const std::filesystem::path & library) {
  const std::string name = library.filename().string();
  const std::string suffix = ".so";  // on macOS too: ggml names its loadable backends so
  if (name.size() <= CPU_PREFIX.size() + suffix.size() || name.rfind(CPU_PREFIX, 0) != 0) return {};
  if (name.compare(name.size() - suffix.size(), suffix.size(), suffix) != 0) return {};
  return name.substr(CPU_PREFIX.size(), name.size() - CPU_PREFIX.size() - suffix.size());
}

#if !defined(_WIN32)
// What ggml asks a CPU library before it uses it: 0 where this processor lacks an instruction that it needs.
int32_t scoreOf(const std::filesystem::path & library) {
  void * handle = dlopen(library.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (handle == nullptr) return 0;
  const auto score = reinterpret_cast<int (*)()>(dlsym(handle, "ggml_backend_score"));
  const int32_t value = score == nullptr ? 0 : score();
  dlclose(handle);
  return value;
}
#endif

// The CPU library that T1_CPU_VARIANT names; empty where it is not set. Throws Failure (USAGE).
std::filesystem::path wantedCpuLibrary() {
  const char * wanted = std::getenv("T1_CPU_VARIANT");
  if (wanted == nullptr || *wanted == '\0') return {};
#if defined(_WIN32)
  throw Failure(Code::Usage, "T1_CPU_VARIANT: on Windows the CPU backend is built in, leave it unset");
#else
  std::vector<std::filesystem::path> libraries;
  std::error_code unread;
  for (const auto & entry : std::filesystem::directory_iterator(libraryFolder(), unread)) {
    if (!variantOf(entry.path()).empty()) libraries.push_back(entry.path());
  }
  if (libraries.empty()) {
    throw Failure(Code::Usage, "T1_CPU_VARIANT: the CPU backend of this build has no variants, leave it unset");
  }
  const auto found =
      std::find_if(libraries.begin(), libraries.end(), [&](const auto & path) { return variantOf(path) == wanted; });
  if (found != libraries.end() && scoreOf(*found) > 0) return *found;
  std::vector<std::string> usable;
  for (const auto & path : libraries) {
    if (scoreOf(path) > 0) usable.push_back(variantOf(path));
  }
  std::sort(usable.begin(), usable.end());
  std::string names;
  for (const auto & name : usable) names += (names.empty() ? "" : ", ") + name;
  const std::string why =
      found == libraries.end() ? "there is no variant of this name" : "this processor cannot run it";
  throw Failure(Code::Usage, "T1_CPU_VARIANT='" + std::string(wanted) + "': " + why + " (it can run " + names + ")");
#endif
}

// Takes the CPU backend that llama.cpp chose out again and puts this one in its place. Before any model is loaded.
void useCpuLibrary(const std::filesystem::path & library) {
  while (ggml_backend_dev_t chosen = ggml_backend_dev_by_type(GGML_BACKEND_DEVICE_TYPE_CPU)) {
    ggml_backend_unload(ggml_backend_dev_backend_reg(chosen));
  }
  if (ggml_backend_load(library.string().c_str()) == nullptr) {
    throw Failure(Code::Internal, "llama.cpp cannot load " + library.string());
  }
}

// What llama.cpp's CPU code was compiled for: the variant that was loaded, or where it is built in, the instructions it
// uses. The same numbers come out on two processors only where this is the same.
std::string cpuCode(ggml_backend_dev_t device) {
  ggml_backend_reg_t backend = ggml_backend_dev_backend_reg(device);
  void * address = ggml_backend_reg_get_proc_address(backend, "ggml_backend_get_features");
  if (address == nullptr) return "unknown";
  const std::string variant = variantOf(fileOf(address));
  if (!variant.empty()) return variant;
  std::string features;
  const auto listFeatures = reinterpret_cast<ggml_backend_get_features_t>(address);
  for (const ggml_backend_feature * feature = listFeatures(backend); feature->name != nullptr; ++feature) {
    features += (features.empty() ? "" : " ") + std::string(feature->name) + "=" + feature->value;
  }
  return features.empty() ? "any" : features;
}

std::string typeName(enum ggml_backend_dev_type type) {
  switch (type) {
    case GGML_BACKEND_DEVICE_TYPE_CPU: return "cpu";
    case GGML_BACKEND_DEVICE_TYPE_GPU: return "gpu";
    case GGML_BACKEND_DEVICE_TYPE_IGPU: return "igpu";
    default: return "accelerator";
  }
}

Device describe(ggml_backend_dev_t device) {
  ggml_backend_dev_props props = {};
  ggml_backend_dev_get_props(device, &props);
  Device out;
  out.name = props.name ? props.name : "";
  out.description = props.description ? props.description : "";
  out.type = typeName(props.type);
  if (props.type == GGML_BACKEND_DEVICE_TYPE_CPU) out.description += " (code for " + cpuCode(device) + ")";
  out.backend = ggml_backend_reg_name(ggml_backend_dev_backend_reg(device));
  out.memoryFreeBytes = static_cast<double>(props.memory_free);
  out.memoryTotalBytes = static_cast<double>(props.memory_total);
  return out;
}

}  // namespace

void initBackend() {
  static std::once_flag once;
  std::call_once(once, [] {
    const std::filesystem::path cpu =
        wantedCpuLibrary();  // before anything is loaded: a call that throws is tried again
    captureLog();
    ggml_backend_load_all_from_path(libraryFolder().string().c_str());
    if (!cpu.empty()) useCpuLibrary(cpu);
    llama_backend_init();
  });
  if (ggml_backend_dev_by_type(GGML_BACKEND_DEVICE_TYPE_CPU) == nullptr) {
    throw Failure(Code::Internal, "llama.cpp's CPU backend is missing from " + libraryFolder().string());
  }
}

std::vector<Device> listDevices() {
  initBackend();
  std::vector<Device> devices;
  for (size_t i = 0; i < ggml_backend_dev_count(); ++i) devices.push_back(describe(ggml_backend_dev_get(i)));
  return devices;
}

std::vector<std::string> listBackends() {
  initBackend();
  std::vector<std::string> names;
  for (size_t i = 0; i < ggml_backend_reg_count(); ++i) {
    names.emplace_back(ggml_backend_reg_name(ggml_backend_reg_get(i)));
  }
  return names;
}

std::string llamaBuild() {
  return std::string(T1_LLAMA_RELEASE) + " (" + T1_LLAMA_COMMIT + ", " + T1_LLAMA_ORIGIN + ")";
}

ggml_backend_dev_t gpuDevice(const std::string & name) {
  initBackend();
  std::string known;
  for (size_t i = 0; i < ggml_backend_dev_count(); ++i) {
    ggml_backend_dev_t device = ggml_backend_dev_get(i);
    const Device described = describe(device);
    if (described.name == name) return described.type == "cpu" ? nullptr : device;
    known += (known.empty() ? "" : ", ") + described.name;
  }
  throw Failure(Code::Usage, "there is no device '" + name + "' (there is: " + known + ")");
}

Device decodingDevice(int32_t gpuLayers, const std::string & name) {
  initBackend();
  ggml_backend_dev_t device = name.empty() ? nullptr : gpuDevice(name);
  if (name.empty() && gpuLayers != 0) {
    device = ggml_backend_dev_by_type(GGML_BACKEND_DEVICE_TYPE_GPU);
    if (device == nullptr) device = ggml_backend_dev_by_type(GGML_BACKEND_DEVICE_TYPE_IGPU);
  }
  if (device == nullptr) device = ggml_backend_dev_by_type(GGML_BACKEND_DEVICE_TYPE_CPU);
  return describe(device);
}

std::string engineBuild(int32_t gpuLayers, const std::string & name) {
  const Device device = decodingDevice(gpuLayers, name);
  std::string out = "llama.cpp " + llamaBuild() + "; " + device.backend + " " + device.description;
  if (device.type != "cpu") {  // what does not fit or has no kernel there is computed by the CPU
    out += "; CPU code for " + cpuCode(ggml_backend_dev_by_type(GGML_BACKEND_DEVICE_TYPE_CPU));
  }
  return out;
}

int32_t physicalCores() {
  int32_t cores = static_cast<int32_t>(std::thread::hardware_concurrency());
#if defined(__APPLE__)  // untested: the performance cores, where they are told apart
  size_t size = sizeof cores;
  if (sysctlbyname("hw.perflevel0.physicalcpu", &cores, &size, nullptr, 0) != 0) {
    sysctlbyname("hw.physicalcpu", &cores, &size, nullptr, 0);
  }
#elif defined(__linux__)
  int smt = 0;
  std::ifstream("/sys/devices/system/cpu/smt/active") >> smt;
  if (smt == 1) cores /= 2;
#endif
  return std::max(1, cores);
}

}  // namespace t1
