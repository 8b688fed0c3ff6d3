// What goes into the engine and what comes out, free of Node and of llama.cpp. Mirrors src/engine/engine-types.ts.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "error.h"

namespace t1 {

using Token = int32_t;

// An interactive job's work goes into every decode first, and takes places from batch jobs if there are none left.
// Among jobs of one priority the lower ordinal (the number of the problem) comes first, among those of one ordinal the
// earlier arrival; a lane that runs keeps its place.
enum class Priority { Batch, Interactive };

// Those of one name are used together.
struct AdapterOptions {
  std::string name;
  std::string path;
  double scale = 1;
};

// Of the KV cache: one buffer for each sequence, or one for all of them. Auto: whichever a calibration finds faster.
enum class KvLayout { Auto, Split, Unified };
enum class KvType { F16, Q8_0, F32 };
enum class FlashAttention { Auto, On, Off };

struct EngineOptions {
  std::string path;
  int32_t threads = 0;     // 0: physical cores
  int32_t batch = 2048;    // most tokens of one llama_decode
  int32_t ubatch = 512;    // most tokens of one compute graph
  int32_t gpuLayers = -1;  // -1: all that a GPU takes
  std::string device;      // llama.cpp's name of it; empty: the first GPU, else the CPU
  KvLayout kv = KvLayout::Auto;
  KvType kvType = KvType::F16;
  FlashAttention flashAttention = FlashAttention::Auto;
  bool reproducible = false;      // one job at a time, each in a new context: no other job changes its rounding
  double memoryBytes = 0;         // for the KV cache; 0: half of what the device has free
  double hostFreeBytes = 0;       // main memory this engine's KV cache may count on; 0: unknown
  double hostAvailableBytes = 0;  // main memory there is for the whole process; 0: unknown
  int32_t contextLength = 0;      // cap on tokens per sequence; 0: the model's own
  int32_t queueLimit = 1024;      // most jobs that wait or run
  std::vector<AdapterOptions> adapters;
  // For tests: asked before every decode, with its number, 1 first; what it returns, if not 0, is taken for
  // llama_decode's status instead of calling it. May throw.
  std::function<int32_t(int64_t)> fault;
  // For tests: asked for the bytes that the device has free, as if it were a GPU. Decode thread.
  std::function<double()> freeBytes;
};

struct SamplerParams {
  float temperature = 1;
  int32_t topK = 0;
  float topP = 1;
  float minP = 0;
};

struct SamplePrompt {
  std::vector<Token> tokens;
  std::vector<uint64_t> seeds;
};

// Most tokens of which a job may ask to be told how likely they were.
inline constexpr int32_t kMostTop = 20;

// What jobs that come later and share with this one will need; so the context is made for them at once.
struct Reserve {
  int32_t sequences = 0;
  int32_t tokens = 0;  // of the longest
};

struct LogitBias {
  Token token = 0;
  float bias = 0;  // added to its logit; -inf: never
};

struct SampleJob {
  std::vector<SamplePrompt> prompts;
  SamplerParams sampler;
  int32_t maxTokens = 0;
  std::vector<std::string> stop;
  std::string grammar;  // GBNF; empty: everything may be said
  std::vector<LogitBias> bias;
  std::string adapter;  // name; empty: the base model
  Priority priority = Priority::Batch;
  int64_t ordinal = 0;  // 0 or more
  Reserve reserve;
  std::optional<int32_t> textIntervalMs;  // least time between two Texts, 0: every decode; none: nobody wants them
  int32_t topLogprobs = 0;                // most likely tokens to be told of each generated one; kMostTop at most
};

struct ScoreSequence {
  std::vector<Token> tokens;
  std::vector<int32_t> positions;
};

struct ScoreJob {
  std::vector<ScoreSequence> sequences;
  std::vector<Token> targets;
  std::string adapter;  // name; empty: the base model
  Priority priority = Priority::Batch;
  int64_t ordinal = 0;      // 0 or more
  bool next = false;        // wanted too: at each position, of the token that comes after it
  int32_t topLogprobs = 0;  // and of this many most likely ones; kMostTop at most
};

// Whole sequences, read by the model's classification head after their last token.
struct ClassifyJob {
  std::vector<std::vector<Token>> sequences;
  std::string adapter;  // name; empty: the base model
  Priority priority = Priority::Batch;
  int64_t ordinal = 0;  // 0 or more
};

enum class Finish { Eog, Stop, Length };

struct Usage {
  int64_t promptTokens = 0;
  int64_t generatedTokens = 0;
  int64_t decodedTokens = 0;
  int64_t sharedTokens = 0;  // prompt tokens that were not evaluated: their cells were there
};

// The most likely tokens at each of n positions, best first, among equals the lower id.
struct TopLogprobs {
  int32_t k = 0;                // of each position: what was asked for, at most the vocabulary
  std::vector<Token> tokens;    // [n × k]
  std::vector<float> logprobs;  // [n × k] natural log under the raw distribution
};

struct Sample {
  int32_t prompt = 0;
  int32_t index = 0;
  std::string text;  // valid UTF-8
  std::vector<Token> tokens;
  std::vector<float> logprobs;
  Finish finish = Finish::Length;
  std::optional<TopLogprobs> top;   // if asked for
  std::optional<std::string> rest;  // where Texts are wanted: the end of `text`, which none has told
};

// What a sample has gone on by.
struct TextPiece {
  int32_t prompt = 0;
  int32_t index = 0;
  std::string text;    // whole characters, at least one, that nothing which is still to come can take back
  int32_t tokens = 0;  // sampled so far, those included whose text is not told yet
};

// Of all samples of the job that have gone on since the last one. The texts of a sample's pieces, and then its `rest`,
// are its `text`.
struct Texts {
  std::vector<TextPiece> pieces;
};

struct Progress {
  int64_t finished = 0;
  int64_t total = 0;
  int64_t generatedTokens = 0;
};

// Seconds, measured once per model, device and build; see layout.h.
struct KvCosts {
  double decode = 0;    // of a decode, whatever is in it
  double rowSplit = 0;  // of a row, the cells it attends to left aside
  double rowUnified = 0;
  double cellSplit = 0;    // of a row, for each cell of its own sequence
  double cellUnified = 0;  // of a row, for each cell of the whole buffer
  double copy = 0;         // of a cell that another sequence takes over; unified: nothing is copied
};

// Since the engine was made.
struct Statistics {
  int64_t decodes = 0;
  int64_t rows = 0;               // tokens of all decodes
  int64_t sequences = 0;          // with tokens in a decode, summed over decodes
  int64_t possibleSequences = 0;  // that could have been: unfinished ones, kMaxSequences at most
  int64_t contexts = 0;           // that were made
  int64_t adapterChanges = 0;
  KvLayout kv = KvLayout::Auto;  // of the present context; Auto: there is none
  double kvBytes = 0;            // of the largest one yet, as planned
  bool calibrated = false;       // here, not taken from elsewhere
  KvCosts costs;                 // all 0: none are known
};

struct SampleDone {
  Usage usage;
  // Decodes that began between the job's arrival and its first token.
  int64_t firstTokenDecodes = 0;
};

struct ScoreDone {
  std::vector<std::vector<float>> logprobs;  // [sequences][positions × targets]
  Usage usage;
  std::optional<std::vector<std::vector<float>>> next;  // [sequences][positions], if asked for
  std::optional<std::vector<TopLogprobs>> top;          // [sequences], n: positions; if asked for
};

struct ClassifyDone {
  std::vector<std::vector<float>> scores;  // [sequences][classes] natural log of the class's probability
  std::vector<std::string> labels;         // [classes] what the model calls them; empty where it does not
  Usage usage;
};

// A job's events in order: Sample, Texts and Progress any number of times, then exactly one of the rest. No text of a
// sample comes after that Sample.
using Event = std::variant<Sample, Texts, Progress, SampleDone, ScoreDone, ClassifyDone, Failure>;
using Sink = std::function<void(Event)>;

// A classification or value head in the file.
struct Head {
  std::vector<std::string> tensors;
  // [classes] "" where the file does not name one.
  std::vector<std::string> labels;
  // Why it cannot be used; "" when it can.
  std::string problem;
};

struct ModelInfo {
  std::string name;
  std::string architecture;
  std::string description;
  std::string chatTemplate;
  bool hasChatTemplate = false;
  std::string bosToken;
  std::string eosToken;
  double parameters = 0;
  double sizeBytes = 0;
  int32_t contextLength = 0;
  int32_t vocabularySize = 0;
  int32_t layers = 0;
  std::optional<Head> head;
  std::vector<std::pair<std::string, std::string>> metadata;
};

}  // namespace t1
