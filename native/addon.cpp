// The addon's exports. No logic: values are converted and handed to Engine. Everything here runs on the JS thread
// of its environment, except where a comment says otherwise.
#include <napi.h>

#include <memory>
#include <set>

#include "convert.h"
#include "engine.h"

namespace t1 {
namespace {

using OnEvent = Callback<uint64_t, Event>;
using OnLoaded = Callback<std::optional<Thrown>, std::optional<EngineHandle>>;
using OnDisposed = Callback<>;

constexpr Call<ModelInfo()> kInfo = {"info"};
constexpr Call<std::vector<Token>(std::string, bool, std::optional<bool>)> kTokenize = {
    "tokenize", {{{"text"}, {"special"}, {"addBos"}}}};
// The job's number is chosen by JS, so that no event can come before it is known there; the reply is the id that abort
// takes.
constexpr Call<uint64_t(uint64_t, SampleJob)> kSample = {"sample", {{{"job"}, {"request"}}}};
constexpr Call<uint64_t(uint64_t, ScoreJob)> kScore = {"score", {{{"job"}, {"request"}}}};
constexpr Call<uint64_t(uint64_t, ClassifyJob)> kClassify = {"classify", {{{"job"}, {"request"}}}};
constexpr Call<void(uint64_t)> kAbort = {"abort", {{{"id"}}}};
constexpr Call<Statistics()> kStatistics = {"statistics"};
constexpr Call<void(KvCosts)> kUseCosts = {"useCosts", {{{"costs"}}}};
constexpr Call<void(bool)> kSetBusy = {"setBusy", {{{"busy"}}}};
constexpr Call<void(OnDisposed)> kDispose = {"dispose", {{{"done"}}}};
// Of the engine.
constexpr auto kEngineCalls =
    std::tuple(kInfo, kTokenize, kSample, kScore, kClassify, kAbort, kStatistics, kUseCosts, kSetBusy, kDispose);

constexpr Call<void(EngineOptions, OnEvent, OnLoaded)> kLoad = {"load", {{{"options"}, {"onEvent"}, {"done"}}}};
constexpr Call<std::vector<Device>()> kDevices = {"devices"};
constexpr Call<std::vector<std::string>()> kBackends = {"backends"};
// Release of llama.cpp and the device that would decode.
constexpr Call<std::string(int32_t, std::string)> kBuild = {"build", {{{"gpuLayers", {.min = -1}}, {"device"}}}};
// Of the addon.
constexpr auto kCalls = std::tuple(kLoad, kDevices, kBackends, kBuild);

struct Delivery {
  uint64_t job;
  Event event;
};

// Calls onEvent(job, event). env is empty when the environment goes away: then only the data is freed.
void deliver(Napi::Env env, Napi::Function onEvent, std::nullptr_t *, Delivery * raw) {
  const std::unique_ptr<Delivery> delivery(raw);
  if (env == nullptr || onEvent == nullptr) return;
  Napi::HandleScope scope(env);
  OnEvent::call(onEvent, env, delivery->job, delivery->event);
}

using Events = Napi::TypedThreadSafeFunction<std::nullptr_t, Delivery, deliver>;

class EngineObject;

// Of one environment.
struct AddonData {
  Napi::FunctionReference engineClass;
  std::set<EngineObject *> open;  // engines whose decode thread may still run
};

class EngineObject : public Napi::ObjectWrap<EngineObject> {
 public:
  static Napi::Function define(Napi::Env env) {
    return DefineClass(env, "NativeEngine",
                       {
                           InstanceMethod(kInfo.name, &EngineObject::info),
                           InstanceMethod(kTokenize.name, &EngineObject::tokenize),
                           InstanceMethod(kSample.name, &EngineObject::sample),
                           InstanceMethod(kScore.name, &EngineObject::score),
                           InstanceMethod(kClassify.name, &EngineObject::classify),
                           InstanceMethod(kAbort.name, &EngineObject::abort),
                           InstanceMethod(kStatistics.name, &EngineObject::statistics),
                           InstanceMethod(kUseCosts.name, &EngineObject::useCosts),
                           InstanceMethod(kSetBusy.name, &EngineObject::setBusy),
                           InstanceMethod(kDispose.name, &EngineObject::dispose),
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
  static void send(const Events & events, uint64_t job, Event event) {
    auto delivery = std::make_unique<Delivery>(Delivery{job, std::move(event)});
    if (events.NonBlockingCall(delivery.get()) == napi_ok) delivery.release();
  }

  Engine & engine() const {
    if (!engine_) throw Failure(Code::Disposed, "the engine was disposed");
    return *engine_;
  }

  uint64_t submit(uint64_t job, Work work) {
    return engine().submit(std::move(work),
                           [events = events_, job](Event event) { send(events, job, std::move(event)); });
  }

  Napi::Value info(const Napi::CallbackInfo & info) {
    return kInfo(info, [&] { return engine().info(); });
  }

  Napi::Value tokenize(const Napi::CallbackInfo & info) {
    return kTokenize(info, [&](const std::string & text, bool special, std::optional<bool> addBos) {
      const Vocabulary & vocabulary = engine().vocabulary();
      return vocabulary.tokenize(text, special, addBos.value_or(vocabulary.addsBos()));
    });
  }

  Napi::Value sample(const Napi::CallbackInfo & info) {
    return kSample(info, [&](uint64_t job, SampleJob && request) { return submit(job, std::move(request)); });
  }

  Napi::Value score(const Napi::CallbackInfo & info) {
    return kScore(info, [&](uint64_t job, ScoreJob && request) { return submit(job, std::move(request)); });
  }

  Napi::Value classify(const Napi::CallbackInfo & info) {
    return kClassify(info, [&](uint64_t job, ClassifyJob && request) { return submit(job, std::move(request)); });
  }

  Napi::Value abort(const Napi::CallbackInfo & info) {
    return kAbort(info, [&](uint64_t id) {
      if (engine_) engine_->abort(id);
    });
  }

  Napi::Value statistics(const Napi::CallbackInfo & info) {
    return kStatistics(info, [&] { return engine().statistics(); });
  }

  Napi::Value useCosts(const Napi::CallbackInfo & info) {
    return kUseCosts(info, [&](const KvCosts & costs) { engine().useCosts(costs); });
  }

  // Whether events are awaited: then the process stays alive for them.
  Napi::Value setBusy(const Napi::CallbackInfo & info) {
    return kSetBusy(info, [&](bool busy) {
      if (engine_) busy ? events_.Ref(info.Env()) : events_.Unref(info.Env());
    });
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
    if (failure_) return OnLoaded::call(Callback().Value(), Env(), Thrown{*failure_}, std::nullopt);
    auto & engineClass = Env().GetInstanceData<AddonData>()->engineClass;
    const Napi::Object engine =
        engineClass.New({Napi::External<std::shared_ptr<Engine>>::New(Env(), &engine_), onEvent_.Value()});
    OnLoaded::call(Callback().Value(), Env(), std::nullopt, EngineHandle{engine});
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
    OnDisposed::call(Callback().Value(), Env());
  }

 private:
  EngineObject * object_;
  Napi::ObjectReference self_;
  std::shared_ptr<Engine> engine_;
};

Napi::Value EngineObject::dispose(const Napi::CallbackInfo & info) {
  return kDispose(info, [&](const OnDisposed & done) {
    if (engine_) engine_->close();
    (new DisposeWorker(this, info.This().As<Napi::Object>(), done.function))->Queue();
  });
}

Napi::Value load(const Napi::CallbackInfo & info) {
  return kLoad(info, [](EngineOptions && options, const OnEvent & onEvent, const OnLoaded & done) {
    (new LoadWorker(std::move(options), onEvent.function, done.function))->Queue();
  });
}

Napi::Value devices(const Napi::CallbackInfo & info) { return kDevices(info, listDevices); }

Napi::Value backends(const Napi::CallbackInfo & info) { return kBackends(info, listBackends); }

Napi::Value build(const Napi::CallbackInfo & info) {
  return kBuild(info, [](int32_t gpuLayers, const std::string & device) { return engineBuild(gpuLayers, device); });
}

// Everything above, for a test that compares it with src/engine/contract.ts.
Napi::Value describe(const Napi::CallbackInfo & info) {
  const Napi::Env env = info.Env();
  Napi::Object addon = Napi::Object::New(env);
  Napi::Object engine = Napi::Object::New(env);
  std::apply([&](const auto &... calls) { (calls.describe(env, addon), ...); }, kCalls);
  std::apply([&](const auto &... calls) { (calls.describe(env, engine), ...); }, kEngineCalls);
  Napi::Object description = Napi::Object::New(env);
  description.Set("addon", addon);
  description.Set("engine", engine);
  return description;
}

Napi::Object initialise(Napi::Env env, Napi::Object exports) {
  auto * data = new AddonData;  // freed with the environment
  const Napi::Function engineClass = EngineObject::define(env);
  data->engineClass = Napi::Persistent(engineClass);
  env.SetInstanceData(data);
  const auto process = env.Global().Get("process").As<Napi::Object>();
  process.Get("once").As<Napi::Function>().Call(
      process, {Napi::String::New(env, "exit"), Napi::Function::New(env, EngineObject::shutAll)});
  exports.Set("version", T1_VERSION);
  exports.Set("contract", T1_CONTRACT);
  exports.Set(kLoad.name, Napi::Function::New(env, load));
  exports.Set(kDevices.name, Napi::Function::New(env, devices));
  exports.Set(kBackends.name, Napi::Function::New(env, backends));
  exports.Set(kBuild.name, Napi::Function::New(env, build));
  exports.Set("describe", Napi::Function::New(env, describe));
  return exports;
}

NODE_API_MODULE(t1_engine, initialise)

}  // namespace
}  // namespace t1
