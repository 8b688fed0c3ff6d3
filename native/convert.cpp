#include "convert.h"

#include <climits>
#include <cmath>
#include <cstring>

namespace t1 {
namespace {

Napi::Array fromStrings(Napi::Env env, const std::vector<std::string> & strings) {
  Napi::Array array = Napi::Array::New(env, strings.size());
  for (uint32_t i = 0; i < strings.size(); ++i) array.Set(i, strings[i]);
  return array;
}

Napi::Object fromHead(Napi::Env env, const Head & head) {
  Napi::Object object = Napi::Object::New(env);
  object.Set("tensors", fromStrings(env, head.tensors));
  object.Set("labels", fromStrings(env, head.labels));
  if (!head.problem.empty()) object.Set("problem", head.problem);
  return object;
}

constexpr double kMaxSafeInteger = 9007199254740991.0;

Failure wrong(const std::string & name, const char * expected) { return Failure(Code::Usage, name + " must be " + expected); }

Napi::Object toObject(const Napi::Value & value, const char * name) {
  if (!value.IsObject()) throw wrong(name, "an object");
  return value.As<Napi::Object>();
}

Napi::Array toArray(const Napi::Value & value, const char * name) {
  if (!value.IsArray()) throw wrong(name, "an array");
  return value.As<Napi::Array>();
}

std::vector<int32_t> toInt32s(const Napi::Value & value, const char * name) {
  if (!value.IsTypedArray() || value.As<Napi::TypedArray>().TypedArrayType() != napi_int32_array) {
    throw wrong(name, "an Int32Array");
  }
  const auto array = value.As<Napi::Int32Array>();
  if (array.ElementLength() > INT_MAX) throw wrong(name, "shorter");
  return std::vector<int32_t>(array.Data(), array.Data() + array.ElementLength());
}

double toInteger(const Napi::Value & value, const char * name, double min, double max) {
  const double number = toNumber(value, name, min, max);
  if (std::floor(number) != number) throw wrong(name, "an integer");
  return number;
}

int32_t toInt32(const Napi::Value & value, const char * name, int32_t min) {
  return static_cast<int32_t>(toInteger(value, name, min, INT_MAX));
}

// Empty for the base model: a name is never empty.
std::string toAdapterName(const Napi::Value & value) {
  if (value.IsUndefined()) return {};
  const std::string name = toText(value, "adapter");
  if (name.empty()) throw wrong("adapter", "the name of an adapter");
  return name;
}

Priority toPriority(const Napi::Value & value) {
  if (value.IsUndefined()) return Priority::Batch;
  const std::string name = toText(value, "priority");
  if (name == "interactive") return Priority::Interactive;
  if (name != "batch") throw wrong("priority", "'interactive' or 'batch'");
  return Priority::Batch;
}

constexpr std::pair<const char *, double KvCosts::*> kCosts[] = {
    {"decode", &KvCosts::decode},       {"rowSplit", &KvCosts::rowSplit},       {"rowUnified", &KvCosts::rowUnified},
    {"cellSplit", &KvCosts::cellSplit}, {"cellUnified", &KvCosts::cellUnified}, {"copy", &KvCosts::copy},
};

// The number of the name that the value is.
template <typename Enum>
Enum toEnum(const Napi::Value & value, const char * name, std::initializer_list<const char *> names) {
  const std::string text = toText(value, name);
  int number = 0;
  std::string expected;
  for (const char * each : names) {
    if (text == each) return static_cast<Enum>(number);
    expected += std::string(number++ == 0 ? "'" : ", '") + each + "'";
  }
  throw wrong(name, ("one of " + expected).c_str());
}

std::string toPath(const Napi::Value & value) {
  const std::string path = toText(value, "path");
  if (path.find('\0') != std::string::npos) throw wrong("path", "free of NUL");
  return path;
}

AdapterOptions toAdapterOptions(const Napi::Value & value) {
  const Napi::Object object = toObject(value, "adapter");
  return {toText(object.Get("name"), "adapter.name"), toPath(object.Get("path")),
          toNumber(object.Get("scale"), "adapter.scale", -1e6, 1e6)};
}

std::vector<std::pair<Token, float>> toBias(const Napi::Array & array) {
  std::vector<std::pair<Token, float>> biases;
  for (uint32_t i = 0; i < array.Length(); ++i) {
    const Napi::Object entry = toObject(array[i], "logitBias");
    const Napi::Value bias = entry.Get("bias");
    if (!bias.IsNumber()) throw wrong("logitBias.bias", "a number");
    biases.emplace_back(toInt32(entry.Get("token"), "logitBias.token", 0), bias.ToNumber().FloatValue());
  }
  return biases;
}

SamplePrompt toSamplePrompt(const Napi::Value & value) {
  const Napi::Object object = toObject(value, "prompt");
  SamplePrompt prompt;
  prompt.tokens = toInt32s(object.Get("tokens"), "prompt.tokens");
  const Napi::Array seeds = toArray(object.Get("seeds"), "prompt.seeds");
  for (uint32_t i = 0; i < seeds.Length(); ++i) {
    const Napi::Value seed = seeds[i];
    prompt.seeds.push_back(static_cast<uint64_t>(toInteger(seed, "seed", 0, kMaxSafeInteger)));
  }
  return prompt;
}

Napi::Value fromUsage(Napi::Env env, const Usage & usage) {
  Napi::Object object = Napi::Object::New(env);
  object.Set("promptTokens", static_cast<double>(usage.promptTokens));
  object.Set("generatedTokens", static_cast<double>(usage.generatedTokens));
  object.Set("decodedTokens", static_cast<double>(usage.decodedTokens));
  object.Set("sharedTokens", static_cast<double>(usage.sharedTokens));
  return object;
}

// A copy. Undefined where the environment is being torn down: nothing can be allocated in it then.
Napi::Value toTypedArray(Napi::Env env, napi_typedarray_type type, const void * data, size_t count, size_t size) {
  void * bytes = nullptr;
  napi_value buffer = nullptr;
  napi_value array = nullptr;
  if (napi_create_arraybuffer(env, count * size, &bytes, &buffer) != napi_ok) return env.Undefined();
  if (count > 0) std::memcpy(bytes, data, count * size);
  if (napi_create_typedarray(env, type, count, buffer, 0, &array) != napi_ok) return env.Undefined();
  return Napi::Value(env, array);
}

Napi::Value fromFloats(Napi::Env env, const std::vector<float> & values) {
  return toTypedArray(env, napi_float32_array, values.data(), values.size(), sizeof(float));
}

const char * finishName(Finish finish) {
  switch (finish) {
    case Finish::Eog: return "eog";
    case Finish::Stop: return "stop";
    case Finish::Length: return "length";
  }
  return "length";
}

Napi::Array fromRows(Napi::Env env, const std::vector<std::vector<float>> & rows) {
  Napi::Array array = Napi::Array::New(env, rows.size());
  for (uint32_t i = 0; i < rows.size(); ++i) array.Set(i, fromFloats(env, rows[i]));
  return array;
}

// Fills `object` with what src/engine/binding.ts calls RawEvent.
struct EventWriter {
  Napi::Env env;
  Napi::Object object;

  void operator()(const Sample & sample) {
    object.Set("type", "sample");
    object.Set("prompt", sample.prompt);
    object.Set("index", sample.index);
    object.Set("text", sample.text);
    object.Set("tokens", fromTokens(env, sample.tokens));
    object.Set("logprobs", fromFloats(env, sample.logprobs));
    object.Set("finish", finishName(sample.finish));
  }
  void operator()(const Progress & progress) {
    object.Set("type", "progress");
    object.Set("finished", static_cast<double>(progress.finished));
    object.Set("total", static_cast<double>(progress.total));
    object.Set("generatedTokens", static_cast<double>(progress.generatedTokens));
  }
  void operator()(const SampleDone & done) {
    object.Set("type", "sampled");
    object.Set("usage", fromUsage(env, done.usage));
    object.Set("firstTokenDecodes", static_cast<double>(done.firstTokenDecodes));
  }
  void operator()(const ScoreDone & done) {
    object.Set("type", "scored");
    object.Set("usage", fromUsage(env, done.usage));
    object.Set("logprobs", fromRows(env, done.logprobs));
  }
  void operator()(const ClassifyDone & done) {
    object.Set("type", "classified");
    object.Set("usage", fromUsage(env, done.usage));
    object.Set("scores", fromRows(env, done.scores));
    object.Set("labels", fromStrings(env, done.labels));
  }
  void operator()(const Failure & failure) {
    object.Set("type", "failed");
    object.Set("code", codeName(failure.code));
    object.Set("message", failure.what());
  }
};

}  // namespace

std::string toText(const Napi::Value & value, const char * name) {
  if (!value.IsString()) throw wrong(name, "a string");
  return value.As<Napi::String>().Utf8Value();
}

double toNumber(const Napi::Value & value, const char * name, double min, double max) {
  if (!value.IsNumber()) throw wrong(name, "a number");
  const double number = value.As<Napi::Number>().DoubleValue();
  if (!(number >= min && number <= max)) throw Failure(Code::Usage, std::string(name) + " is out of range");
  return number;
}

EngineOptions toEngineOptions(const Napi::Value & value) {
  const Napi::Object object = toObject(value, "options");
  EngineOptions options;
  options.path = toPath(object.Get("path"));
  options.threads = toInt32(object.Get("threads"), "threads", 0);
  options.batch = toInt32(object.Get("batch"), "batch", 1);
  options.ubatch = toInt32(object.Get("ubatch"), "ubatch", 1);
  options.gpuLayers = toInt32(object.Get("gpuLayers"), "gpuLayers", -1);
  options.device = toText(object.Get("device"), "device");
  options.kv = toEnum<KvLayout>(object.Get("kv"), "kv", {"auto", "split", "unified"});
  options.kvType = toEnum<KvType>(object.Get("kvType"), "kvType", {"f16", "q8_0", "f32"});
  options.flashAttention = toEnum<FlashAttention>(object.Get("flashAttention"), "flashAttention", {"auto", "on", "off"});
  options.reproducible = object.Get("reproducible").ToBoolean();
  options.memoryBytes = toNumber(object.Get("memoryBytes"), "memoryBytes", 0, kMaxSafeInteger);
  options.hostFreeBytes = toNumber(object.Get("hostFreeBytes"), "hostFreeBytes", 0, kMaxSafeInteger);
  options.hostAvailableBytes = toNumber(object.Get("hostAvailableBytes"), "hostAvailableBytes", 0, kMaxSafeInteger);
  options.contextLength = toInt32(object.Get("contextLength"), "contextLength", 0);
  options.queueLimit = toInt32(object.Get("queueLimit"), "queueLimit", 1);
  const Napi::Array adapters = toArray(object.Get("adapters"), "adapters");
  for (uint32_t i = 0; i < adapters.Length(); ++i) options.adapters.push_back(toAdapterOptions(adapters[i]));
  if (options.threads > 512) throw wrong("threads", "at most 512");
  if (options.batch > 1 << 20) throw wrong("batch", "at most 1048576");
  return options;
}

SampleJob toSampleJob(const Napi::Value & value) {
  const Napi::Object object = toObject(value, "request");
  SampleJob job;
  const Napi::Array prompts = toArray(object.Get("prompts"), "prompts");
  for (uint32_t i = 0; i < prompts.Length(); ++i) job.prompts.push_back(toSamplePrompt(prompts[i]));
  const Napi::Object sampler = toObject(object.Get("sampler"), "sampler");
  job.sampler.temperature = static_cast<float>(toNumber(sampler.Get("temperature"), "temperature", 0, 1e6));
  job.sampler.topK = toInt32(sampler.Get("topK"), "topK", 0);
  job.sampler.topP = static_cast<float>(toNumber(sampler.Get("topP"), "topP", 0, 1));
  job.sampler.minP = static_cast<float>(toNumber(sampler.Get("minP"), "minP", 0, 1));
  job.maxTokens = toInt32(object.Get("maxTokens"), "maxTokens", 1);
  const Napi::Array stop = toArray(object.Get("stop"), "stop");
  for (uint32_t i = 0; i < stop.Length(); ++i) job.stop.push_back(toText(stop[i], "stop"));
  if (const Napi::Value grammar = object.Get("grammar"); !grammar.IsUndefined()) {
    job.grammar = toText(grammar, "grammar");
    if (job.grammar.empty()) throw wrong("grammar", "GBNF, or left out");
  }
  if (const Napi::Value bias = object.Get("logitBias"); !bias.IsUndefined()) job.bias = toBias(toArray(bias, "logitBias"));
  job.adapter = toAdapterName(object.Get("adapter"));
  job.priority = toPriority(object.Get("priority"));
  if (const Napi::Value reserve = object.Get("reserve"); !reserve.IsUndefined()) {
    const Napi::Object wanted = toObject(reserve, "reserve");
    job.reserve.sequences = toInt32(wanted.Get("sequences"), "reserve.sequences", 0);
    job.reserve.tokens = toInt32(wanted.Get("tokens"), "reserve.tokens", 0);
  }
  return job;
}

ScoreJob toScoreJob(const Napi::Value & value) {
  const Napi::Object object = toObject(value, "request");
  ScoreJob job;
  const Napi::Array sequences = toArray(object.Get("sequences"), "sequences");
  for (uint32_t i = 0; i < sequences.Length(); ++i) {
    const Napi::Object sequence = toObject(sequences[i], "sequence");
    job.sequences.push_back({toInt32s(sequence.Get("tokens"), "sequence.tokens"),
                             toInt32s(sequence.Get("positions"), "sequence.positions")});
  }
  job.targets = toInt32s(object.Get("targets"), "targets");
  job.adapter = toAdapterName(object.Get("adapter"));
  job.priority = toPriority(object.Get("priority"));
  return job;
}

Napi::Value fromStatistics(Napi::Env env, const Statistics & statistics) {
  Napi::Object object = Napi::Object::New(env);
  object.Set("decodes", static_cast<double>(statistics.decodes));
  object.Set("rows", static_cast<double>(statistics.rows));
  object.Set("sequences", static_cast<double>(statistics.sequences));
  object.Set("possibleSequences", static_cast<double>(statistics.possibleSequences));
  object.Set("contexts", static_cast<double>(statistics.contexts));
  object.Set("adapterChanges", static_cast<double>(statistics.adapterChanges));
  if (statistics.kv != KvLayout::Auto) object.Set("kv", statistics.kv == KvLayout::Unified ? "unified" : "split");
  object.Set("kvBytes", statistics.kvBytes);
  object.Set("calibrated", statistics.calibrated);
  if (statistics.costs.decode > 0) {
    Napi::Object costs = Napi::Object::New(env);
    for (const auto & [name, cost] : kCosts) costs.Set(name, statistics.costs.*cost);
    object.Set("costs", costs);
  }
  return object;
}

KvCosts toKvCosts(const Napi::Value & value) {
  const Napi::Object object = toObject(value, "costs");
  KvCosts costs;
  for (const auto & [name, cost] : kCosts) costs.*cost = toNumber(object.Get(name), name, -1e9, 1e9);
  return costs;
}

ClassifyJob toClassifyJob(const Napi::Value & value) {
  const Napi::Object object = toObject(value, "request");
  ClassifyJob job;
  const Napi::Array sequences = toArray(object.Get("sequences"), "sequences");
  for (uint32_t i = 0; i < sequences.Length(); ++i) {
    const Napi::Value tokens = sequences[i];
    job.sequences.push_back(toInt32s(tokens, "sequence"));
  }
  job.adapter = toAdapterName(object.Get("adapter"));
  job.priority = toPriority(object.Get("priority"));
  return job;
}

Napi::Value fromModelInfo(Napi::Env env, const ModelInfo & info) {
  Napi::Object object = Napi::Object::New(env);
  object.Set("name", info.name);
  object.Set("architecture", info.architecture);
  object.Set("description", info.description);
  object.Set("parameters", info.parameters);
  object.Set("sizeBytes", info.sizeBytes);
  object.Set("contextLength", info.contextLength);
  object.Set("vocabularySize", info.vocabularySize);
  object.Set("layers", info.layers);
  object.Set("chatTemplate", info.hasChatTemplate ? Napi::Value(Napi::String::New(env, info.chatTemplate)) : env.Undefined());
  object.Set("bosToken", info.bosToken);
  object.Set("eosToken", info.eosToken);
  if (info.head) object.Set("head", fromHead(env, *info.head));
  // Pairs, not properties: a hostile key must not become __proto__.
  Napi::Array metadata = Napi::Array::New(env, info.metadata.size());
  for (uint32_t i = 0; i < info.metadata.size(); ++i) {
    Napi::Array pair = Napi::Array::New(env, 2);
    pair.Set(0u, info.metadata[i].first);
    pair.Set(1u, info.metadata[i].second);
    metadata.Set(i, pair);
  }
  object.Set("metadata", metadata);
  return object;
}

Napi::Value fromDevices(Napi::Env env, const std::vector<Device> & devices) {
  Napi::Array array = Napi::Array::New(env, devices.size());
  for (uint32_t i = 0; i < devices.size(); ++i) {
    Napi::Object object = Napi::Object::New(env);
    object.Set("name", devices[i].name);
    object.Set("description", devices[i].description);
    object.Set("type", devices[i].type);
    object.Set("backend", devices[i].backend);
    object.Set("memoryFreeBytes", devices[i].memoryFreeBytes);
    object.Set("memoryTotalBytes", devices[i].memoryTotalBytes);
    array.Set(i, object);
  }
  return array;
}

Napi::Value fromTokens(Napi::Env env, const std::vector<Token> & tokens) {
  return toTypedArray(env, napi_int32_array, tokens.data(), tokens.size(), sizeof(Token));
}

Napi::Value fromEvent(Napi::Env env, const Event & event) {
  EventWriter writer{env, Napi::Object::New(env)};
  std::visit(writer, event);
  return writer.object;
}

Napi::Error fromFailure(Napi::Env env, const Failure & failure) {
  Napi::Error error = Napi::Error::New(env, failure.what());
  error.Set("code", codeName(failure.code));
  return error;
}

}  // namespace t1
