// llama.cpp's process-wide state: its backends, and the devices they found.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "llama_api.h"

namespace t1 {

struct Device {
  std::string name;
  std::string description;  // of the CPU with the code that was loaded for it: "AMD EPYC (code for zen4)"
  std::string type;         // "cpu" | "gpu" | "igpu" | "accelerator"
  std::string backend;
  double memoryFreeBytes = 0;
  double memoryTotalBytes = 0;
};

// Loads llama.cpp's backends from the folder of its own library. Safe from any thread, any number of times.
// llama.cpp takes the best CPU library that the processor runs (libggml-cpu-zen4.so); T1_CPU_VARIANT=haswell, for
// tests, takes that one. Throws Failure: no CPU backend can be loaded; USAGE, T1_CPU_VARIANT names none that this
// processor runs.
void initBackend();

std::vector<Device> listDevices();

// Names of the backends that were loaded, found a device or not: "CPU", "CUDA".
std::vector<std::string> listBackends();

// llama.cpp's release and where it came from, for example "v0.5.0 (de3ff815, prebuilt)".
std::string llamaBuild();

// The device that decodes: the one of this name; without a name the first GPU if layers may go there, else the CPU.
// Throws Failure (USAGE) if there is none of this name.
Device decodingDevice(int32_t gpuLayers, const std::string & name = {});

// What numbers depend on: llamaBuild(), the device that decodes, and the code that was loaded for the CPU. Part of
// store keys. Throws like decodingDevice().
std::string engineBuild(int32_t gpuLayers, const std::string & name);

// llama.cpp's handle of it; null for the CPU. Throws like decodingDevice().
ggml_backend_dev_t gpuDevice(const std::string & name);

int32_t physicalCores();

}  // namespace t1
