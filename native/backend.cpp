#include "backend.h"

#include <ggml-backend.h>
#include <llama.h>

#include <algorithm>
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
#include "log.h"

namespace t1 {
namespace {

// The folder that libllama was loaded from: its CPU and GPU backends lie beside it.
std::filesystem::path libraryFolder() {
#if defined(_WIN32)  // untested
  HMODULE module = nullptr;
  wchar_t path[MAX_PATH];
  GetModuleHandleExW(GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS | GET_MODULE_HANDLE_EX_FLAG_UNCHANGED_REFCOUNT,
                     reinterpret_cast<LPCWSTR>(&llama_backend_init), &module);
  if (GetModuleFileNameW(module, path, MAX_PATH) == 0) return {};
  return std::filesystem::path(path).parent_path();
#else
  Dl_info info;
  if (dladdr(reinterpret_cast<const void *>(&llama_backend_init), &info) == 0) return {};
  return std::filesystem::absolute(info.dli_fname).parent_path();
#endif
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
  ggml_backend_dev_props props;
  ggml_backend_dev_get_props(device, &props);
  Device out;
  out.name = props.name ? props.name : "";
  out.description = props.description ? props.description : "";
  out.type = typeName(props.type);
  out.backend = ggml_backend_reg_name(ggml_backend_dev_backend_reg(device));
  out.memoryFreeBytes = static_cast<double>(props.memory_free);
  out.memoryTotalBytes = static_cast<double>(props.memory_total);
  return out;
}

}  // namespace

void initBackend() {
  static std::once_flag once;
  std::call_once(once, [] {
    captureLog();
    ggml_backend_load_all_from_path(libraryFolder().string().c_str());
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
  for (size_t i = 0; i < ggml_backend_reg_count(); ++i) names.emplace_back(ggml_backend_reg_name(ggml_backend_reg_get(i)));
  return names;
}

std::string llamaBuild() { return std::string(T1_LLAMA_RELEASE) + " (" + T1_LLAMA_COMMIT + ", " + T1_LLAMA_ORIGIN + ")"; }

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
