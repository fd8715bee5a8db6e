#pragma once
// For std::visit with a lambda per case, every case listed.

namespace berth {

template <class... Fs>
struct overloaded : Fs... {
  using Fs::operator()...;
};
template <class... Fs>
overloaded(Fs...) -> overloaded<Fs...>;

}  // namespace berth
