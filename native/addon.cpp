// The addon's exports. No logic: values are converted and handed to Engine. Everything here runs on the JS thread
// of its environment, except where a comment says otherwise.
#include <napi.h>

#include <memory>
#include <set>

#include "convert.h"
#include "engine.h"

namespace t1 {
namespace {

struct Delivery {
  double job;
  Event event;
};

// Calls onEvent(job, event). env is empty when the environment goes away: then only the data is freed.
void deliver(Napi::Env env, Napi::Function onEvent, std::nullptr_t *, Delivery * raw) {
  const std::unique_ptr<Delivery> delivery(raw);
  if (env == nullptr || onEvent == nullptr) return;
  Napi::HandleScope scope(env);
  onEvent.Call({Napi::Number::New(env, delivery->job), fromEvent(env, delivery->event)});
}

using Events = Napi::TypedThreadSafeFunction<std::nullptr_t, Delivery, deliver>;

class EngineObject;

// Of one environment.
struct AddonData {
  Napi::FunctionReference engineClass;
  std::set<EngineObject *> open;  // engines whose decode thread may still run
};

// Runs `body` and turns a Failure into a JS exception.
template <typename Body>
Napi::Value guarded(Napi::Env env, Body body) {
  try {
    return body();
  } catch (const Failure & failure) {
    fromFailure(env, failure).ThrowAsJavaScriptException();
  } catch (const std::exception & error) {
    fromFailure(env, Failure(Code::Internal, error.what())).ThrowAsJavaScriptException();
  }
  return env.Undefined();
}

class EngineObject : public Napi::ObjectWrap<EngineObject> {
 public:
  static Napi::Function define(Napi::Env env) {
    return DefineClass(env, "NativeEngine",
                       {
                           InstanceMethod("info", &EngineObject::info),
                           InstanceMethod("tokenize", &EngineObject::tokenize),
                           InstanceMethod("sample", &EngineObject::sample),
                           InstanceMethod("score", &EngineObject::score),
                           InstanceMethod("classify", &EngineObject::classify),
                           InstanceMethod("abort", &EngineObject::abort),
                           InstanceMethod("statistics", &EngineObject::statistics),
                           InstanceMethod("useCosts", &EngineObject::useCosts),
                           InstanceMethod("setBusy", &EngineObject::setBusy),
                           InstanceMethod("dispose", &EngineObject::dispose),
                       });
  }

  // (External<shared_ptr<Engine>>, onEvent): made by load() only.
  explicit EngineObject(const Napi::CallbackInfo & info) : Napi::ObjectWrap<EngineObject>(info) {
    if (info.Length() != 2 || !info[0].IsExternal() || !info[1].IsFunction()) {
      Napi::TypeError::New(info.Env(), "use load()").ThrowAsJavaScriptException();
      return;
    }
    engine_ = *info[0].As<Napi::External<std::shared_ptr<Engine>>>().Data();
    events_ = Events::New(info.Env(), info[1].As<Napi::Function>(), "t1 engine events", 0, 1);
    events_.Unref(info.Env());  // an idle engine does not keep the process alive
    env_ = info.Env();
    // Added after the thread-safe function, so run before its own hook: the thread is gone before the function is.
    napi_add_env_cleanup_hook(env_, onExit, this);
    info.Env().GetInstanceData<AddonData>()->open.insert(this);
  }

  ~EngineObject() override { shut(); }

  // process.exit() on the main thread runs no environment hooks: without this the decode thread would still run while
  // the destructors of llama.cpp's libraries do.
  static void shutAll(const Napi::CallbackInfo & info) {
    const std::set<EngineObject *> open = info.Env().GetInstanceData<AddonData>()->open;
    for (EngineObject * engine : open) engine->shut();
  }

 private:
  static void onExit(void * self) { static_cast<EngineObject *>(self)->shut(); }

  // Ends the thread and waits for it (at most one decode).
  void shut() {
    if (!engine_) return;
    Napi::Env(env_).GetInstanceData<AddonData>()->open.erase(this);
    napi_remove_env_cleanup_hook(env_, onExit, this);
    engine_->close();
    engine_->join();
    engine_.reset();
    events_.Release();
  }

  // Called on the decode thread. The function outlives it: see onExit.
  static void send(const Events & events, double job, Event event) {
    auto delivery = std::make_unique<Delivery>(Delivery{job, std::move(event)});
    if (events.NonBlockingCall(delivery.get()) == napi_ok) delivery.release();
  }

  Engine & engine() const {
    if (!engine_) throw Failure(Code::Disposed, "the engine was disposed");
    return *engine_;
  }

  // The job's number is chosen by JS, so that no event can come before it is known there.
  Napi::Value submit(const Napi::CallbackInfo & info, Work work) {
    const double job = toNumber(info[0], "job", 0, 9e15);
    const uint64_t id = engine().submit(std::move(work), [events = events_, job](Event event) {
      send(events, job, std::move(event));
    });
    return Napi::Number::New(info.Env(), static_cast<double>(id));
  }

  Napi::Value info(const Napi::CallbackInfo & info) {
    return guarded(info.Env(), [&] { return fromModelInfo(info.Env(), engine().info()); });
  }

  Napi::Value tokenize(const Napi::CallbackInfo & info) {
    return guarded(info.Env(), [&] {
      const Vocabulary & vocabulary = engine().vocabulary();
      const bool addBos = info[2].IsBoolean() ? info[2].ToBoolean().Value() : vocabulary.addsBos();
      return fromTokens(info.Env(), vocabulary.tokenize(toText(info[0], "text"), info[1].ToBoolean(), addBos));
    });
  }

  Napi::Value sample(const Napi::CallbackInfo & info) {
    return guarded(info.Env(), [&] { return submit(info, toSampleJob(info[1])); });
  }

  Napi::Value score(const Napi::CallbackInfo & info) {
    return guarded(info.Env(), [&] { return submit(info, toScoreJob(info[1])); });
  }

  Napi::Value classify(const Napi::CallbackInfo & info) {
    return guarded(info.Env(), [&] { return submit(info, toClassifyJob(info[1])); });
  }

  Napi::Value abort(const Napi::CallbackInfo & info) {
    return guarded(info.Env(), [&] {
      if (engine_) engine_->abort(static_cast<uint64_t>(toNumber(info[0], "id", 0, 9e15)));
      return info.Env().Undefined();
    });
  }

  Napi::Value statistics(const Napi::CallbackInfo & info) {
    return guarded(info.Env(), [&] { return fromStatistics(info.Env(), engine().statistics()); });
  }

  Napi::Value useCosts(const Napi::CallbackInfo & info) {
    return guarded(info.Env(), [&] {
      engine().useCosts(toKvCosts(info[0]));
      return info.Env().Undefined();
    });
  }

  // Whether events are awaited: then the process stays alive for them.
  Napi::Value setBusy(const Napi::CallbackInfo & info) {
    if (engine_) info[0].ToBoolean().Value() ? events_.Ref(info.Env()) : events_.Unref(info.Env());
    return info.Env().Undefined();
  }

  Napi::Value dispose(const Napi::CallbackInfo & info);

  napi_env env_ = nullptr;
  std::shared_ptr<Engine> engine_;  // null once shut
  Events events_;

  friend class DisposeWorker;
};

// Reads the vocabulary off the JS thread, then calls back (error) or (undefined, engine).
class LoadWorker : public Napi::AsyncWorker {
 public:
  LoadWorker(EngineOptions options, Napi::Function onEvent, Napi::Function done)
      : Napi::AsyncWorker(done), options_(std::move(options)), onEvent_(Napi::Persistent(onEvent)) {}

  void Execute() override {  // pool thread
    try {
      engine_ = std::make_shared<Engine>(options_);
    } catch (const Failure & failure) {
      failure_ = std::make_unique<Failure>(failure);
    } catch (const std::exception & error) {
      failure_ = std::make_unique<Failure>(Code::Internal, error.what());
    }
  }

  void OnOK() override {
    Napi::HandleScope scope(Env());
    if (failure_) {
      Callback().Call({fromFailure(Env(), *failure_).Value()});
      return;
    }
    auto & engineClass = Env().GetInstanceData<AddonData>()->engineClass;
    const Napi::Object engine = engineClass.New({Napi::External<std::shared_ptr<Engine>>::New(Env(), &engine_), onEvent_.Value()});
    Callback().Call({Env().Undefined(), engine});
  }

 private:
  EngineOptions options_;
  Napi::FunctionReference onEvent_;
  std::shared_ptr<Engine> engine_;
  std::unique_ptr<Failure> failure_;
};

// Waits for the decode thread off the JS thread, then calls back.
class DisposeWorker : public Napi::AsyncWorker {
 public:
  DisposeWorker(EngineObject * object, Napi::Object self, Napi::Function done)
      : Napi::AsyncWorker(done), object_(object), self_(Napi::Persistent(self)), engine_(object->engine_) {}

  void Execute() override {  // pool thread
    if (!engine_) return;
    engine_->join();
    engine_.reset();
  }

  void OnOK() override {
    Napi::HandleScope scope(Env());
    object_->shut();
    Callback().Call({});
  }

 private:
  EngineObject * object_;
  Napi::ObjectReference self_;
  std::shared_ptr<Engine> engine_;
};

Napi::Value EngineObject::dispose(const Napi::CallbackInfo & info) {
  if (engine_) engine_->close();
  (new DisposeWorker(this, info.This().As<Napi::Object>(), info[0].As<Napi::Function>()))->Queue();
  return info.Env().Undefined();
}

// load(options, onEvent, done)
Napi::Value load(const Napi::CallbackInfo & info) {
  return guarded(info.Env(), [&] {
    if (!info[1].IsFunction() || !info[2].IsFunction()) throw Failure(Code::Usage, "load needs two functions");
    (new LoadWorker(toEngineOptions(info[0]), info[1].As<Napi::Function>(), info[2].As<Napi::Function>()))->Queue();
    return info.Env().Undefined();
  });
}

Napi::Value devices(const Napi::CallbackInfo & info) {
  return guarded(info.Env(), [&] { return fromDevices(info.Env(), listDevices()); });
}

Napi::Value backends(const Napi::CallbackInfo & info) {
  return guarded(info.Env(), [&] {
    const std::vector<std::string> names = listBackends();
    Napi::Array array = Napi::Array::New(info.Env(), names.size());
    for (uint32_t i = 0; i < names.size(); ++i) array.Set(i, names[i]);
    return array;
  });
}

// build(gpuLayers, device): see engineBuild().
Napi::Value build(const Napi::CallbackInfo & info) {
  return guarded(info.Env(), [&] {
    const auto layers = static_cast<int32_t>(toNumber(info[0], "gpuLayers", -1, 1e9));
    return Napi::String::New(info.Env(), engineBuild(layers, toText(info[1], "device")));
  });
}

Napi::Object initialise(Napi::Env env, Napi::Object exports) {
  auto * data = new AddonData;  // freed with the environment
  const Napi::Function engineClass = EngineObject::define(env);
  data->engineClass = Napi::Persistent(engineClass);
  env.SetInstanceData(data);
  const auto process = env.Global().Get("process").As<Napi::Object>();
  process.Get("once").As<Napi::Function>().Call(process, {Napi::String::New(env, "exit"), Napi::Function::New(env, EngineObject::shutAll)});
  exports.Set("version", T1_VERSION);
  exports.Set("contract", T1_CONTRACT);
  exports.Set("load", Napi::Function::New(env, load));
  exports.Set("devices", Napi::Function::New(env, devices));
  exports.Set("backends", Napi::Function::New(env, backends));
  exports.Set("build", Napi::Function::New(env, build));
  return exports;
}

NODE_API_MODULE(t1_engine, initialise)

}  // namespace
}  // namespace t1
