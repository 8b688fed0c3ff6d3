// JavaScript values <-> the engine's structs. With addon.cpp the only includer of napi.h. JS thread only.
#pragma once

#include <napi.h>

#include "backend.h"
#include "types.h"

namespace t1 {

// All throw Failure (USAGE) for a value of the wrong type or range; none leaves a JS exception pending.
EngineOptions toEngineOptions(const Napi::Value & value);
SampleJob toSampleJob(const Napi::Value & value);
ScoreJob toScoreJob(const Napi::Value & value);
ClassifyJob toClassifyJob(const Napi::Value & value);
std::string toText(const Napi::Value & value, const char * name);
double toNumber(const Napi::Value & value, const char * name, double min, double max);

KvCosts toKvCosts(const Napi::Value & value);
Napi::Value fromStatistics(Napi::Env env, const Statistics & statistics);
Napi::Value fromModelInfo(Napi::Env env, const ModelInfo & info);
Napi::Value fromDevices(Napi::Env env, const std::vector<Device> & devices);
Napi::Value fromTokens(Napi::Env env, const std::vector<Token> & tokens);
Napi::Value fromEvent(Napi::Env env, const Event & event);
// An Error with `code`.
Napi::Error fromFailure(Napi::Env env, const Failure & failure);

}  // namespace t1
