// What crosses to JavaScript, field by field: src/engine/contract.ts says the same, and a test compares the two. JS
// thread only.
#pragma once

#include "backend.h"
#include "fields.h"
#include "layout.h"
#include "types.h"

namespace t1 {

// --- what JavaScript asks ------------------------------------------------------------------------------------------

template <size_t n>
struct NameList {
  static constexpr int count = n;
};

template <>
struct Names<KvLayout> : NameList<3> {
  static const char * name(int i) { return std::array{"auto", "split", "unified"}.at(static_cast<size_t>(i)); }
};
template <>
struct Names<KvType> : NameList<3> {
  static const char * name(int i) { return std::array{"f16", "q8_0", "f32"}.at(static_cast<size_t>(i)); }
};
template <>
struct Names<FlashAttention> : NameList<3> {
  static const char * name(int i) { return std::array{"auto", "on", "off"}.at(static_cast<size_t>(i)); }
};
template <>
struct Names<Priority> : NameList<2> {
  static const char * name(int i) { return std::array{"batch", "interactive"}.at(static_cast<size_t>(i)); }
};
template <>
struct Names<Finish> : NameList<3> {
  static const char * name(int i) { return std::array{"eog", "stop", "length"}.at(static_cast<size_t>(i)); }
};
template <>
struct Names<Code> : NameList<kCodes> {
  static const char * name(int i) { return codeName(static_cast<Code>(i)); }
};

template <>
struct Fields<AdapterOptions> {
  static constexpr auto table =
      std::tuple(field("name", &AdapterOptions::name), field("path", &AdapterOptions::path, {.noNul = true}),
                 field("scale", &AdapterOptions::scale, {.min = -1e6, .max = 1e6}));
};

template <>
struct Fields<EngineOptions> {
  using O = EngineOptions;
  static constexpr auto table = std::tuple(
      field("path", &O::path, {.noNul = true}), field("threads", &O::threads, {.min = 0, .max = 512}),
      field("batch", &O::batch, {.min = 1, .max = 1 << 20}), field("ubatch", &O::ubatch, {.min = 1}),
      field("gpuLayers", &O::gpuLayers, {.min = -1}), field("device", &O::device), field("kv", &O::kv),
      field("kvType", &O::kvType), field("flashAttention", &O::flashAttention), field("reproducible", &O::reproducible),
      field("memoryBytes", &O::memoryBytes, {.min = 0, .max = kMaxSafeInteger}),
      field("hostFreeBytes", &O::hostFreeBytes, {.min = 0, .max = kMaxSafeInteger}),
      field("hostAvailableBytes", &O::hostAvailableBytes, {.min = 0, .max = kMaxSafeInteger}),
      field("contextLength", &O::contextLength, {.min = 0}), field("queueLimit", &O::queueLimit, {.min = 1}),
      field("adapters", &O::adapters));
};

template <>
struct Fields<SamplePrompt> {
  static constexpr auto table =
      std::tuple(field("tokens", &SamplePrompt::tokens), field("seeds", &SamplePrompt::seeds));
};

template <>
struct Fields<SamplerParams> {
  using P = SamplerParams;
  static constexpr auto table =
      std::tuple(field("temperature", &P::temperature, {.min = 0, .max = 1e6}), field("topK", &P::topK, {.min = 0}),
                 field("topP", &P::topP, {.min = 0, .max = 1}), field("minP", &P::minP, {.min = 0, .max = 1}));
};

template <>
struct Fields<LogitBias> {
  static constexpr auto table = std::tuple(field("token", &LogitBias::token, {.min = 0}),
                                           field("bias", &LogitBias::bias, {.minusInfinity = true}));
};

template <>
struct Fields<Reserve> {
  static constexpr auto table =
      std::tuple(field("sequences", &Reserve::sequences, {.min = 0}), field("tokens", &Reserve::tokens, {.min = 0}));
};

template <>
struct Fields<SampleJob> {
  using J = SampleJob;
  static constexpr auto table = std::tuple(
      field("prompts", &J::prompts), field("sampler", &J::sampler), field("maxTokens", &J::maxTokens, {.min = 1}),
      field("stop", &J::stop), optionalField("grammar", &J::grammar, {.filled = true}),
      optionalField("logitBias", &J::bias), optionalField("adapter", &J::adapter, {.filled = true}),
      optionalField("priority", &J::priority), optionalField("ordinal", &J::ordinal, {.min = 0}),
      optionalField("reserve", &J::reserve), field("textIntervalMs", &J::textIntervalMs, {.min = 10, .max = 60'000}),
      optionalField("topLogprobs", &J::topLogprobs, {.min = 0, .max = kMostTop}));
};

template <>
struct Fields<ScoreSequence> {
  static constexpr auto table =
      std::tuple(field("tokens", &ScoreSequence::tokens), field("positions", &ScoreSequence::positions));
};

template <>
struct Fields<ScoreJob> {
  using J = ScoreJob;
  static constexpr auto table =
      std::tuple(field("sequences", &J::sequences), field("targets", &J::targets),
                 optionalField("adapter", &J::adapter, {.filled = true}), optionalField("priority", &J::priority),
                 optionalField("ordinal", &J::ordinal, {.min = 0}), optionalField("next", &J::next),
                 optionalField("topLogprobs", &J::topLogprobs, {.min = 0, .max = kMostTop}));
};

template <>
struct Fields<ClassifyJob> {
  using J = ClassifyJob;
  static constexpr auto table =
      std::tuple(field("sequences", &J::sequences), optionalField("adapter", &J::adapter, {.filled = true}),
                 optionalField("priority", &J::priority), optionalField("ordinal", &J::ordinal, {.min = 0}));
};

// Asked and answered.
template <>
struct Fields<KvCosts> {
  using C = KvCosts;
  static constexpr Rule kSeconds = {.min = -1e9, .max = 1e9};
  static constexpr auto table =
      std::tuple(field("decode", &C::decode, kSeconds), field("rowSplit", &C::rowSplit, kSeconds),
                 field("rowUnified", &C::rowUnified, kSeconds), field("cellSplit", &C::cellSplit, kSeconds),
                 field("cellUnified", &C::cellUnified, kSeconds), field("copy", &C::copy, kSeconds));
};

// --- what jobs tell ------------------------------------------------------------------------------------------------

template <>
struct Fields<TopLogprobs> {
  static constexpr auto table = std::tuple(field("k", &TopLogprobs::k), field("tokens", &TopLogprobs::tokens),
                                           field("logprobs", &TopLogprobs::logprobs));
};

template <>
struct Fields<Usage> {
  static constexpr auto table =
      std::tuple(field("promptTokens", &Usage::promptTokens), field("generatedTokens", &Usage::generatedTokens),
                 field("decodedTokens", &Usage::decodedTokens), field("sharedTokens", &Usage::sharedTokens));
};

template <>
struct Fields<Sample> {
  static constexpr auto type = "sample";
  static constexpr auto table =
      std::tuple(field("prompt", &Sample::prompt), field("index", &Sample::index), field("text", &Sample::text),
                 field("tokens", &Sample::tokens), field("logprobs", &Sample::logprobs),
                 field("finish", &Sample::finish), field("top", &Sample::top), field("rest", &Sample::rest));
};

template <>
struct Fields<TextPiece> {
  static constexpr auto table = std::tuple(field("prompt", &TextPiece::prompt), field("index", &TextPiece::index),
                                           field("text", &TextPiece::text), field("tokens", &TextPiece::tokens));
};

template <>
struct Fields<Texts> {
  static constexpr auto type = "texts";
  static constexpr auto table = std::tuple(field("pieces", &Texts::pieces));
};

template <>
struct Fields<Progress> {
  static constexpr auto type = "progress";
  static constexpr auto table = std::tuple(field("finished", &Progress::finished), field("total", &Progress::total),
                                           field("generatedTokens", &Progress::generatedTokens));
};

template <>
struct Fields<SampleDone> {
  static constexpr auto type = "sampled";
  static constexpr auto table =
      std::tuple(field("usage", &SampleDone::usage), field("firstTokenDecodes", &SampleDone::firstTokenDecodes));
};

template <>
struct Fields<ScoreDone> {
  static constexpr auto type = "scored";
  static constexpr auto table = std::tuple(field("usage", &ScoreDone::usage), field("logprobs", &ScoreDone::logprobs),
                                           field("next", &ScoreDone::next), field("top", &ScoreDone::top));
};

template <>
struct Fields<ClassifyDone> {
  static constexpr auto type = "classified";
  static constexpr auto table = std::tuple(field("usage", &ClassifyDone::usage), field("scores", &ClassifyDone::scores),
                                           field("labels", &ClassifyDone::labels));
};

template <>
struct Fields<Failure> {
  static constexpr auto type = "failed";
  static constexpr auto table =
      std::tuple(field("code", &Failure::code),
                 field("message", [](const Failure & failure) { return std::string(failure.what()); }));
};

// --- what the engine answers ---------------------------------------------------------------------------------------

template <>
struct Fields<Head> {
  static constexpr auto table = std::tuple(field("tensors", &Head::tensors), field("labels", &Head::labels),
                                           field("problem", [](const Head & head) {
                                             return head.problem.empty() ? std::nullopt : std::optional(head.problem);
                                           }));
};

template <>
struct Fields<ModelInfo> {
  using M = ModelInfo;
  static constexpr auto table = std::tuple(
      field("name", &M::name), field("architecture", &M::architecture), field("description", &M::description),
      field("parameters", &M::parameters), field("sizeBytes", &M::sizeBytes), field("contextLength", &M::contextLength),
      field("vocabularySize", &M::vocabularySize), field("layers", &M::layers),
      field("chatTemplate",
            [](const M & info) { return info.hasChatTemplate ? std::optional(info.chatTemplate) : std::nullopt; }),
      field("bosToken", &M::bosToken), field("eosToken", &M::eosToken), field("head", &M::head),
      // Pairs, not properties: a hostile key must not become __proto__.
      field("metadata", &M::metadata));
};

// Of a context that there is.
enum class PresentLayout { Split, Unified };
template <>
struct Names<PresentLayout> : NameList<2> {
  static const char * name(int i) { return std::array{"split", "unified"}.at(static_cast<size_t>(i)); }
};

template <>
struct Fields<Statistics> {
  using S = Statistics;
  static std::optional<PresentLayout> layout(const S & s) {
    if (s.kv == KvLayout::Auto) return std::nullopt;
    return s.kv == KvLayout::Unified ? PresentLayout::Unified : PresentLayout::Split;
  }
  static std::optional<KvCosts> costs(const S & s) { return known(s.costs) ? std::optional(s.costs) : std::nullopt; }
  static constexpr auto table =
      std::tuple(field("decodes", &S::decodes), field("rows", &S::rows), field("sequences", &S::sequences),
                 field("possibleSequences", &S::possibleSequences), field("contexts", &S::contexts),
                 field("adapterChanges", &S::adapterChanges), field("kv", &layout), field("kvBytes", &S::kvBytes),
                 field("calibrated", &S::calibrated), field("costs", &costs));
};

enum class DeviceType { Cpu, Gpu, Igpu, Accelerator };
template <>
struct Names<DeviceType> : NameList<4> {
  static const char * name(int i) { return std::array{"cpu", "gpu", "igpu", "accelerator"}.at(static_cast<size_t>(i)); }
};

template <>
struct Fields<Device> {
  static DeviceType typeOf(const Device & device) {
    for (int i = 0; i < Names<DeviceType>::count; ++i) {
      if (device.type == Names<DeviceType>::name(i)) return static_cast<DeviceType>(i);
    }
    throw Failure(Code::Internal, "a device of the type " + device.type);
  }
  static constexpr auto table =
      std::tuple(field("name", &Device::name), field("description", &Device::description), field("type", &typeOf),
                 field("backend", &Device::backend), field("memoryFreeBytes", &Device::memoryFreeBytes),
                 field("memoryTotalBytes", &Device::memoryTotalBytes));
};

// --- callbacks -----------------------------------------------------------------------------------------------------

// An Error with `code`.
struct Thrown {
  Failure failure;
};
template <>
struct Codec<Thrown> {
  static Napi::Value write(Napi::Env env, const Thrown & thrown) { return toError(env, thrown.failure).Value(); }
  static Napi::Value describe(Napi::Env env, const Rule & rule) {
    Napi::Object schema = Napi::Object::New(env);
    schema.Set("error", Codec<Code>::describe(env, rule));
    return schema;
  }
};

// The object with the engine's calls.
struct EngineHandle {
  Napi::Object object;
};
template <>
struct Codec<EngineHandle> {
  static Napi::Value write(Napi::Env, const EngineHandle & engine) { return engine.object; }
  static Napi::Value describe(Napi::Env env, const Rule &) {
    Napi::Object schema = Napi::Object::New(env);
    schema.Set("engine", true);
    return schema;
  }
};

}  // namespace t1
