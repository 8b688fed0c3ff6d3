// The boundary to JavaScript as tables: what a struct's fields are called there, and what their values may be. Reading,
// writing and the description that a test compares with src/engine/contract.ts come from the same table, so that none
// can drift from the others; a field that is missing or that no table names is an error. JS thread only.
#pragma once

#include <napi.h>

#include <algorithm>
#include <array>
#include <climits>
#include <cmath>
#include <concepts>
#include <cstdio>
#include <cstring>
#include <functional>
#include <limits>
#include <optional>
#include <string>
#include <tuple>
#include <utility>
#include <variant>
#include <vector>

#include "error.h"

namespace t1 {

inline constexpr double kMaxSafeInteger = 9007199254740991.0;

// What a value may be, beyond what its type says.
struct Rule {
  double min = -INFINITY;  // of numbers, and of those in an array
  double max = INFINITY;
  bool minusInfinity = false;  // of numbers: is allowed too
  bool filled = false;         // of strings: not empty
  bool noNul = false;          // of strings
  bool bounded() const { return std::isfinite(min) || std::isfinite(max); }
};

// Where a value stands, for messages: "prompts[3].tokens". On the stack.
struct Place {
  const char * name = nullptr;  // of a field or an argument; null: an element, or a whole request
  const Place * parent = nullptr;
  int64_t index = -1;

  std::string text() const {
    std::string text = parent ? parent->text() : "";
    if (name) text += (text.empty() ? "" : ".") + std::string(name);
    if (index >= 0) text += "[" + std::to_string(index) + "]";
    return text;
  }
};

inline Failure wrong(const Place & place, const std::string & expected) {
  const std::string text = place.text();
  return Failure(Code::Usage, (text.empty() ? "the request" : text) + " must be " + expected);
}

// Of a type: read(value, place, rule), which throws Failure (USAGE) and leaves no JS exception pending; write(env,
// value); describe(env, rule), a JSON Schema as zod writes it, with `typedArray` and `callback` for what JSON does not
// have.
template <typename T>
struct Codec;

template <typename T>
Napi::Value describe(Napi::Env env, const Rule & rule = {}) {
  return Codec<T>::describe(env, rule);
}

inline Napi::Object schemaOf(Napi::Env env, const char * type) {
  Napi::Object schema = Napi::Object::New(env);
  schema.Set("type", type);
  return schema;
}

// --- numbers, strings ----------------------------------------------------------------------------------------------

template <>
struct Codec<bool> {
  static bool read(const Napi::Value & value, const Place & place, const Rule &) {
    if (!value.IsBoolean()) throw wrong(place, "true or false");
    return value.As<Napi::Boolean>().Value();
  }
  static Napi::Value write(Napi::Env env, bool value) { return Napi::Boolean::New(env, value); }
  static Napi::Value describe(Napi::Env env, const Rule &) { return schemaOf(env, "boolean"); }
};

// As JavaScript writes it, up to 17 digits.
inline std::string numberText(double number) {
  char text[32];
  std::snprintf(text, sizeof text, std::abs(number) < 1e17 ? "%.17g" : "%g", number);
  return text;
}

template <typename T>
  requires std::integral<T> || std::floating_point<T>
struct Codec<T> {
  static constexpr bool kInteger = std::integral<T>;
  static double least(const Rule & rule) {
    if constexpr (kInteger) {
      return std::max(rule.min, std::max(-kMaxSafeInteger, static_cast<double>(std::numeric_limits<T>::min())));
    }
    return std::max(rule.min, static_cast<double>(std::numeric_limits<T>::lowest()));
  }
  static double most(const Rule & rule) {
    if constexpr (kInteger) {
      return std::min(rule.max, std::min(kMaxSafeInteger, static_cast<double>(std::numeric_limits<T>::max())));
    }
    return std::min(rule.max, static_cast<double>(std::numeric_limits<T>::max()));
  }

  static T read(const Napi::Value & value, const Place & place, const Rule & rule) {
    const double number = value.IsNumber() ? value.As<Napi::Number>().DoubleValue() : NAN;
    if (rule.minusInfinity && number == -INFINITY) return static_cast<T>(number);
    const bool whole = !kInteger || std::floor(number) == number;
    if (whole && number >= least(rule) && number <= most(rule)) return static_cast<T>(number);
    const std::string range =
        rule.bounded() ? " from " + numberText(least(rule)) + " to " + numberText(most(rule)) : "";
    throw wrong(place,
                (kInteger ? "a whole number" : "a number") + range + (rule.minusInfinity ? ", or -Infinity" : ""));
  }
  static Napi::Value write(Napi::Env env, T value) { return Napi::Number::New(env, static_cast<double>(value)); }
  static Napi::Value describe(Napi::Env env, const Rule & rule) {
    Napi::Object schema = schemaOf(env, kInteger ? "integer" : "number");
    if (kInteger || std::isfinite(rule.min)) schema.Set("minimum", least(rule));
    if (kInteger || std::isfinite(rule.max)) schema.Set("maximum", most(rule));
    if (rule.minusInfinity) schema.Set("minusInfinity", true);
    return schema;
  }
};

template <>
struct Codec<std::string> {
  static std::string read(const Napi::Value & value, const Place & place, const Rule & rule) {
    if (!value.IsString()) throw wrong(place, "a string");
    std::string text = value.As<Napi::String>().Utf8Value();
    if (rule.filled && text.empty()) throw wrong(place, "a string that is not empty");
    if (rule.noNul && text.find('\0') != std::string::npos) throw wrong(place, "free of NUL");
    return text;
  }
  static Napi::Value write(Napi::Env env, const std::string & value) { return Napi::String::New(env, value); }
  static Napi::Value describe(Napi::Env env, const Rule & rule) {
    Napi::Object schema = schemaOf(env, "string");
    if (rule.filled) schema.Set("minLength", 1);
    if (rule.noNul) schema.Set("pattern", "^[^\\0]*$");
    return schema;
  }
};

// For enums, whose values count from 0: `count` and `name(i)`.
template <typename Enum>
struct Names;

template <typename Enum>
  requires std::is_enum_v<Enum>
struct Codec<Enum> {
  using N = Names<Enum>;
  static Enum read(const Napi::Value & value, const Place & place, const Rule &) {
    const std::string text = value.IsString() ? value.As<Napi::String>().Utf8Value() : "";
    std::string expected;
    for (int i = 0; i < N::count; ++i) {
      if (text == N::name(i)) return static_cast<Enum>(i);
      expected += std::string(i == 0 ? "'" : ", '") + N::name(i) + "'";
    }
    throw wrong(place, "one of " + expected);
  }
  static Napi::Value write(Napi::Env env, Enum value) {
    return Napi::String::New(env, N::name(static_cast<int>(value)));
  }
  static Napi::Value describe(Napi::Env env, const Rule &) {
    Napi::Object schema = schemaOf(env, "string");
    Napi::Array names = Napi::Array::New(env, N::count);
    for (int i = 0; i < N::count; ++i) names.Set(static_cast<uint32_t>(i), N::name(i));
    schema.Set("enum", names);
    return schema;
  }
};

// --- arrays --------------------------------------------------------------------------------------------------------

// A copy. Undefined where the environment is being torn down: nothing can be allocated in it then.
inline Napi::Value toTypedArray(Napi::Env env, napi_typedarray_type type, const void * data, size_t count,
                                size_t size) {
  void * bytes = nullptr;
  napi_value buffer = nullptr;
  napi_value array = nullptr;
  if (napi_create_arraybuffer(env, count * size, &bytes, &buffer) != napi_ok) return env.Undefined();
  if (count > 0) std::memcpy(bytes, data, count * size);
  if (napi_create_typedarray(env, type, count, buffer, 0, &array) != napi_ok) return env.Undefined();
  return Napi::Value(env, array);
}

// Token ids, positions: Int32Array. Log-probabilities: Float32Array.
template <typename T>
  requires std::same_as<T, int32_t> || std::same_as<T, float>
struct Codec<std::vector<T>> {
  static constexpr napi_typedarray_type kType = std::same_as<T, float> ? napi_float32_array : napi_int32_array;
  static constexpr const char * kName = std::same_as<T, float> ? "Float32Array" : "Int32Array";
  static std::vector<T> read(const Napi::Value & value, const Place & place, const Rule &) {
    if (!value.IsTypedArray() || value.As<Napi::TypedArray>().TypedArrayType() != kType) {
      throw wrong(place, std::string("a ") + kName);
    }
    const auto array = value.As<Napi::TypedArrayOf<T>>();
    if (array.ElementLength() > INT_MAX) throw wrong(place, "shorter");
    return std::vector<T>(array.Data(), array.Data() + array.ElementLength());
  }
  static Napi::Value write(Napi::Env env, const std::vector<T> & values) {
    return toTypedArray(env, kType, values.data(), values.size(), sizeof(T));
  }
  static Napi::Value describe(Napi::Env env, const Rule &) {
    Napi::Object schema = Napi::Object::New(env);
    schema.Set("typedArray", kName);
    return schema;
  }
};

template <typename T>
struct Codec<std::vector<T>> {
  static std::vector<T> read(const Napi::Value & value, const Place & place, const Rule & rule) {
    if (!value.IsArray()) throw wrong(place, "an array");
    const auto array = value.As<Napi::Array>();
    std::vector<T> values;
    values.reserve(std::min<uint32_t>(array.Length(), 1 << 16));
    for (uint32_t i = 0; i < array.Length(); ++i) {
      const Napi::Value element = array[i];
      values.push_back(Codec<T>::read(element, {nullptr, &place, i}, rule));
    }
    return values;
  }
  static Napi::Value write(Napi::Env env, const std::vector<T> & values) {
    Napi::Array array = Napi::Array::New(env, values.size());
    for (uint32_t i = 0; i < values.size(); ++i) array.Set(i, Codec<T>::write(env, values[i]));
    return array;
  }
  static Napi::Value describe(Napi::Env env, const Rule & rule) {
    Napi::Object schema = schemaOf(env, "array");
    schema.Set("items", Codec<T>::describe(env, rule));
    return schema;
  }
};

// Only in a field or an argument, which may then be left out.
template <typename T>
struct Codec<std::optional<T>> {
  static std::optional<T> read(const Napi::Value & value, const Place & place, const Rule & rule) {
    if (value.IsUndefined()) return std::nullopt;
    return Codec<T>::read(value, place, rule);
  }
  static Napi::Value write(Napi::Env env, const std::optional<T> & value) {
    return value ? Codec<T>::write(env, *value) : env.Undefined();
  }
  static Napi::Value describe(Napi::Env env, const Rule & rule) { return Codec<T>::describe(env, rule); }
};

template <typename T>
inline constexpr bool kOptional = false;
template <typename T>
inline constexpr bool kOptional<std::optional<T>> = true;

// [types...] of which those that are `needed` must be there.
inline Napi::Value describeTuple(Napi::Env env, const std::vector<Napi::Value> & types, size_t needed) {
  Napi::Object schema = schemaOf(env, "array");
  Napi::Array items = Napi::Array::New(env, types.size());
  for (uint32_t i = 0; i < types.size(); ++i) items.Set(i, types[i]);
  schema.Set("prefixItems", items);
  schema.Set("items", false);
  if (needed > 0) schema.Set("minItems", static_cast<double>(needed));
  schema.Set("maxItems", static_cast<double>(types.size()));
  return schema;
}

template <typename A, typename B>
struct Codec<std::pair<A, B>> {
  static Napi::Value write(Napi::Env env, const std::pair<A, B> & value) {
    Napi::Array array = Napi::Array::New(env, 2);
    array.Set(0u, Codec<A>::write(env, value.first));
    array.Set(1u, Codec<B>::write(env, value.second));
    return array;
  }
  static Napi::Value describe(Napi::Env env, const Rule & rule) {
    return describeTuple(env, {Codec<A>::describe(env, rule), Codec<B>::describe(env, rule)}, 2);
  }
};

// --- structs -------------------------------------------------------------------------------------------------------

// `access`: a member, or, where the struct is only written, a function of the struct.
template <typename Access, bool kMayLack>
struct Field {
  const char * name;
  Access access;
  Rule rule;
};

template <typename Access>
constexpr Field<Access, false> field(const char * name, Access access, Rule rule = {}) {
  return {name, access, rule};
}

// Where it is left out, the struct's default stays. Only read; what may be absent when written is a std::optional.
template <typename Access>
constexpr Field<Access, true> optionalField(const char * name, Access access, Rule rule = {}) {
  return {name, access, rule};
}

// For structs: `table`, a tuple of fields. For events also `type`, the value of the field `type`.
template <typename S>
struct Fields;

template <typename S>
concept Record = requires { Fields<S>::table; };
template <typename S>
concept Tagged = requires { Fields<S>::type; };

template <Record S>
struct Codec<S> {
  template <typename Access>
  using ValueOf = std::decay_t<std::invoke_result_t<Access, const S &>>;

  static S read(const Napi::Value & value, const Place & place, const Rule &) {
    if (!value.IsObject() || value.IsArray() || value.IsTypedArray() || value.IsFunction()) {
      throw wrong(place, "an object");
    }
    const auto object = value.As<Napi::Object>();
    S result{};
    std::apply([&](const auto &... fields) { (readField(object, place, fields, result), ...); }, Fields<S>::table);
    refuseUnknown(object, place);
    return result;
  }
  static Napi::Value write(Napi::Env env, const S & value) {
    Napi::Object object = Napi::Object::New(env);
    if constexpr (Tagged<S>) object.Set("type", Fields<S>::type);
    std::apply([&](const auto &... fields) { (writeField(env, object, fields, value), ...); }, Fields<S>::table);
    return object;
  }
  static Napi::Value describe(Napi::Env env, const Rule &) {
    Napi::Object schema = schemaOf(env, "object");
    Napi::Object properties = Napi::Object::New(env);
    Napi::Array required = Napi::Array::New(env);
    if constexpr (Tagged<S>) {
      Napi::Object type = schemaOf(env, "string");
      type.Set("const", Fields<S>::type);
      properties.Set("type", type);
      required.Set(0u, "type");
    }
    std::apply([&](const auto &... fields) { (describeField(env, properties, required, fields), ...); },
               Fields<S>::table);
    schema.Set("properties", properties);
    if (required.Length() > 0) schema.Set("required", required);
    schema.Set("additionalProperties", false);
    return schema;
  }

 private:
  template <typename Access, bool kMayLack>
  static void readField(const Napi::Object & object, const Place & parent, const Field<Access, kMayLack> & field,
                        S & result) {
    const Napi::Value value = object.Get(field.name);
    if (kMayLack && value.IsUndefined()) return;
    result.*field.access = Codec<ValueOf<Access>>::read(value, {field.name, &parent}, field.rule);
  }
  template <typename Access, bool kMayLack>
  static void writeField(Napi::Env env, Napi::Object & object, const Field<Access, kMayLack> & field, const S & value) {
    static_assert(!kMayLack, "only read");
    const auto & member = std::invoke(field.access, value);
    using T = ValueOf<Access>;
    if constexpr (kOptional<T>) {
      if (!member) return;
    }
    object.Set(field.name, Codec<T>::write(env, member));
  }
  template <typename Access, bool kMayLack>
  static void describeField(Napi::Env env, Napi::Object & properties, Napi::Array & required,
                            const Field<Access, kMayLack> & field) {
    using T = ValueOf<Access>;
    properties.Set(field.name, Codec<T>::describe(env, field.rule));
    if (!kMayLack && !kOptional<T>) required.Set(required.Length(), field.name);
  }
  static void refuseUnknown(const Napi::Object & object, const Place & place) {
    const Napi::Array names = object.GetPropertyNames();
    for (uint32_t i = 0; i < names.Length(); ++i) {
      const std::string name = names.Get(i).As<Napi::String>().Utf8Value();
      const bool known =
          std::apply([&](const auto &... fields) { return ((name == fields.name) || ...); }, Fields<S>::table);
      if (known) continue;
      throw Failure(Code::Usage, "there is no field " + Place{name.c_str(), &place}.text());
    }
  }
};

template <typename... Events>
struct Codec<std::variant<Events...>> {
  static Napi::Value write(Napi::Env env, const std::variant<Events...> & event) {
    return std::visit([&](const auto & each) { return Codec<std::decay_t<decltype(each)>>::write(env, each); }, event);
  }
  static Napi::Value describe(Napi::Env env, const Rule & rule) {
    Napi::Array schemas = Napi::Array::New(env);
    (schemas.Set(schemas.Length(), Codec<Events>::describe(env, rule)), ...);
    Napi::Object schema = Napi::Object::New(env);
    schema.Set("oneOf", schemas);
    return schema;
  }
};

// --- calls ---------------------------------------------------------------------------------------------------------

// An Error with `code`.
inline Napi::Error toError(Napi::Env env, const Failure & failure) {
  Napi::Error error = Napi::Error::New(env, failure.what());
  error.Set("code", codeName(failure.code));
  return error;
}

template <typename... Arguments>
constexpr size_t neededOf() {
  const std::array<bool, sizeof...(Arguments)> optional{kOptional<Arguments>...};
  size_t needed = optional.size();
  while (needed > 0 && optional[needed - 1]) --needed;
  return needed;
}

// A function that JavaScript gives to be called.
template <typename... Arguments>
struct Callback {
  Napi::Function function;
  static void call(const Napi::Function & function, Napi::Env env, const Arguments &... arguments) {
    function.Call({Codec<Arguments>::write(env, arguments)...});
  }
};

template <typename... Arguments>
struct Codec<Callback<Arguments...>> {
  static Callback<Arguments...> read(const Napi::Value & value, const Place & place, const Rule &) {
    if (!value.IsFunction()) throw wrong(place, "a function");
    return {value.As<Napi::Function>()};
  }
  static Napi::Value describe(Napi::Env env, const Rule &) {
    Napi::Object schema = Napi::Object::New(env);
    schema.Set("callback", describeTuple(env, {t1::describe<Arguments>(env)...}, neededOf<Arguments...>()));
    return schema;
  }
};

struct Argument {
  const char * name;
  Rule rule = {};
};

template <typename Signature>
struct Call;

// A function that JavaScript calls. What `body` throws becomes a JS exception.
template <typename Reply, typename... Arguments>
struct Call<Reply(Arguments...)> {
  const char * name;
  std::array<Argument, sizeof...(Arguments)> arguments = {};

  template <typename Body>
  Napi::Value operator()(const Napi::CallbackInfo & info, Body body) const {
    const Napi::Env env = info.Env();
    try {
      if (info.Length() > arguments.size()) {
        throw Failure(Code::Usage, std::string(name) + " takes " + std::to_string(arguments.size()) + " arguments");
      }
      auto values = readAll(info, std::index_sequence_for<Arguments...>{});
      if constexpr (std::is_void_v<Reply>) {
        std::apply(body, std::move(values));
      } else {
        return Codec<Reply>::write(env, std::apply(body, std::move(values)));
      }
    } catch (const Failure & failure) {
      toError(env, failure).ThrowAsJavaScriptException();
    } catch (const std::exception & error) {
      toError(env, Failure(Code::Internal, error.what())).ThrowAsJavaScriptException();
    }
    return env.Undefined();
  }

  void describe(Napi::Env env, Napi::Object & calls) const {
    Napi::Object call = Napi::Object::New(env);
    call.Set("arguments", describeAll(env, std::index_sequence_for<Arguments...>{}));
    if constexpr (!std::is_void_v<Reply>) call.Set("reply", t1::describe<Reply>(env));
    calls.Set(name, call);
  }

 private:
  template <size_t... I>
  std::tuple<Arguments...> readAll(const Napi::CallbackInfo & info, std::index_sequence<I...>) const {
    return std::tuple<Arguments...>{readOne<Arguments>(info[I], arguments[I])...};
  }
  // A request's fields need no name of the whole before theirs.
  template <typename T>
  T readOne(const Napi::Value & value, const Argument & argument) const {
    return Codec<T>::read(value, {Record<T> ? nullptr : argument.name}, argument.rule);
  }
  template <size_t... I>
  Napi::Value describeAll(Napi::Env env, std::index_sequence<I...>) const {
    return describeTuple(env, {t1::describe<Arguments>(env, arguments[I].rule)...}, neededOf<Arguments...>());
  }
};

}  // namespace t1
