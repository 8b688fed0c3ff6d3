// A lane's states: each way between them, and none besides.
#include "../lane.h"
#include "check.h"

using namespace t1;

namespace {

using State = Lane::State;

// A lane in this state; places are number 3.
Lane in(State state) {
  static const float logits[1] = {};
  Lane lane(0, 0);
  if (state == State::Waiting) return lane;
  lane.place(3, state == State::Drawing ? logits : nullptr);
  if (state == State::Finished) lane.finish();
  return lane;
}

template <typename Change>
void expect(State from, Change change, std::optional<State> to) {
  Lane lane = in(from);
  CHECK(lane.state() == from);
  const std::optional<Failure> failure = failureOf([&] { change(lane); });
  CHECK(failure.has_value() == !to.has_value());
  if (failure) CHECK(failure->code == Code::Internal);
  CHECK(lane.state() == to.value_or(from));
  CHECK(lane.placed() == (lane.state() == State::Reading || lane.state() == State::Drawing));
  CHECK((lane.slot() >= 0) == lane.placed());
  CHECK((lane.logits() != nullptr) == (lane.state() == State::Drawing));
}

}  // namespace

int main() {
  const std::optional<State> no;
  static const float logits[1] = {};
  for (const State state : {State::Waiting, State::Reading, State::Drawing, State::Finished}) {
    const bool placed = state == State::Reading || state == State::Drawing;
    const auto from = [&](bool possible, State to) { return possible ? std::optional(to) : no; };
    expect(state, [](Lane & lane) { lane.place(5); }, from(state == State::Waiting, State::Reading));
    expect(state, [](Lane & lane) { lane.place(5, logits); }, from(state == State::Waiting, State::Drawing));
    expect(state, [](Lane & lane) { lane.read(); }, from(placed, State::Reading));
    expect(state, [](Lane & lane) { lane.move(6); }, from(placed, state));
    expect(state, [](Lane & lane) { CHECK(lane.lose() == 3); }, from(placed, State::Waiting));
    expect(state, [](Lane & lane) { CHECK(lane.finish() == 3); }, from(placed, State::Finished));
  }
}
